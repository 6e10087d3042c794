import { ApiError, aggregate, badRequest, hasCode, messageOf } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import type { JsonObject } from "../../base/json.ts";
import type { MountContext } from "../../framework/backend.ts";
import { isInWindow, nextRootRotation } from "../../framework/rotation.ts";
import type { EngineWrite } from "../../framework/storage.ts";
import {
  type ConnectionConfig,
  checkConfig,
  detail,
  putConfig,
  readConfig,
  type StoredConfig,
} from "./config.ts";
import type { Connections } from "./connections.ts";
import { newPassword as makePassword } from "./new-credential.ts";
import { DatabaseError, type DatabasePlugin } from "./plugin.ts";
import { hasPassword } from "./url-password.ts";

/**
 * Rotating the administrator's password, so that at no instant the password in force is unknown:
 *
 *     record {new} committed ─▶ password changed on the server ─▶ login with it proved ─▶ config with it committed, record gone
 *
 * While the record stands, either password may be in force. Whoever finds it (the next use that is refused a login, or due
 * work) settles it, always forwards: with the old password it changes to the recorded new one, which is the same change
 * that the first process may still be making, so two of them cannot lock each other out.
 *
 * Only the next rotation could: a slow settler would bring this one's password back. So where more than one process took
 * this rotation up, its record stays behind as settled, and no other one begins until the slowest of them must have ended.
 */
interface RotationRecord {
  readonly username: string;
  readonly newPassword: string;
  /** Until then somebody may be at work on it. Milliseconds since the epoch. */
  readonly busyUntil: number;
  /** The configuration has the password; there is nothing left to do but wait for who may still be at work. */
  readonly isSettled: boolean;
}

/** The longest that settling takes: a login refused, a login, a change, a proof. */
const BUSY_MS = 180_000;

const RECORDS = "root-rotation/";
const SETTLE_AFTER_MS = 60_000;

/** The key of an engine's due entry is a rotation's: its connection's name. Null: it is not. */
export function rotationOf(key: string): string | null {
  return key.startsWith(RECORDS) ? key.slice(RECORDS.length) : null;
}

/**
 * Gives the administrator of a connection a new password that nobody knows.
 * @throws ApiError 400 with Vault's texts; 500 `failed to update user: …`.
 */
export async function rotateRoot(
  context: MountContext,
  connections: Connections,
  name: string,
): Promise<void> {
  await requireConfig(context, name);
  await refuseBusy(context, name);
  await settleRotation(context, connections, name).catch(refuse);
  // Read after the settling, which changes the password.
  const stored = await requireConfig(context, name);
  const username = requireRootLogin(stored.config);
  const busyUntil = context.clock.now() + BUSY_MS;
  const newPassword = await makePassword(context, stored.config.passwordPolicy);
  const record: RotationRecord = { username, newPassword, busyUntil, isSettled: false };
  const version = await begin(context, name, record, stored);
  failpoint("rotate-root:recorded");
  try {
    await setTo(connections, stored.config, record);
  } catch (error) {
    await withdraw(context, name, version, error);
    refuse(error);
  }
  failpoint("rotate-root:changed");
  // From here on the new password is in force, whatever the proof says: the record stays until it is stored.
  const renewed = withPassword(stored.config, record.newPassword);
  await withPlugin(connections, renewed, (plugin) => plugin.verify()).catch(refuse);
  failpoint("rotate-root:proved");
  await commitPassword(context, connections, name, { record, version, othersUntil: 0 });
}

/** The administrator's name. @throws ApiError 400 with Vault's texts where there is none whose password could be rotated. */
export function requireRootLogin({ details }: ConnectionConfig): string {
  const username = detail(details, "username");
  if (username === "") throw badRequest("unable to rotate root credentials: no username in configuration");
  if (detail(details, "password") === "") {
    throw badRequest("unable to rotate root credentials: no password in configuration");
  }
  // A new one would be set, and never be used.
  if (hasPassword(detail(details, "connection_url"))) {
    throw badRequest(
      "unable to rotate root credentials: connection_url has a password of its own; put {{password}} in its place",
    );
  }
  return username;
}

/**
 * The rotation of an administrator's password that its connection's times ask for. One that could not be done in its window
 * waits for the next time.
 * @throws whatever {@link rotateRoot} throws; then it is still due.
 */
export async function rotateDueRoot(
  context: MountContext,
  connections: Connections,
  name: string,
): Promise<void> {
  const stored = await readConfig(context.storage, name);
  const now = context.clock.now();
  if (stored === null || stored.config.rotateAt === null || stored.config.rotateAt > now) return;
  // One that is under way is due on its own account, and moves the next one.
  if ((await context.storage.get(RECORDS + name)) !== null) return;
  const { rootRotation, rotateAt } = stored.config;
  if (isInWindow(rootRotation, rotateAt, now)) {
    await rotateRoot(context, connections, name);
    context.log.info("the root credentials were rotated", { mount: context.mountPath, connection: name });
    return;
  }
  const next = { ...stored.config, rotateAt: nextRootRotation(rootRotation, now) };
  await context.storage.commit([putConfig(name, next, stored.version)]);
  context.log.warn("a root rotation was not possible in its window; it waits for the next time", {
    mount: context.mountPath,
    connection: name,
  });
}

/** @throws ApiError 500 `failed to update user: …`. */
function refuse(error: unknown): never {
  if (error instanceof ApiError) throw error;
  throw new ApiError(500, aggregate(`failed to update user: ${messageOf(error)}`), { cause: error });
}

async function requireConfig(context: MountContext, name: string): Promise<StoredConfig> {
  const stored = await readConfig(context.storage, name);
  if (stored === null) throw badRequest(`failed to find entry for connection with name: "${name}"`);
  return stored;
}

/**
 * Records the intent, provided that the configuration is still the one that was read: one that was deleted meanwhile
 * would leave the record without anybody to settle it.
 * @returns The record's version.
 */
async function begin(
  context: MountContext,
  name: string,
  record: RotationRecord,
  stored: StoredConfig,
): Promise<number> {
  try {
    return await putRecord(context, name, record, 0, [checkConfig(name, stored.version)]);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    throw underWay(name);
  }
}

/** A rotation that somebody may be at work on is left to it: to settle it here would only be in its way. */
async function refuseBusy(context: MountContext, name: string): Promise<void> {
  const entry = await context.storage.get(RECORDS + name);
  if (entry === null) return;
  const { busyUntil } = entry.value as unknown as RotationRecord;
  if (busyUntil > context.clock.now()) throw underWay(name);
}

function underWay(name: string): ApiError {
  const text = `a rotation of the root credentials of "${name}" is under way; try again in a few minutes`;
  return badRequest(text);
}

async function putRecord(
  context: MountContext,
  name: string,
  record: RotationRecord,
  expect: number,
  checks: readonly EngineWrite[] = [],
): Promise<number> {
  const dueAt = record.isSettled ? record.busyUntil : context.clock.now() + SETTLE_AFTER_MS;
  const value = record as unknown as JsonObject;
  const key = RECORDS + name;
  const [version] = await context.storage.commit([{ op: "put", key, value, dueAt, expect }, ...checks]);
  return version ?? 0;
}

/**
 * A change that the server surely refused leaves nothing to settle; after any other failure the record stays, and so it
 * does when somebody else has taken it up (its version is another then).
 */
async function withdraw(context: MountContext, name: string, version: number, error: unknown): Promise<void> {
  if (!(error instanceof DatabaseError) || error.kind !== "statement") return;
  try {
    await context.storage.commit([{ op: "delete", key: RECORDS + name, expect: version }]);
  } catch (conflict) {
    if (!hasCode(conflict, "STORE_CONFLICT")) throw conflict;
  }
}

/**
 * Settles a rotation that was left half done.
 * @returns False when there was none to do anything about.
 * @throws DatabaseError when neither password logs in, or the server does not answer; the record stays.
 */
export async function settleRotation(
  context: MountContext,
  connections: Connections,
  name: string,
): Promise<boolean> {
  const entry = await context.storage.get(RECORDS + name);
  if (entry === null) return false;
  const found = entry.value as unknown as RotationRecord;
  const now = context.clock.now();
  if (found.isSettled) {
    if (found.busyUntil > now) return true;
    await context.storage.commit([{ op: "delete", key: RECORDS + name, expect: entry.version }]);
    return false;
  }
  const record: RotationRecord = { ...found, busyUntil: Math.max(found.busyUntil, now + BUSY_MS) };
  const version = await putRecord(context, name, record, entry.version);
  const { config } = await requireConfig(context, name);
  const renewed = withPassword(config, record.newPassword);
  // Where the server asks for no password at all a login proves nothing, so the change is made (again) in either case.
  const inForce = (await logsIn(connections, renewed)) ? renewed : config;
  await setTo(connections, inForce, record);
  await withPlugin(connections, renewed, (plugin) => plugin.verify());
  await commitPassword(context, connections, name, { record, version, othersUntil: found.busyUntil });
  return true;
}

function withPassword(config: ConnectionConfig, password: string): ConnectionConfig {
  return { ...config, details: { ...config.details, password } };
}

async function setTo(
  connections: Connections,
  config: ConnectionConfig,
  record: RotationRecord,
): Promise<void> {
  await withPlugin(connections, config, (plugin) =>
    plugin.setPassword(record.username, record.newPassword, config.rootRotationStatements),
  );
}

/** False: the server refused the login. @throws DatabaseError when it could not be asked. */
async function logsIn(connections: Connections, config: ConnectionConfig): Promise<boolean> {
  try {
    await withPlugin(connections, config, (plugin) => plugin.verify());
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.kind === "auth") return false;
    throw error;
  }
}

async function withPlugin(
  connections: Connections,
  config: ConnectionConfig,
  work: (plugin: DatabasePlugin) => Promise<void>,
): Promise<void> {
  const plugin = await connections.create(config);
  try {
    await work(plugin);
  } finally {
    await plugin.close();
  }
}

/** A rotation whose password is proved to be in force. */
interface Settled {
  readonly record: RotationRecord;
  /** The record's version as this process wrote it. */
  readonly version: number;
  /** Until when others may be at work on it. Milliseconds since the epoch. */
  readonly othersUntil: number;
}

/** A precondition: no rotation of this connection is under way. */
export function checkNoRotation(name: string): EngineWrite {
  return { op: "check", key: RECORDS + name, expect: 0 };
}

/**
 * Stores the password in force and forgets the record, in one commit, whatever else changed in the configuration meanwhile.
 * A record that is gone, settled, or another rotation's, means that somebody settled this one already: then there is nothing
 * to do, and to touch what a later rotation has written would lose its password.
 */
async function commitPassword(
  context: MountContext,
  connections: Connections,
  name: string,
  { record, version: ownVersion, othersUntil }: Settled,
): Promise<void> {
  for (;;) {
    const { config, version } = await requireConfig(context, name);
    const entry = await context.storage.get(RECORDS + name);
    const present = entry?.value as unknown as RotationRecord | undefined;
    if (entry === null || present?.newPassword !== record.newPassword || present.isSettled) return;
    const isAlone = entry.version === ownVersion && othersUntil <= context.clock.now();
    const key = RECORDS + name;
    const value = { ...present, isSettled: true };
    const end: EngineWrite = isAlone
      ? { op: "delete", key, expect: entry.version }
      : { op: "put", key, value, dueAt: present.busyUntil, expect: entry.version };
    const rotateAt = nextRootRotation(config.rootRotation, context.clock.now());
    const renewed = { ...withPassword(config, record.newPassword), rotateAt };
    try {
      await context.storage.commit([putConfig(name, renewed, version), end]);
      failpoint("rotate-root:committed");
      await connections.close(name);
      return;
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT")) throw error;
    }
  }
}
