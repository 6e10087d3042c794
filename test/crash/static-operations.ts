/** What changes the password of a static role's user, with every place at which it is killed. */

import { type Case, RECOVERY_MS } from "./arena.ts";
import { COMMIT, kill, type Operation } from "./operations.ts";

const PERIOD_MS = 24 * 3600_000;

/** The user of a case's static role. */
export function staticUser({ role }: Case): string {
  return `static-${role}`;
}

/** The name of a case's static role, which may not be that of its dynamic one. */
export function staticRole({ role }: Case): string {
  return `s-${role}`;
}

/** Makes the user, with the password `initial`, and lets the administrator administer it. */
async function makeUser(at: Case): Promise<void> {
  const user = staticUser(at);
  const { data } = await at.world.json<{ data: { connection_details: { username: string } } }>(
    "read database/config/pg",
  );
  await at.server.query(`CREATE ROLE "${user}" LOGIN PASSWORD 'initial'`);
  await at.server.query(`GRANT "${user}" TO "${data.connection_details.username}" WITH ADMIN OPTION`);
}

function adopt(at: Case): string {
  const period = `rotation_period=${PERIOD_MS / 1000}`;
  return `write database/static-roles/${staticRole(at)} db_name=pg username=${staticUser(at)} ${period}`;
}

async function makeRole(at: Case): Promise<void> {
  await makeUser(at);
  await at.world.ok(adopt(at));
}

const CHANGE = ["rotate-role:changed", "rotate-role:proved", ...COMMIT, "rotate-role:committed"] as const;
const LEASES = { untouched: 0, begun: 0 };

export const ADOPT: Operation = {
  name: "adopt",
  passes: [...COMMIT, "static-role:recorded", ...CHANGE],
  prepare: makeUser,
  command: adopt,
  leases: LEASES,
};

export const ROTATE_ROLE: Operation = {
  name: "rotate-role",
  passes: [...COMMIT, "rotate-role:recorded", ...CHANGE],
  prepare: makeRole,
  command: (at) => `write -force database/rotate-role/${staticRole(at)}`,
  leases: LEASES,
};

/** A rotation that is due. No lease is, and the daemon says so with an empty batch. */
export const ROTATE_DUE: Operation = {
  name: "rotate a static role that is due",
  passes: ["revoke:taken", ...COMMIT, "rotate-role:recorded", ...CHANGE],
  prepare: makeRole,
  command: () => "daemon -once",
  offsetMs: PERIOD_MS + 1000,
  leases: LEASES,
};

/** Taking up a change that was killed before anybody knew whether it was made. */
export const SETTLE_ROLE: Operation = {
  name: "settle a static role",
  passes: ["revoke:taken", ...COMMIT, ...CHANGE],
  prepare: async (at) => {
    await makeRole(at);
    await kill(at, ROTATE_ROLE, "rotate-role:changed");
  },
  command: () => "daemon -once",
  offsetMs: RECOVERY_MS,
  leases: LEASES,
};

/** Putting our password back where somebody changed it. */
export const REPAIR: Operation = {
  name: "repair a static role",
  passes: ["revoke:taken", ...COMMIT, "rotate-role:recorded", ...CHANGE],
  prepare: async (at) => {
    await makeRole(at);
    await at.server.query(`ALTER ROLE "${staticUser(at)}" PASSWORD 'theirs'`);
  },
  command: () => "daemon -once",
  offsetMs: 3600_000 + 1000,
  leases: LEASES,
};

export const STATIC_OPERATIONS: readonly Operation[] = [ADOPT, ROTATE_ROLE, ROTATE_DUE, SETTLE_ROLE, REPAIR];
