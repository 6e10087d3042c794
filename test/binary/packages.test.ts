import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TARGETS } from "../../scripts/release/targets.ts";
import { ROOT } from "./built.ts";

const HOST = TARGETS.find(
  ({ os, cpu, libc }) => os === process.platform && cpu === process.arch && libc !== "musl",
);

/** Each program is more than 100 MB, and this compresses it three times. */
const RELEASE_TIMEOUT_MS = 300_000;

function sh(directory: string, program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { cwd: directory, encoding: "utf8" });
}

describe.skipIf(HOST?.os !== "linux")("a release for this machine", () => {
  const directory = mkdtempSync(join(tmpdir(), "vsec-release-"));
  const output = join(directory, "release");
  beforeAll(() => {
    sh(ROOT, process.execPath, "scripts/release.ts", "--output", output, HOST?.name ?? "");
  }, RELEASE_TIMEOUT_MS);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const find = (pattern: RegExp): string => {
    const name = readdirSync(output).find((file) => pattern.test(file));
    expect(name).toBeDefined();
    return join(output, name ?? "");
  };
  const emptyDirectory = (name: string): string => {
    mkdirSync(join(directory, name));
    return join(directory, name);
  };

  test("has checksums of every file in it", () => {
    const checked = sh(output, "sha256sum", "--check", "SHA256SUMS").trim().split("\n");
    expect(checked.every((line) => line.endsWith(": OK"))).toBe(true);
    expect(checked.length).toBe(readdirSync(output).length - 1);
  });

  test("has an archive whose program runs, with manual, completions and units", () => {
    const at = emptyDirectory("archive");
    sh(at, "tar", "-xzf", find(/^vsec-.*-linux-.*\.tar\.gz$/));
    const [name = ""] = readdirSync(at);
    expect(sh(join(at, name), "./vsec", "version")).toStartWith("vsec v");
    for (const file of ["man/vsec-read.1", "completions/vsec.bash", "systemd/vsec.service", "LICENSE"])
      expect(existsSync(join(at, name, file))).toBe(true);
  });

  test.skipIf(!existsSync("/usr/bin/dpkg-deb"))(
    "has a Debian package: root's files, and units not enabled",
    () => {
      const at = emptyDirectory("deb");
      const deb = find(/\.deb$/);
      sh(at, "dpkg-deb", "--extract", deb, "root");
      sh(at, "dpkg-deb", "--control", deb, "control");
      expect(sh(at, "root/usr/bin/vsec", "version")).toStartWith("vsec v");
      const listed = sh(at, "dpkg-deb", "--contents", deb).trim().split("\n");
      expect(listed.filter((line) => !line.includes(" root/root "))).toEqual([]);
      expect(listed.filter((line) => line.includes("/etc/"))).toEqual([]);
      expect(listed.some((line) => line.endsWith("./usr/share/man/man1/vsec-read.1.gz"))).toBe(true);
      expect(listed.some((line) => line.endsWith("./usr/lib/systemd/system/vsec.service"))).toBe(true);
      for (const script of ["postinst", "prerm"]) sh(at, "sh", "-n", `control/${script}`);
    },
  );

  test("has npm packages that install without any script, and run", () => {
    const at = emptyDirectory("npm");
    writeFileSync(join(at, "package.json"), "{}");
    const packages = [find(/^vsec-\d.*\.tgz$/), find(/^vsec-linux-.*\.tgz$/)];
    // The other machines' packages are optional, and there is no registry to ask for them.
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional", "--offline"];
    sh(at, "npm", "install", ...flags, ...packages);
    for (const name of ["vsec", `@vsec/${HOST?.name}`]) {
      const manifest = JSON.parse(readFileSync(join(at, "node_modules", name, "package.json"), "utf8"));
      expect(manifest.scripts).toBeUndefined();
    }
    expect(sh(at, "node_modules/.bin/vsec", "version")).toStartWith("vsec v");
  });

  test("has a bill of what is inside: the drivers and the runtime, and nothing of the tests", () => {
    const bom = JSON.parse(readFileSync(find(/\.cdx\.json$/), "utf8"));
    const names = bom.components.map(({ name, group }: { name: string; group?: string }) =>
      group === undefined ? name : `${group}/${name}`,
    );
    expect(bom.bomFormat).toBe("CycloneDX");
    for (const name of ["pg", "bun"]) expect(names).toContain(name);
    expect(names).not.toContain("fast-check");
  });
});
