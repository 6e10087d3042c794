/** Yardsticks: small programs, compiled as the binary is. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { runProgram } from "./measure.ts";

const ROOT = resolve(import.meta.dirname, "..");

/**
 * Compiles a program with the flags of the release.
 * @param source - TypeScript; it may import what the project depends on.
 * @param directory - Where the program is put.
 * @returns Its path.
 */
export function compileProgram(name: string, source: string, directory: string): string {
  // Below the project, so that its packages are found.
  mkdirSync(join(ROOT, "dist"), { recursive: true });
  const sources = mkdtempSync(join(ROOT, "dist", ".bench-"));
  try {
    const entry = join(sources, `${name}.ts`);
    writeFileSync(entry, source);
    const output = join(directory, name);
    runProgram({ command: [process.execPath, join(ROOT, "scripts", "build.ts"), "--entry", entry, output] });
    return output;
  } finally {
    rmSync(sources, { recursive: true, force: true });
  }
}

/** The least that a compiled program can be. (`process.stdout.write` would cost it more than twice as much.) */
export const ONE_LINE = 'console.log("vsec v0.0.0 (000000000000), built 2026-01-01T00:00:00Z");\n';

/**
 * Logs in and carries out one statement in a transaction, with the driver that vsec has. The statement is the first
 * argument; the login is in the environment.
 */
export const ONE_STATEMENT = `
import pg from "pg";
const client = new pg.Client();
await client.connect();
await client.query("BEGIN");
await client.query(process.argv[2] ?? "");
await client.query("COMMIT");
await client.end();
`;
