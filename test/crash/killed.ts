/** The kill at one place, what is found at once, and what recovery makes of it. */

import { logsIn } from "../e2e/database.ts";
import { type Arena, type Case, RECOVERY_MS } from "./arena.ts";
import { type Found, NOTHING, type Recovered, recovered } from "./case.ts";
import { DISABLE, ISSUE, kill, type Place, SETTLE } from "./operations.ts";

export interface Outcome {
  /** How the command died, and what it had shown: nothing, since no answer is shown before the work is done. */
  readonly death: { readonly signal: NodeJS.Signals | null; readonly stdout: string };
  readonly orphansAtOnce: readonly string[];
  readonly recovery: Recovered;
  /** Of the operation that changes them. */
  readonly mounts: readonly string[];
  readonly atLast: Found;
}

export async function killAndRecover(arena: Arena, { operation, failpoint }: Place): Promise<Outcome> {
  const at = await arena.enter();
  await operation.prepare?.(at);
  const { signal, stdout } = await kill(at, operation, failpoint);
  const orphansAtOnce = await at.orphans();
  const recovery = await at.recover((operation.offsetMs ?? 0) + RECOVERY_MS);
  const mounts = operation === DISABLE ? Object.keys(await at.world.json("secrets list")) : [];
  return { death: { signal, stdout }, orphansAtOnce, recovery, mounts, atLast: await at.recoverAtLast() };
}

/** How each kill must end. */
export function expectedOutcome({ operation, commits }: Place): Outcome {
  const { untouched, begun } = operation.leases;
  // An issue's second commit puts the lease in force.
  const inForce = operation === ISSUE && commits >= 2 ? 1 : 0;
  const mounts = ["cubbyhole/", ...(commits > 0 ? [] : ["database/"]), "identity/", "sys/"];
  return {
    death: { signal: "SIGKILL", stdout: "" },
    orphansAtOnce: [],
    recovery: recovered(commits === 0 ? untouched : begun + inForce),
    mounts: operation === DISABLE ? mounts : [],
    atLast: NOTHING,
  };
}

export interface RotationOutcome {
  readonly signal: NodeJS.Signals | null;
  /** Whether a credential can be issued right after the kill, and again after the daemon. */
  readonly issues: readonly boolean[];
  readonly complaints: string;
  readonly oldPasswordWorks: boolean;
}

export async function killRotation(arena: Arena, { operation, failpoint }: Place): Promise<RotationOutcome> {
  const at = await arena.enter();
  await operation.prepare?.(at);
  const { signal } = await kill(at, operation, failpoint);
  const issues = [await canIssue(at)];
  const daemon = await at.at(RECOVERY_MS * 3, "daemon -once -log-level=warn");
  issues.push(await canIssue(at));
  return { signal, issues, complaints: daemon.stderr, oldPasswordWorks: await oldPasswordWorks(at) };
}

/** The administrator's password is known as long as credentials can be issued. */
async function canIssue(at: Case): Promise<boolean> {
  const { code } = await at.world.run(`read ${at.credsPath}`);
  return code === 0;
}

async function oldPasswordWorks(at: Case): Promise<boolean> {
  const { data } = await at.world.json<{ data: { connection_details: { username: string } } }>(
    "read database/config/pg",
  );
  return logsIn(at.server, { username: data.connection_details.username, password: at.memory });
}

export function expectedRotation({ operation, commits }: Place): RotationOutcome {
  // Once the new password is on record it is the one that will be in force, whoever goes on.
  const isRecorded = operation === SETTLE || commits > 0;
  return { signal: "SIGKILL", issues: [true, true], complaints: "", oldPasswordWorks: !isRecorded };
}
