import { execFileSync } from "node:child_process";
import { resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "..", "..");

/** Why there is no release; for the person who makes it. */
export class ReleaseFailed extends Error {}

/** The moment of the commit: archives are stamped with it, so that the same commit gives the same bytes. */
export function commitSeconds(): string {
  return runIn(ROOT, "git", ["show", "--no-patch", "--format=%ct", "HEAD"]).trim();
}

/** Runs a program to its end. @returns Its standard output. @throws ReleaseFailed with what it said. */
export function runIn(
  directory: string,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): string {
  try {
    return execFileSync(program, args, {
      cwd: directory,
      encoding: "utf8",
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string };
    throw new ReleaseFailed(`${program} ${args.join(" ")}: ${stderr?.trim() || String(error)}`, {
      cause: error,
    });
  }
}

/** Packs a directory's content so that the bytes depend on it alone: sorted, nobody's, at the commit's time. */
export function packTar(directory: string, output: string): void {
  const fixed = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", `--mtime=@${commitSeconds()}`];
  // gzip would write the time and the name into its header.
  runIn(directory, "tar", [...fixed, "--use-compress-program=gzip -n", "-cf", output, "."]);
}
