import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { manualPages, place } from "./layout.ts";
import { commitSeconds, ROOT, runIn } from "./run.ts";
import type { Target } from "./targets.ts";

const COMPLETIONS = {
  "vsec.bash": "usr/share/bash-completion/completions/vsec",
  _vsec: "usr/share/zsh/vendor-completions/_vsec",
  "vsec.fish": "usr/share/fish/vendor_completions.d/vsec.fish",
} as const;

/**
 * A package for Debian and what descends from it: program, manual, completions, units that are not enabled, and the user
 * they run as. @see Debian Policy, chapters 5, 9 and 12.
 * @param work - An empty directory to build it in.
 * @returns The package's path; undefined for a machine that Debian has no name for.
 */
export function makeDeb(
  target: Target,
  binary: string,
  version: string,
  work: string,
  output: string,
): string | undefined {
  if (target.debian === undefined) return undefined;
  const at = (path: string): string => join(work, path);
  place(binary, at("usr/bin/vsec"), 0o755);
  for (const page of manualPages()) placeZipped(join(ROOT, "man", page), at(`usr/share/man/man1/${page}.gz`));
  for (const [from, to] of Object.entries(COMPLETIONS)) place(join(ROOT, "man", "completions", from), at(to));
  for (const unit of ["vsec.service", "vsec.socket"])
    place(join(ROOT, "packaging", "systemd", unit), at(`usr/lib/systemd/system/${unit}`));
  place(join(ROOT, "packaging", "systemd", "vsec.sysusers"), at("usr/lib/sysusers.d/vsec.conf"));
  place(join(ROOT, "packaging", "debian", "copyright"), at("usr/share/doc/vsec/copyright"));
  placeZipped(join(ROOT, "CHANGELOG.md"), at("usr/share/doc/vsec/changelog.gz"));
  for (const script of ["postinst", "prerm"])
    place(join(ROOT, "packaging", "debian", script), at(`DEBIAN/${script}`), 0o755);
  const control = readFileSync(join(ROOT, "packaging", "debian", "control"), "utf8");
  const sizeKib = Math.ceil(statSync(binary).size / 1024);
  const values: Readonly<Record<string, string>> = {
    VERSION: version,
    ARCHITECTURE: target.debian,
    INSTALLED_SIZE: String(sizeKib),
  };
  writeFileSync(
    at("DEBIAN/control"),
    control.replace(/@(\w+)@/g, (_, name: string) => values[name] ?? ""),
  );
  const deb = join(output, `vsec_${version}_${target.debian}.deb`);
  const flags = ["--root-owner-group", "-Zgzip", "--build"];
  runIn(work, "dpkg-deb", [...flags, work, deb], { SOURCE_DATE_EPOCH: commitSeconds() });
  return deb;
}

function placeZipped(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o755 });
  writeFileSync(to, gzipSync(readFileSync(from), { level: 9 }));
  chmodSync(to, 0o644);
}
