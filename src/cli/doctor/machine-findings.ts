import { messageOf } from "../../base/errors.ts";
import { readVariable } from "../../contract/environment.ts";
import { readPrivateFile } from "../../platform/files.ts";
import type { CliWorld } from "../context.ts";
import { tokenFilePath } from "../token-helper.ts";
import { type Finding, fine, note, problem } from "./finding.ts";

/** A token is far shorter. */
const TOKEN_FILE_BYTES_MAX = 65_536;

/** What this machine and this shell do to the secrets that pass through them. What cannot be told here is left out. */
export async function machineFindings(world: CliWorld): Promise<readonly Finding[]> {
  const found = await Promise.all([swap(world), coreDumps(world)]);
  return [tokenFile(world), ...environment(world), ...found.flat()];
}

function tokenFile({ env }: CliWorld): Finding {
  const check = "token file";
  const path = tokenFilePath(env);
  try {
    const content = readPrivateFile(path, { bytesMax: TOKEN_FILE_BYTES_MAX, followLinks: true });
    return fine(check, content === null ? "there is none" : `${path} can be read by its owner only`);
  } catch (error) {
    return problem(check, messageOf(error));
  }
}

function environment({ env }: CliWorld): readonly Finding[] {
  const check = "environment";
  const altering = ["BUN_OPTIONS", "BUN_BE_BUN"].filter((name) => (env[name] ?? "") !== "");
  const findings = altering.map((name) =>
    problem(check, `${name} is set, which changes what this program runs: unset it`),
  );
  const isElsewhere = (env.VAULT_ADDR ?? "") !== "" && readVariable(env, "VSEC_ADDR") === undefined;
  return isElsewhere
    ? [...findings, note(check, "VAULT_ADDR is set and not honoured: VSEC_ADDR or -address names a daemon")]
    : findings;
}

/** @see proc_swaps(5): a line of titles, then one for each area. */
async function swap(world: CliWorld): Promise<readonly Finding[]> {
  const text = await readIfThere(world, "/proc/swaps");
  if (text === undefined) return [];
  const areas = text
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s+/)[0] ?? "");
  if (areas.length === 0) return [fine("swap", "there is none")];
  const danger = `memory, and secrets in it, can be written to ${areas.join(", ")}: encrypt it, or turn it off`;
  return [note("swap", danger)];
}

/** @see proc_pid_limits(5): a row of name, soft limit, hard limit, unit. */
async function coreDumps(world: CliWorld): Promise<readonly Finding[]> {
  const text = await readIfThere(world, "/proc/self/limits");
  const limit = /^Max core file size\s+(\S+)/m.exec(text ?? "")?.[1];
  if (limit === undefined) return [];
  const check = "core dumps";
  if (limit === "0") return [fine(check, "none are written")];
  return [
    note(check, "a crash would write memory, and secrets in it, to disk: run `ulimit -c 0` before vsec"),
  ];
}

async function readIfThere(world: CliWorld, path: string): Promise<string | undefined> {
  try {
    return await world.readFile(path);
  } catch {
    return undefined; // Another system, or a container that hides it.
  }
}
