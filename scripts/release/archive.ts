import { join } from "node:path";
import { manualPages, place } from "./layout.ts";
import { packTar, ROOT } from "./run.ts";
import type { Target } from "./targets.ts";

/**
 * An archive for people who install by hand: the program, its manual, completions, and units for systemd.
 * @param work - An empty directory to build it in.
 * @returns The archive's path.
 */
export function makeArchive(
  target: Target,
  binary: string,
  version: string,
  work: string,
  output: string,
): string {
  const name = `vsec-${version}-${target.name}`;
  const inside = join(work, name);
  place(binary, join(inside, target.program), 0o755);
  for (const file of ["README.md", "LICENSE", "CHANGELOG.md"]) place(join(ROOT, file), join(inside, file));
  for (const page of manualPages()) place(join(ROOT, "man", page), join(inside, "man", page));
  for (const file of ["vsec.bash", "_vsec", "vsec.fish"])
    place(join(ROOT, "man", "completions", file), join(inside, "completions", file));
  if (target.os === "linux") {
    for (const unit of ["vsec.service", "vsec.socket"])
      place(join(ROOT, "packaging", "systemd", unit), join(inside, "systemd", unit));
  }
  const archive = join(output, `${name}.tar.gz`);
  packTar(work, archive);
  return archive;
}
