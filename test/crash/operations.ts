/**
 * What vsec does that leaves something behind, with every place at which it is killed: the failpoints that the operation
 * passes, in order. Each lies between two steps of which one lasts (a commit of the store, a statement of the database).
 */

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Ended } from "../e2e/world.ts";
import { type Case, RECOVERY_MS, TTL_MS } from "./arena.ts";

export interface Operation {
  readonly name: string;
  readonly passes: readonly string[];
  prepare?(at: Case): Promise<void>;
  command(at: Case): string;
  /** How far ahead the clock is; 0 unless told. */
  readonly offsetMs?: number;
  /** The exit code when it is not killed; 0 unless told. */
  readonly code?: number;
  /** How many leases are in force in the end, when it is killed before (or after) its first commit of the store. */
  readonly leases: { readonly untouched: number; readonly begun: number };
}

export const COMMIT = ["store:commit", "store:written", "store:committed"] as const;
const DROP = ["drop-roles:logins-disabled", "drop-roles:sessions-ended", "drop-roles:dropped"] as const;
const TAKE = [...COMMIT, "revoke:taken"] as const;
const FORGET = ["revoke:gone", ...COMMIT, "revoke:settled"] as const;
/** Of a prefix, the leases of several batches are forgotten together, and then their mark. */
const FORGET_PREFIX = [
  "revoke:gone",
  "revoke:settled",
  ...COMMIT,
  ...COMMIT,
  "revoke-prefix:forgotten",
] as const;

async function issue(at: Case, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) at.memory = (await at.issue()).lease_id;
}

/** A role whose statements are refused halfway. */
async function breakRole({ world, role }: Case): Promise<void> {
  const sql = 'CREATE ROLE "{{name}}" LOGIN; SELECT 1/0;';
  await world.ok(["write", `database/roles/${role}`, "db_name=pg", `creation_statements=${sql}`]);
}

/** A lease whose user owns something in another database. */
async function issueOwner(at: Case): Promise<void> {
  const { lease_id, data } = await at.issue();
  at.memory = lease_id;
  const elsewhere = await at.server.connect({ database: at.otherDatabase });
  await elsewhere.query(`CREATE SCHEMA "owned_${at.role}" AUTHORIZATION "${data.username}"`);
  await elsewhere.end();
}

export const ISSUE: Operation = {
  name: "issue",
  passes: [
    ...COMMIT,
    "issue:pending",
    "creds:user-created",
    "issue:created",
    // From the activation on the lease is in force, though nobody was told its password: it ends with its TTL.
    ...COMMIT,
    "issue:active",
  ],
  command: (at) => `read ${at.credsPath}`,
  leases: { untouched: 0, begun: 0 },
};

export const REVOKE: Operation = {
  name: "revoke",
  passes: [
    ...TAKE,
    "drop-roles:logins-disabled",
    "drop-roles:sessions-ended",
    "drop-roles:elsewhere-cleaned",
    "drop-roles:dropped",
    ...FORGET,
  ],
  prepare: issueOwner,
  command: (at) => `lease revoke -sync ${at.memory}`,
  leases: { untouched: 1, begun: 0 },
};

export const ROTATE: Operation = {
  name: "rotate-root",
  passes: [
    ...COMMIT,
    "rotate-root:recorded",
    "rotate-root:changed",
    "rotate-root:proved",
    ...COMMIT,
    "rotate-root:committed",
  ],
  prepare: async (at) => {
    at.memory = await at.useOwnAdmin();
  },
  command: () => "write -force database/rotate-root/pg",
  leases: { untouched: 0, begun: 0 },
};

export const DISABLE: Operation = {
  name: "disable",
  // Retired; made due; revoked; forgotten, and their mark; the mount removed; the engine's data cleared.
  passes: [...COMMIT, ...COMMIT, "revoke-prefix:due", ...DROP, ...FORGET_PREFIX, ...COMMIT, ...COMMIT],
  prepare: (at) => issue(at, 2),
  command: () => "secrets disable database",
  leases: { untouched: 2, begun: 0 },
};

/** A token with a lease and a cubbyhole, and a child of it with a lease. */
async function growTree(at: Case): Promise<void> {
  const { world, credsPath } = at;
  const grow = async (parent: string | undefined): Promise<string> => {
    const token = await world.ok("token create -field=token -policy=root -ttl=20h", {
      env: { VSEC_TOKEN: parent },
    });
    await world.ok(`read ${credsPath}`, { env: { VSEC_TOKEN: token } });
    await world.ok("write cubbyhole/kept note=mine", { env: { VSEC_TOKEN: token } });
    return token;
  };
  at.memory = await grow(undefined);
  await grow(at.memory);
}

/** One token of a tree: its leases are made due, and revoked; its cubbyhole is emptied; it is forgotten. */
const END_TOKEN = [
  ...COMMIT,
  ...TAKE,
  ...DROP,
  ...FORGET,
  "token:leases-ended",
  ...COMMIT,
  "token:emptied",
  ...COMMIT,
  "token:forgotten",
] as const;

/** Taking up a rotation that was killed between the change on the server and its confirmation. */
export const SETTLE: Operation = {
  name: "settle a rotation",
  // No lease is due, and the daemon says so with an empty batch.
  passes: ["revoke:taken", ...COMMIT, ...COMMIT, "rotate-root:committed"],
  prepare: async (at) => {
    await ROTATE.prepare?.(at);
    await kill(at, ROTATE, "rotate-root:changed");
  },
  command: () => "daemon -once",
  offsetMs: RECOVERY_MS,
  leases: { untouched: 0, begun: 0 },
};

/** A rotation of the administrator's password that is due. */
export const ROTATE_ROOT_DUE: Operation = {
  name: "rotate the root credentials that are due",
  passes: ["revoke:taken", ...ROTATE.passes],
  prepare: async (at) => {
    await ROTATE.prepare?.(at);
    await at.world.ok("write database/config/pg rotation_period=12h");
  },
  command: () => "daemon -once",
  offsetMs: 12 * 3600_000 + 1000,
  leases: { untouched: 0, begun: 0 },
};

/** The operations on leases, after which the store and the database are compared. */
export const LEASE_OPERATIONS: readonly Operation[] = [
  ISSUE,
  {
    name: "issue that fails",
    passes: [
      ...COMMIT,
      "issue:pending",
      "issue:create-failed",
      ...TAKE,
      "drop-roles:logins-disabled",
      ...FORGET,
    ],
    prepare: breakRole,
    command: (at) => `read ${at.credsPath}`,
    code: 2,
    leases: { untouched: 0, begun: 0 },
  },
  {
    name: "renew",
    passes: ["renew:applied", ...COMMIT, "renew:committed"],
    prepare: (at) => issue(at, 1),
    command: (at) => `lease renew -increment=2h ${at.memory}`,
    leases: { untouched: 1, begun: 1 },
  },
  REVOKE,
  {
    name: "revoke by prefix",
    passes: [...COMMIT, "revoke-prefix:due", ...DROP, ...FORGET_PREFIX],
    prepare: (at) => issue(at, 3),
    command: (at) => `lease revoke -sync -prefix ${at.credsPath}`,
    leases: { untouched: 3, begun: 0 },
  },
  {
    name: "expiry",
    passes: [...TAKE, ...DROP, ...FORGET],
    prepare: (at) => issue(at, 2),
    command: () => "daemon -once",
    offsetMs: TTL_MS + 1000,
    leases: { untouched: 0, begun: 0 },
  },
  DISABLE,
  {
    name: "revoke a token with its tree",
    // Both are marked, from the root down, and ended from the leaf up.
    passes: [...COMMIT, "token:marked", ...COMMIT, ...END_TOKEN, ...END_TOKEN],
    prepare: growTree,
    command: (at) => `token revoke ${at.memory}`,
    leases: { untouched: 2, begun: 0 },
  },
];

/** One place to die at: a failpoint, and which of its passings. */
export interface Place {
  readonly operation: Operation;
  /** As VSEC_FAILPOINT takes it. */
  readonly failpoint: string;
  /** Commits of the store that are through by then. */
  readonly commits: number;
}

export function placesOf(operation: Operation): Place[] {
  return operation.passes.map((name, index) => {
    const passed = operation.passes.slice(0, index + 1);
    const nth = passed.filter((other) => other === name).length;
    const commits = passed.filter((other) => other === "store:committed").length;
    return { operation, failpoint: nth === 1 ? name : `${name}:${nth}`, commits };
  });
}

/** Runs the operation's command until it dies at the failpoint. */
export function kill(at: Case, { command, offsetMs = 0 }: Operation, failpoint: string): Promise<Ended> {
  return at.at(offsetMs, command(at), { env: { VSEC_FAILPOINT: failpoint } });
}

/** Runs the operation's command to its end. @returns The failpoints that it passed, in order. */
export async function passedBy(at: Case, operation: Operation): Promise<{ ended: Ended; passes: string[] }> {
  const file = join(at.world.home, "failpoints");
  const { command, offsetMs = 0 } = operation;
  const ended = await at.at(offsetMs, command(at), { env: { VSEC_FAILPOINT_LOG: file } });
  const passes = readFileSync(file, "utf8").trim().split("\n");
  rmSync(file);
  return { ended, passes };
}

/** What `operator init` passes. */
export const INIT_PASSES = ["init:protected", ...COMMIT] as const;
