/** What vsec does at AWS that leaves something behind, with the places beside AWS's own work at which it is killed. */

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Ended } from "../e2e/world.ts";
import { type AwsCase, TTL_MS } from "./aws-arena.ts";

export interface AwsOperation {
  readonly name: string;
  /** Without those of the store, which do not know what is behind them: the kills with PostgreSQL are tried there. */
  readonly passes: readonly string[];
  prepare?(at: AwsCase): Promise<unknown>;
  command(at: AwsCase): string;
  /** How far ahead the clock is; 0 unless told. */
  readonly offsetMs?: number;
}

export interface AwsPlace {
  readonly operation: AwsOperation;
  readonly failpoint: string;
}

const DELETE = ["aws:keys-deleted", "aws:user-detached", "aws:user-deleted"] as const;
const STATIC = ["aws-static:recorded", "aws-static:key-created", "aws-static:stored"] as const;

async function issue(at: AwsCase): Promise<void> {
  at.memory = await at.world.ok(`read -field=lease_id ${at.credsPath}`);
}

function staticPath({ role }: AwsCase): string {
  return `aws/static-roles/${role}`;
}

function writeStatic(at: AwsCase): string {
  return `write ${staticPath(at)} username=${at.otherUser} rotation_period=1h`;
}

export const ISSUE: AwsOperation = {
  name: "issue",
  passes: [
    "issue:pending",
    "aws:user-created",
    "aws:user-equipped",
    "aws:key-created",
    "issue:created",
    "issue:active",
  ],
  command: (at) => `read ${at.credsPath}`,
};

export const REVOKE: AwsOperation = {
  name: "revoke",
  passes: ["revoke:taken", ...DELETE, "revoke:gone", "revoke:settled"],
  prepare: issue,
  command: (at) => `lease revoke -sync ${at.memory}`,
};

export const EXPIRY: AwsOperation = {
  name: "expiry",
  passes: ["revoke:taken", ...DELETE, "revoke:gone", "revoke:settled"],
  prepare: issue,
  command: () => "daemon -once",
  offsetMs: TTL_MS + 1000,
};

export const ROTATE_ROOT: AwsOperation = {
  name: "rotate-root",
  passes: [
    "aws-root:recorded",
    "aws-root:key-created",
    "aws-root:key-recorded",
    "aws-root:proved",
    "aws-root:stored",
    "aws-root:old-deleted",
  ],
  prepare: (at) => at.useOtherUser(),
  command: () => "write -force aws/config/rotate-root",
};

export const ADD_STATIC: AwsOperation = {
  name: "take a user under rotation",
  passes: STATIC,
  prepare: (at) => at.makeOtherUser(),
  command: writeStatic,
};

export const ROTATE_STATIC: AwsOperation = {
  name: "static rotation",
  passes: ["revoke:taken", ...STATIC],
  prepare: async (at) => {
    await at.makeOtherUser();
    // The emulator's clock is the machine's: the role is made in the past, so that its keys are as old as they claim.
    await at.at(-TTL_MS - 60_000, writeStatic(at));
  },
  command: () => "daemon -once",
};

export const REMOVE_STATIC: AwsOperation = {
  name: "end a static role",
  passes: ["aws-static:key-deleted"],
  prepare: async (at) => {
    await at.makeOtherUser();
    await at.world.ok(writeStatic(at));
  },
  command: (at) => `delete ${staticPath(at)}`,
};

export const AWS_OPERATIONS = [
  ISSUE,
  REVOKE,
  EXPIRY,
  ROTATE_ROOT,
  ADD_STATIC,
  ROTATE_STATIC,
  REMOVE_STATIC,
] as const;

/** One place for each passing. */
export function placesOf(...operations: readonly AwsOperation[]): AwsPlace[] {
  return operations.flatMap((operation) => operation.passes.map((failpoint) => ({ operation, failpoint })));
}

/** Prepares the operation, and runs its command until it dies at the failpoint. */
export async function killAt(at: AwsCase, { operation, failpoint }: AwsPlace): Promise<Ended> {
  await operation.prepare?.(at);
  return at.at(operation.offsetMs ?? 0, operation.command(at), { env: { VSEC_FAILPOINT: failpoint } });
}

/** Runs the operation to its end. @returns The failpoints that it passed, without the store's. */
export async function passedBy(
  at: AwsCase,
  operation: AwsOperation,
): Promise<{ code: number | null; passes: string[] }> {
  const file = join(at.world.home, "failpoints");
  await operation.prepare?.(at);
  const { code } = await at.at(operation.offsetMs ?? 0, operation.command(at), {
    env: { VSEC_FAILPOINT_LOG: file },
  });
  const passes = readFileSync(file, "utf8").trim().split("\n");
  rmSync(file);
  return { code, passes: passes.filter((name) => !name.startsWith("store:")) };
}
