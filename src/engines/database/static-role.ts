import type { JsonObject } from "../../base/json.ts";
import type { RotationTimes } from "../../framework/rotation.ts";
import type { EngineStorage, EngineWrite } from "../../framework/storage.ts";
import type { CredentialConfig } from "./credential-type.ts";

/** What people say about a static role: a user that exists, and when its password is replaced. */
export interface StaticTerms {
  readonly dbName: string;
  readonly username: string;
  readonly rotationStatements: readonly string[];
  readonly times: RotationTimes;
  readonly credentialType: string;
  readonly credentialConfig: CredentialConfig;
  readonly skipsImportRotation: boolean;
}

/** A password that was recorded to be set, and may or may not be in force. */
export interface NextPassword {
  readonly password: string;
  /** Until then somebody may be at work on it. Milliseconds since the epoch. */
  readonly busyUntil: number;
  /** How many processes took it up. */
  readonly takes: number;
  /** The user's password was changed outside; this puts ours back, and is no rotation. */
  readonly isRepair: boolean;
}

/** Something worth telling who reads the credential. Times are milliseconds since the epoch. */
export interface Incident {
  readonly at: number;
  readonly text: string;
}

/**
 * A static role as it is stored. The password that logs in is `password`, or, while `next` stands, either of the two. Times are
 * milliseconds since the epoch. The entry is due when the next of its times comes.
 */
export interface StaticRole extends StaticTerms {
  readonly v: 1;
  /** "": not known, before the first rotation of a role that was taken over without one. */
  readonly password: string;
  readonly next: NextPassword | null;
  /** Until then somebody slow may still be setting a password that is settled: no other one is begun. */
  readonly busyUntil: number;
  readonly lastRotatedAt: number | null;
  /** Null: never. */
  readonly rotateAt: number | null;
  /** When it is looked at whether the password still logs in. */
  readonly checkAt: number;
  /** After a failure, and while a change is half done: when it is looked at again; 0: no such thing. */
  readonly notBefore: number;
  /** Of the last attempt, until one succeeds. */
  readonly failure: Incident | null;
  /** How many attempts have failed since one succeeded. */
  readonly failures: number;
  /** A change from outside that was found and repaired, until the next rotation. */
  readonly drift: Incident | null;
}

export interface StoredStaticRole {
  readonly role: StaticRole;
  readonly version: number;
}

export const NAME_TAKEN = "Role and Static Role names must be unique";

const ROLES = "static-roles/";
/** By connection and user: the role that manages it. */
const USERS = "static-users/";

/** The name of the role whose entry has this key. Null: it is no static role's. */
export function staticNameOf(key: string): string | null {
  return key.startsWith(ROLES) ? key.slice(ROLES.length) : null;
}

/** Null: no such role. */
export async function readStatic(storage: EngineStorage, name: string): Promise<StoredStaticRole | null> {
  const entry = await storage.get(ROLES + name);
  return entry === null ? null : { role: entry.value as unknown as StaticRole, version: entry.version };
}

/** The write that stores a role. @param expect - The version it replaces; 0: none. */
export function putStatic(name: string, role: StaticRole, expect: number): EngineWrite {
  const value = role as unknown as JsonObject;
  return { op: "put", key: ROLES + name, value, dueAt: dueAtOf(role), expect };
}

function dueAtOf({ next, busyUntil, rotateAt, checkAt, notBefore }: StaticRole): number {
  return next !== null ? notBefore : Math.max(Math.min(rotateAt ?? checkAt, checkAt), notBefore, busyUntil);
}

/** A daemon takes up what is due within a second or two; what is overdue for longer has nobody to look after it. */
const OVERDUE_MS = 10_000;

/**
 * Whether the password is about to be replaced by whoever comes next: a command that shows it would itself, after its answer,
 * make what it has shown useless.
 */
export function isRotationOverdue(
  { next, busyUntil, rotateAt, notBefore }: StaticRole,
  now: number,
): boolean {
  const dueAt =
    next !== null ? notBefore : Math.max(rotateAt ?? Number.POSITIVE_INFINITY, notBefore, busyUntil);
  return dueAt <= now - OVERDUE_MS;
}

export function deleteStatic(name: string, expect: number): EngineWrite {
  return { op: "delete", key: ROLES + name, expect };
}

export function listStatic(storage: EngineStorage): Promise<readonly string[]> {
  return storage.list(ROLES);
}

function userKey(dbName: string, username: string): string {
  return `${USERS}${encodeURIComponent(dbName)}/${encodeURIComponent(username)}`;
}

/** The name of the static role that manages a user. Null: none does. */
export async function managerOf(
  storage: EngineStorage,
  dbName: string,
  username: string,
): Promise<string | null> {
  const entry = await storage.get(userKey(dbName, username));
  return entry === null ? null : String(entry.value.role);
}

/** The names of the static roles whose users are administered with a connection, sorted. */
export async function staticRolesOn(storage: EngineStorage, dbName: string): Promise<readonly string[]> {
  const folder = `${USERS}${encodeURIComponent(dbName)}/`;
  const users = await storage.list(folder);
  const entries = await Promise.all(users.map((user) => storage.get(folder + user)));
  return entries.flatMap((entry) => (entry === null ? [] : [String(entry.value.role)])).sort();
}

/** The write by which a role takes a user under its management; fails where another one has it. */
export function claimUser(role: string, { dbName, username }: StaticTerms): EngineWrite {
  return { op: "put", key: userKey(dbName, username), value: { role }, expect: 0 };
}

export function releaseUser({ dbName, username }: StaticTerms): EngineWrite {
  return { op: "delete", key: userKey(dbName, username) };
}
