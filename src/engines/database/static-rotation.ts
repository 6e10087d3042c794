import { type ApiError, badRequest, hasCode, messageOf } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import type { MountContext } from "../../framework/backend.ts";
import { nextRotation } from "../../framework/rotation.ts";
import type { EngineWrite } from "../../framework/storage.ts";
import {
  type ConnectionConfig,
  isRoleAllowed,
  isSelfManaged,
  readConfig,
  readConfigForRevocation,
} from "./config.ts";
import type { Connections } from "./connections.ts";
import { newPassword } from "./new-credential.ts";
import { DatabaseError, type DatabasePlugin, type LoginOutcome } from "./plugin.ts";
import {
  type Incident,
  type NextPassword,
  putStatic,
  readStatic,
  type StaticRole,
  type StaticTerms,
  type StoredStaticRole,
} from "./static-role.ts";

/*
 * Changing the password of a static role's user, so that at no instant the one in force is unknown:
 *
 *     next recorded ─▶ password changed on the server ─▶ login with it proved ─▶ next becomes the password, in one commit
 *
 * While `next` stands, either password may be in force. Whoever finds it (due work, or who asks for a rotation) takes it up and
 * does the same change again, so that two of them never work against each other. A slow one that is still at it when a later
 * change begins would bring an old password back: so each has an end after which it begins nothing, and where more than one took
 * a change up, the next one waits for that end.
 */

/** The parts of a mount that static roles work with. */
export interface StaticMount {
  readonly context: MountContext;
  readonly connections: Connections;
}

/** How long whoever takes a change up may be at work on it. */
const BUSY_MS = 180_000;
/** What a plugin takes to change a password, at most. */
const SET_MS_MAX = 45_000;
/** After how long a change whose process is gone is taken up by another, and one that failed once is tried again. */
const RETRY_MS = 60_000;
const RETRY_MS_MAX = 900_000;
/** How often it is looked at whether a password still logs in. */
export const CHECK_MS = 3_600_000;

/** A change that this process is at work on. */
interface Taken {
  readonly role: StaticRole;
  readonly next: NextPassword;
  /** Until when others may be at work on it; 0: nobody is. */
  readonly othersUntil: number;
}

/** @throws ApiError 400 for a rotation that somebody may be at work on: it is left to it. */
export function refuseBusy(name: string, role: StaticRole, now: number): void {
  if (Math.max(role.next?.busyUntil ?? 0, role.busyUntil) > now) throw underWay(name);
}

function underWay(name: string): ApiError {
  return badRequest(`a rotation of static role "${name}" is under way; try again in a few minutes`);
}

/**
 * The connection of a static role.
 * @throws ApiError with Vault's texts when there is none, or it does not serve this role.
 */
export async function configFor(
  { context, connections }: StaticMount,
  name: string,
  { dbName, credentialType }: StaticTerms,
): Promise<ConnectionConfig> {
  const stored = await readConfig(context.storage, dbName);
  if (stored === null) throw badRequest(`failed to find entry for connection with name: "${dbName}"`);
  if (!isRoleAllowed(stored.config.allowedRoles, name)) {
    throw new DatabaseError("statement", `"${name}" is not an allowed role`);
  }
  if (credentialType !== "password") throw badRequest(`unsupported credential_type: "${credentialType}"`);
  if (!(await connections.canTryLogins(stored.config))) {
    throw badRequest("static roles need a connection_url with {{username}} and {{password}} in it");
  }
  return stored.config;
}

/** The role with a new password recorded, to be set. */
export async function recordNext(
  { context }: StaticMount,
  config: ConnectionConfig,
  role: StaticRole,
): Promise<StaticRole> {
  const password = await newPassword(
    context,
    role.credentialConfig.password_policy ?? "",
    config.passwordPolicy,
  );
  return withNext(role, password, context.clock.now(), { isRepair: false, drift: null });
}

function withNext(
  role: StaticRole,
  password: string,
  now: number,
  { isRepair, drift }: { readonly isRepair: boolean; readonly drift: Incident | null },
): StaticRole {
  const next: NextPassword = { password, busyUntil: now + BUSY_MS, takes: 1, isRepair };
  return { ...role, next, notBefore: now + RETRY_MS, drift };
}

/** Begins and completes a change of the password. @throws what {@link complete} throws; ApiError 400 after a lost race. */
export async function change(
  mount: StaticMount,
  name: string,
  stored: StoredStaticRole,
  { isRepair, drift }: { readonly isRepair: boolean; readonly drift: Incident | null },
): Promise<void> {
  const config = await configFor(mount, name, stored.role);
  const { context } = mount;
  if (drift !== null && isSelfManaged(config)) {
    const text = `${drift.text}; write the present one to static-roles/${name} as password`;
    throw new DatabaseError("auth", text);
  }
  const recorded = isRepair
    ? withNext(stored.role, stored.role.password, context.clock.now(), { isRepair, drift })
    : { ...(await recordNext(mount, config, stored.role)), drift };
  await record(mount, name, recorded, stored.version);
  failpoint("rotate-role:recorded");
  // Not before: where another process has just rotated the role, it looked as if somebody else had.
  if (drift !== null) {
    const { log, mountPath } = context;
    log.warn(drift.text, { mount: mountPath, role: name, connection: recorded.dbName });
  }
  await complete(mount, name, recorded);
}

/** @throws ApiError 400 when somebody else was first. */
async function record(
  { context }: StaticMount,
  name: string,
  role: StaticRole,
  expect: number,
): Promise<void> {
  try {
    await context.storage.commit([putStatic(name, role, expect)]);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    throw underWay(name);
  }
}

/**
 * Takes up a change that was left half done, and completes it.
 * @throws DatabaseError when the database does not do it; the record stays.
 */
export async function settleStatic(
  mount: StaticMount,
  name: string,
  stored: StoredStaticRole,
): Promise<void> {
  const { next } = stored.role;
  if (next === null) return;
  const now = mount.context.clock.now();
  const busyUntil = Math.max(next.busyUntil, now + BUSY_MS);
  const taken: NextPassword = { ...next, busyUntil, takes: next.takes + 1 };
  const role: StaticRole = { ...stored.role, next: taken, notBefore: now + RETRY_MS };
  await record(mount, name, role, stored.version);
  await bringAbout(mount, name, { role, next: taken, othersUntil: next.busyUntil });
}

/** Completes a change that this process has recorded itself. */
export async function complete(mount: StaticMount, name: string, role: StaticRole): Promise<void> {
  if (role.next === null) return;
  await bringAbout(mount, name, { role, next: role.next, othersUntil: 0 });
}

async function bringAbout(mount: StaticMount, name: string, taken: Taken): Promise<void> {
  const { username } = taken.role;
  try {
    await setPassword(mount, taken);
  } catch (error) {
    await noteFailure(mount, name, taken, error, isSurelyRefused(error) ? "refused" : "unknown");
    throw error;
  }
  try {
    failpoint("rotate-role:changed");
    const outcome = await logIn(mount, taken.role, taken.next.password);
    if (outcome === "refused") {
      throw new DatabaseError("auth", `user "${username}" cannot log in with the password that was just set`);
    }
    if (outcome === "barred") {
      mount.context.log.info("a new password could not be proved: its user may not log in", {
        mount: mount.context.mountPath,
        role: name,
        username,
      });
    }
    failpoint("rotate-role:proved");
  } catch (error) {
    await noteFailure(mount, name, taken, error, "set");
    throw error;
  }
  await commitPassword(mount, name, taken);
}

/** Tries to log in as a static role's user. */
export function logIn(
  { connections }: StaticMount,
  { dbName, username }: StaticTerms,
  password: string,
): Promise<LoginOutcome> {
  return connections.verifyLogin(dbName, { username, password });
}

async function setPassword(mount: StaticMount, taken: Taken): Promise<void> {
  const { role, next } = taken;
  const { context, connections } = mount;
  // What was begun is completed, with a connection that was deleted meanwhile too.
  const config = await readConfigForRevocation(context.storage, role.dbName);
  const set = async (plugin: DatabasePlugin): Promise<void> => {
    // Whoever comes late leaves it to others: a later change may have begun.
    if (context.clock.now() + SET_MS_MAX > next.busyUntil) {
      throw new DatabaseError("unreachable", "getting ready took too long; it is tried again");
    }
    await plugin.setPassword(role.username, next.password, role.rotationStatements);
  };
  if (config === null || !isSelfManaged(config)) return connections.use(role.dbName, set);
  const isChanged = (await logIn(mount, role, next.password)) === "accepted";
  const password = isChanged ? next.password : role.password;
  const plugin = await connections.create({
    ...config,
    details: { ...config.details, username: role.username, password },
  });
  try {
    await set(plugin);
  } finally {
    await plugin.close();
  }
}

/**
 * Keeps what went wrong, for whoever reads the role. A change that the server surely refused, and that nobody else took up, leaves
 * nothing to settle; after any other failure `next` stays.
 * @param outcome - Of the change itself: refused for sure, of unknown outcome, or made, and then not proved.
 */
async function noteFailure(
  mount: StaticMount,
  name: string,
  taken: Taken,
  error: unknown,
  outcome: "refused" | "unknown" | "set",
): Promise<void> {
  const { storage, clock } = mount.context;
  const stored = await readStatic(storage, name);
  if (stored === null || stored.role.next?.password !== taken.next.password) return;
  const now = clock.now();
  const isAlone = stored.role.next.takes === taken.next.takes && taken.othersUntil <= now;
  // Where an earlier attempt may have set it, this one's refusal says nothing.
  const isWithdrawn = outcome === "refused" && isAlone && taken.next.takes === 1;
  const busyUntil = outcome === "set" && isAlone ? now : stored.role.next.busyUntil;
  const next = isWithdrawn ? null : { ...stored.role.next, busyUntil };
  const role: StaticRole = { ...withFailure(stored.role, error, now), next };
  await commitUnlessChanged(mount, [putStatic(name, role, stored.version)]);
}

/** The role after an attempt that failed: the next one waits twice as long as it did, up to a quarter of an hour. */
export function withFailure(role: StaticRole, error: unknown, now: number): StaticRole {
  const delayMs = Math.min(RETRY_MS * 2 ** role.failures, RETRY_MS_MAX);
  const failure: Incident = { at: now, text: messageOf(error) };
  return { ...role, failure, failures: role.failures + 1, notBefore: now + delayMs };
}

function isSurelyRefused(error: unknown): boolean {
  return error instanceof DatabaseError && error.kind === "statement";
}

/** Somebody who changed the entry meanwhile knows better. */
export async function commitUnlessChanged(
  { context }: StaticMount,
  writes: readonly EngineWrite[],
): Promise<void> {
  try {
    await context.storage.commit(writes);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
  }
}

/**
 * Makes the password that is proved to be in force the role's, whatever else changed in the role meanwhile. A `next` that is gone
 * or another means that somebody settled this one already.
 */
async function commitPassword(mount: StaticMount, name: string, taken: Taken): Promise<void> {
  const { storage, clock } = mount.context;
  for (;;) {
    const stored = await readStatic(storage, name);
    const next = stored?.role.next ?? null;
    if (stored === null || next === null || next.password !== taken.next.password) return;
    const isAlone = next.takes === taken.next.takes && taken.othersUntil <= clock.now();
    const role = settled(stored.role, next, clock.now(), isAlone ? 0 : next.busyUntil);
    try {
      await storage.commit([putStatic(name, role, stored.version)]);
      failpoint("rotate-role:committed");
      return;
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT")) throw error;
    }
  }
}

function settled(role: StaticRole, next: NextPassword, now: number, busyUntil: number): StaticRole {
  const times = next.isRepair ? {} : { lastRotatedAt: now, rotateAt: nextRotation(role.times, now) };
  return {
    ...role,
    ...times,
    password: next.password,
    next: null,
    busyUntil,
    checkAt: now + CHECK_MS,
    notBefore: 0,
    failure: null,
    failures: 0,
  };
}
