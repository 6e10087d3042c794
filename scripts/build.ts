/**
 * Compiles the binary: `scripts/bun scripts/build.ts [--failpoints] [--without-profile] [--entry FILE]
 * [--target NAME --runtime FILE] OUTPUT`.
 * For another machine than this one: the compiler's name for it (`bun-linux-arm64`), and that machine's Bun.
 * The same commit gives the same bytes, wherever and whenever it is built.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import type { CompileBuildOptions } from "bun";
import manifest from "../package.json" with { type: "json" };
import { withDirectCrypto, withoutAzure, withoutBuildFolder, withoutFailpoints } from "./build/plugins.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
/** Which functions reading a credential uses, in their order: `make startup-profile` records it. */
const STARTUP_PROFILE = path.join(ROOT, "scripts", "build", "startup.order");

/** What git prints, or undefined where there is no git or no repository (a source archive). */
function git(...args: readonly string[]): string | undefined {
  try {
    return execFileSync("git", args, {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}

/** The commit as the version line shows it. */
export function revision(): string {
  return git("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*") ?? "unknown";
}

/** The time of the commit, not of the build: a clock would make every build differ. */
function builtAt(): string {
  const epochSeconds = Number(git("show", "--no-patch", "--format=%ct", "HEAD") ?? Number.NaN);
  if (!Number.isFinite(epochSeconds)) return "unknown";
  return new Date(epochSeconds * 1000).toISOString().replace(".000Z", "Z");
}

interface Compilation {
  readonly entry: string;
  readonly output: string;
  readonly failpoints: boolean;
  /** Whether functions are laid out in the order in which a command uses them. */
  readonly profile: boolean;
  readonly target?: string;
  readonly runtime?: string;
}

/** What to compile for where it is not this machine. */
function destination({ target, runtime }: Compilation): Partial<CompileBuildOptions> {
  if (target === undefined || runtime === undefined) return {};
  return { target: target as Bun.Build.CompileTarget, executablePath: runtime };
}

async function compile(compilation: Compilation): Promise<void> {
  const { entry, output, failpoints, profile } = compilation;
  await mkdir(path.dirname(output), { recursive: true });
  // Compiled under a name of its own and moved into place: whoever runs the old binary meanwhile keeps it, and the
  // file's name, which the compiler writes into the binary, is the same for every output.
  const workDir = await mkdtemp(path.join(path.dirname(output), ".build-"));
  const compiled = path.join(workDir, "vsec");
  try {
    const result = await Bun.build({
      entrypoints: [entry],
      root: path.dirname(entry),
      target: "bun",
      format: "esm",
      bytecode: true,
      splitting: true,
      // Each chunk that a command loads costs it time.
      minChunkSize: 65_536,
      minify: true,
      sourcemap: "none",
      // The optional native half of pg, which is never asked for.
      external: ["pg-native"],
      plugins: [
        withoutAzure,
        withoutBuildFolder,
        withDirectCrypto,
        ...(failpoints ? [] : [withoutFailpoints]),
      ],
      define: {
        VSEC_FAILPOINTS: String(failpoints),
        VSEC_VERSION: JSON.stringify(manifest.version),
        VSEC_REVISION: JSON.stringify(revision()),
        VSEC_BUILT: JSON.stringify(builtAt()),
      },
      // The binary must not care where it stands: no `.env`, no `bunfig.toml`, no manifest of the current directory.
      compile: {
        ...destination(compilation),
        outfile: compiled,
        autoloadDotenv: false,
        autoloadBunfig: false,
        autoloadTsconfig: false,
        autoloadPackageJson: false,
        // A command's code runs a few times and is gone: it takes less processor time with less of it compiled.
        jitPolicy: 32,
        ...(profile && existsSync(STARTUP_PROFILE) ? { bytecodeOrder: STARTUP_PROFILE } : {}),
      },
    });
    for (const log of result.logs) process.stderr.write(`${log}\n`);
    // The compiler gives a binary for Windows its ending.
    await rename(existsSync(compiled) ? compiled : `${compiled}.exe`, output);
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    failpoints: { type: "boolean", default: false },
    "without-profile": { type: "boolean", default: false },
    entry: { type: "string", default: path.join(ROOT, "src", "main.ts") },
    revision: { type: "boolean", default: false },
    target: { type: "string" },
    runtime: { type: "string" },
  },
});
const [output] = positionals;

if (values.revision) {
  process.stdout.write(`${revision()}\n`);
} else if (output === undefined) {
  process.stderr.write("usage: scripts/build.ts [--failpoints] [--without-profile] [--entry FILE] OUTPUT\n");
  process.exitCode = 1;
} else {
  try {
    const { failpoints, target, runtime } = values;
    const files = { entry: path.resolve(values.entry), output: path.resolve(output) };
    await compile({
      ...files,
      failpoints,
      profile: !values["without-profile"],
      ...(target === undefined || runtime === undefined ? {} : { target, runtime }),
    });
  } catch (error) {
    const causes = error instanceof AggregateError ? error.errors : [error];
    for (const cause of causes) process.stderr.write(`${cause}\n`);
    process.exitCode = 1;
  }
}
