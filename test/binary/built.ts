import { execFile, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "..", "..");

/** The path of a built binary. @throws TypeError when it was not built: a test that needs it must not pass without. */
export function built(name: "vsec" | "vsec-failpoints"): string {
  const file = path.join(ROOT, "dist", name);
  if (!existsSync(file)) throw new TypeError(`dist/${name} is not there: run make build build-failpoints`);
  return file;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end in a folder, with exactly this environment beside PATH and HOME. */
export function run(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Ended {
  const { PATH = "", HOME = "" } = process.env;
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env: { PATH, HOME, ...env },
    encoding: "utf8",
  });
  return { code: status, stdout, stderr };
}

/** Binaries are large and asked many questions: each is read once. */
const read = new Map<string, Buffer>();

/** How often a text stands in a file, as one byte or two for each character. */
export function occurrences(file: string, text: string): number {
  const bytes = read.get(file) ?? readFileSync(file);
  read.set(file, bytes);
  return (["utf8", "utf16le"] as const)
    .map((encoding) => Buffer.from(text, encoding))
    .reduce((sum, needle) => sum + countIn(bytes, needle), 0);
}

function countIn(bytes: Buffer, needle: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + needle.length)) count += 1;
  return count;
}

/** Compiles a program of our own the way the release is compiled. Resolves with the exit code and what was said. */
export function compile(entry: string, output: string): Promise<Ended> {
  const script = path.join(ROOT, "scripts", "build.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, [script, "--entry", entry, output], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, stdout, stderr });
    });
  });
}
