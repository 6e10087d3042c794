/**
 * Writes what is derived from the declarations of commands, flags, variables, exit codes and API paths: manual pages,
 * completion scripts and reference pages. With `--check` it writes nothing, and fails when a file is missing, stale or left over.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CATALOGUE } from "../src/cli/commands/index.ts";
import { scriptFor } from "../src/cli/completion/scripts.ts";
import { collectWords } from "../src/cli/completion/words.ts";
import { clientsPage } from "./docs/clients.ts";
import { compatibilityPage } from "./docs/compatibility.ts";
import { commandPage, type LoadedCommand, pageName, programPage } from "./docs/manual.ts";
import { cliReference, environmentReference } from "./docs/reference.ts";

const ROOT = join(import.meta.dir, "..");

/** Folders in which every file is ours, so that a file nobody makes any more is an error. */
const OWNED = ["man", "man/completions"] as const;

/** All generated files, by path below the root. */
async function generate(): Promise<ReadonlyMap<string, string>> {
  const sorted = [...CATALOGUE.commands].sort((a, b) => (a.words < b.words ? -1 : 1));
  const commands = await Promise.all(
    sorted.map(async (entry): Promise<LoadedCommand> => ({ entry, command: (await entry.load()).command })),
  );
  const words = await collectWords(CATALOGUE);
  const files = new Map<string, string>([
    ["man/vsec.1", programPage(commands, CATALOGUE.groups)],
    ["man/completions/vsec.bash", scriptFor("bash", words)],
    ["man/completions/_vsec", scriptFor("zsh", words)],
    ["man/completions/vsec.fish", scriptFor("fish", words)],
    ["docs/reference/cli.md", cliReference(commands, CATALOGUE.groups)],
    ["docs/reference/environment.md", environmentReference()],
    ["docs/compatibility.md", await compatibilityPage()],
    ["docs/clients.md", clientsPage()],
  ]);
  for (const loaded of commands) files.set(`man/${pageName(loaded.entry.words)}.1`, commandPage(loaded));
  return files;
}

function existing(path: string): string | undefined {
  try {
    return readFileSync(join(ROOT, path), "utf8");
  } catch {
    return undefined; // Missing counts as stale.
  }
}

/** Files in our folders that nothing makes. */
function leftOver(files: ReadonlyMap<string, string>): readonly string[] {
  return OWNED.flatMap((folder) => {
    if (existingFolder(folder) === undefined) return [];
    return readdirSync(join(ROOT, folder), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${folder}/${entry.name}`)
      .filter((path) => !files.has(path));
  });
}

function existingFolder(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(join(ROOT, folder));
  } catch {
    return undefined; // Not generated yet.
  }
}

const files = await generate();
const stale = [...files].filter(([path, text]) => existing(path) !== text).map(([path]) => path);
const extra = leftOver(files);

if (process.argv.includes("--check")) {
  for (const path of stale) process.stderr.write(`${path} is out of step with the declarations\n`);
  for (const path of extra) process.stderr.write(`${path} is made by nothing any more\n`);
  if (stale.length + extra.length > 0) {
    process.stderr.write("run: scripts/bun scripts/generate-docs.ts\n");
    process.exitCode = 1;
  }
} else {
  for (const path of stale) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), files.get(path) ?? "");
  }
  for (const path of extra) rmSync(join(ROOT, path));
  process.stdout.write(`${stale.length} written, ${extra.length} removed, ${files.size} in all\n`);
}
