/**
 * Records which functions of the program the reading of a credential uses, for the next build to lay them out by:
 * `scripts/bun scripts/record-startup.ts`. What is recorded are hashes; functions that change later are only laid out worse.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { initDatabase } from "../test/e2e/database.ts";
import { World } from "../test/e2e/world.ts";
import { startPostgres } from "../test/servers/postgres.ts";
import { temporaryDirectory } from "../test/servers/process.ts";

const PROFILE = path.join(import.meta.dirname, "build", "startup.order");
/** Most of a recording, and without measurable effect on the time of a command. */
const NOT_KEPT = /^K /;

const work = temporaryDirectory("vsec-startup-");
const server = await startPostgres({ version: 18 });
const world = new World();
try {
  const program = path.join(work.path, "vsec");
  const build = path.join(import.meta.dirname, "build.ts");
  execFileSync(process.execPath, [build, "--without-profile", program], { stdio: "inherit" });
  await initDatabase(world, server, { roles: { readonly: "1h" } });
  const recording = path.join(work.path, "recording");
  const env = { HOME: world.home, VSEC_STORE: world.store, BUN_BYTECODE_ORDER_OUT: recording };
  execFileSync(program, ["read", "database/creds/readonly"], { env, stdio: "ignore" });
  const lines = readFileSync(recording, "utf8").split("\n");
  writeFileSync(PROFILE, lines.filter((line) => !NOT_KEPT.test(line)).join("\n"));
} finally {
  world.remove();
  await server.stop();
  work.remove();
}
