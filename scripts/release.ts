/**
 * Makes a release: `scripts/bun scripts/release.ts [--output DIR] [TARGET...]` (every target without arguments).
 *
 * For each kind of machine the program, in an archive, a package for npm and, where it has a name there, one for Debian;
 * then the launcher's package, a bill of materials and the checksums of all. The same commit gives the same programs.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import manifest from "../package.json" with { type: "json" };
import { makeArchive } from "./release/archive.ts";
import { makeDeb } from "./release/debian.ts";
import { packLauncher, packPlatform } from "./release/npm.ts";
import { ReleaseFailed, ROOT, runIn } from "./release/run.ts";
import { runtimeOf } from "./release/runtime.ts";
import { makeSbom } from "./release/sbom.ts";
import { TARGETS, type Target } from "./release/targets.ts";

const { version } = manifest;

function chosen(names: readonly string[]): readonly Target[] {
  const unknown = names.find((name) => !TARGETS.some((target) => target.name === name));
  if (unknown !== undefined) {
    const known = TARGETS.map(({ name }) => name).join(", ");
    throw new ReleaseFailed(`no target ${unknown}; there are: ${known}`);
  }
  return names.length === 0 ? TARGETS : TARGETS.filter(({ name }) => names.includes(name));
}

function say(file: string): void {
  const mib = (statSync(file).size / 1024 / 1024).toFixed(1);
  process.stdout.write(`${mib.padStart(7)} MiB  ${basename(file)}\n`);
}

/** @returns The files that were made for this target. */
function release(target: Target, work: string, output: string): readonly string[] {
  const binary = join(work, "program", target.program);
  mkdirSync(join(work, "program"));
  const args = ["scripts/build.ts", "--target", target.compiler, "--runtime", runtimeOf(target), binary];
  runIn(ROOT, process.execPath, args);
  process.stdout.write(`${target.name}\n`);
  say(binary);
  const place = (kind: string): string => {
    mkdirSync(join(work, kind), { mode: 0o755 });
    return join(work, kind);
  };
  const deb = makeDeb(target, binary, version, place("deb"), output);
  return [
    makeArchive(target, binary, version, place("archive"), output),
    ...(deb === undefined ? [] : [deb]),
    packPlatform(target, binary, place("npm"), output),
  ];
}

/** As `sha256sum --check` reads them. */
function writeChecksums(files: readonly string[], output: string): void {
  const lines = files.map((file) => {
    const digest = createHash("sha256").update(readFileSync(file)).digest("hex");
    return `${digest}  ${basename(file)}\n`;
  });
  writeFileSync(join(output, "SHA256SUMS"), lines.sort().join(""));
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { output: { type: "string", default: join(ROOT, "dist", "release") } },
  });
  const targets = chosen(positionals);
  const output = resolve(values.output);
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  const files: string[] = [];
  for (const target of targets) {
    const work = mkdtempSync(join(output, ".work-"));
    try {
      const made = release(target, work, output);
      made.forEach(say);
      files.push(...made);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  const work = mkdtempSync(join(output, ".work-"));
  try {
    files.push(packLauncher(work, output), makeSbom(version, output));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  writeChecksums(files, output);
  process.stdout.write(`${files.length} files, and their SHA256SUMS, in ${output}\n`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof ReleaseFailed)) throw error;
  process.stderr.write(`release: ${error.message}\n`);
  process.exitCode = 1;
}
