import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { manualPages, place } from "./layout.ts";
import { ROOT, runIn } from "./run.ts";
import { TARGETS, type Target } from "./targets.ts";

const { version, license, description, engines } = manifest;

/** The package that has the program for one kind of machine; npm installs only the one that fits. */
export function packageName({ name }: Target): string {
  return `@vsec/${name}`;
}

/**
 * Packs the program for one kind of machine. It has no install script.
 * @param work - An empty directory to build it in.
 * @returns The package's path.
 */
export function packPlatform(target: Target, binary: string, work: string, output: string): string {
  place(binary, join(work, "bin", target.program), 0o755);
  place(join(ROOT, "LICENSE"), join(work, "LICENSE"));
  return pack(work, output, {
    name: packageName(target),
    version,
    description: `${description} (for ${target.name})`,
    license,
    os: [target.os],
    cpu: [target.cpu],
    ...(target.libc === undefined ? {} : { libc: [target.libc] }),
    files: ["bin"],
    preferUnplugged: true,
  });
}

/** Packs `vsec` itself: the launcher, which finds the program, and the manual. */
export function packLauncher(work: string, output: string): string {
  place(join(ROOT, "bin", "vsec.js"), join(work, "bin", "vsec.js"), 0o755);
  for (const file of ["README.md", "LICENSE", "CHANGELOG.md"]) place(join(ROOT, file), join(work, file));
  for (const page of manualPages()) place(join(ROOT, "man", page), join(work, "man", page));
  return pack(work, output, {
    name: "vsec",
    version,
    description,
    license,
    type: "module",
    bin: manifest.bin,
    man: manualPages().map((page) => `./man/${page}`),
    files: ["bin", "man", "CHANGELOG.md"],
    engines,
    optionalDependencies: Object.fromEntries(TARGETS.map((target) => [packageName(target), version])),
  });
}

function pack(work: string, output: string, contents: Readonly<Record<string, unknown>>): string {
  mkdirSync(work, { recursive: true });
  writeFileSync(join(work, "package.json"), `${JSON.stringify(contents, null, 2)}\n`);
  const args = ["pack", "--silent", "--ignore-scripts", `--pack-destination=${output}`];
  return join(output, runIn(work, "npm", args).trim());
}
