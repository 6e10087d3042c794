/**
 * The user of a preflight on a server that takes nothing back. Before it is made there is an entry in the store that is due some
 * minutes later, and whose due work drops it. The entry goes when the preflight has seen the user to be gone, or due work has twice.
 * Killed at any instant, nobody is left.
 */

import { hasCode, messageOf } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { MountContext } from "../../framework/backend.ts";
import type { EngineStorage, EngineWrite } from "../../framework/storage.ts";
import type { Connections } from "./connections.ts";
import { DatabaseError } from "./plugin.ts";

/** Who was made, or may have been. */
export interface ProbeUser {
  readonly connection: string;
  readonly username: string;
  /** Of the role that is tried; empty: the plugin's own plan is enough. */
  readonly revocationStatements: readonly string[];
}

/** What is stored of it. */
export interface ProbeRecord extends ProbeUser {
  /** Until then somebody may still be making the user. Milliseconds since the epoch. */
  readonly busyUntil: number;
  /** It was dropped once, and is looked at once more. */
  readonly isSecondLook: boolean;
  /** How often its end has failed. */
  readonly failures: number;
}

const PROBES = "probe-users/";
/** Longer than a creation can take, on the server too, and than the preflight that goes on after it. */
const DROP_AFTER_MS = 180_000;
const RETRY_MS_FIRST = 60_000;
const RETRY_MS_MAX = 3_600_000;

function keyOf({ connection, username }: Pick<ProbeUser, "connection" | "username">): string {
  return `${PROBES}${encodeURIComponent(connection)}/${encodeURIComponent(username)}`;
}

/** Whether an engine's entry has this key because of a preflight's user. */
export function isProbeKey(key: string): boolean {
  return key.startsWith(PROBES);
}

function putRecord(record: ProbeRecord, dueAt: number, expect: number): EngineWrite {
  return { op: "put", key: keyOf(record), value: record as unknown as JsonObject, dueAt, expect };
}

/** To be called before the user is made. @throws ApiError 404 for a mount that goes. */
export async function recordProbe({ storage, clock }: MountContext, probe: ProbeUser): Promise<void> {
  const busyUntil = clock.now() + DROP_AFTER_MS;
  const record: ProbeRecord = { ...probe, busyUntil, isSecondLook: false, failures: 0 };
  await storage.commitWhileMounted([putRecord(record, busyUntil, 0)]);
}

/** To be called when the user is seen to be gone, and nobody can still be making it. */
export async function forgetProbe(storage: EngineStorage, probe: ProbeUser): Promise<void> {
  await storage.commit([{ op: "delete", key: keyOf(probe) }]);
}

/** Whether a user is a preflight's that is under way, or whose end is due. */
export async function isProbe(
  storage: EngineStorage,
  connection: string,
  username: string,
): Promise<boolean> {
  return (await storage.get(keyOf({ connection, username }))) !== null;
}

/**
 * Makes a preflight's user gone: by the role's statements, where it was a role's, and in any case by the plugin's own plan, which
 * looks whether it is. Doing it again is harmless.
 * @returns What was refused on the way, though the user is gone. @throws Error when the user is not gone, or the server does not answer.
 */
export async function dropProbe(
  revoke: (users: Parameters<Connections["revoke"]>[1]) => ReturnType<Connections["revoke"]>,
  { username, revocationStatements }: ProbeUser,
): Promise<Error | null> {
  const isCustom = revocationStatements.length > 0;
  const [refusal = null] = isCustom ? await revoke([{ username, revocationStatements }]) : [];
  const [failure = null] = await revoke([{ username, revocationStatements: [] }]);
  if (failure !== null) throw failure;
  return refusal;
}

/**
 * Due work: drops the user of a preflight that did not come to its end. Who was making it may have been suspended, or what it had
 * sent may still be on its way: so there is a second look after all of a creation's time.
 * @throws DatabaseError naming the user, when it is not gone; it is due again, ever more slowly.
 */
export async function dropDueProbe(
  context: MountContext,
  connections: Connections,
  key: string,
): Promise<void> {
  const { storage, clock, log, mountPath } = context;
  const entry = await storage.get(key);
  if (entry === null) return;
  const record = entry.value as unknown as ProbeRecord;
  const { connection, username, failures, isSecondLook } = record;
  try {
    await dropProbe((users) => connections.revoke(connection, users), record);
  } catch (error) {
    const pauseMs = Math.min(RETRY_MS_FIRST * 2 ** failures, RETRY_MS_MAX);
    const next = { ...record, failures: failures + 1 };
    await unlessChanged(storage, putRecord(next, clock.now() + pauseMs, entry.version));
    const text = `user "${username}" of a preflight, connection "${connection}": ${messageOf(error)}`;
    throw new DatabaseError("statement", text, { cause: error });
  }
  const busyUntil = clock.now() + DROP_AFTER_MS;
  const next = { ...record, busyUntil, isSecondLook: true };
  await unlessChanged(
    storage,
    isSecondLook ? { op: "delete", key, expect: entry.version } : putRecord(next, busyUntil, entry.version),
  );
  if (isSecondLook) return;
  log.info("the user of a preflight was dropped", { mount: mountPath, connection, user: username });
}

/** Where the preflight came to its end after all, or somebody else has looked, theirs is what counts. */
async function unlessChanged(storage: EngineStorage, write: EngineWrite): Promise<void> {
  try {
    await storage.commit([write]);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
  }
}

/** Whether none is left. Each is due by itself: to drop it for a mount that goes as well would do the same work twice. */
export async function areProbesGone(storage: EngineStorage): Promise<boolean> {
  return (await storage.list(PROBES)).length === 0;
}
