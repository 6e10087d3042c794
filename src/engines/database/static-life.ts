import { ApiError, badRequest, hasCode } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import { nextRotation } from "../../framework/rotation.ts";
import { type ConnectionConfig, detail, isSelfManaged } from "./config.ts";
import { refusal, refusing } from "./refusal.ts";
import {
  claimUser,
  deleteStatic,
  managerOf,
  putStatic,
  readStatic,
  releaseUser,
  type StaticRole,
  type StaticTerms,
  type StoredStaticRole,
} from "./static-role.ts";
import {
  CHECK_MS,
  commitUnlessChanged,
  complete,
  configFor,
  logIn,
  recordNext,
  refuseBusy,
  type StaticMount,
} from "./static-rotation.ts";

const SETTING = "error setting credentials";

/**
 * Takes a user under rotation. Its password is replaced at once, unless the terms say that it stays.
 * @param password - The present one, where it is known; "" else.
 * @throws ApiError with Vault's texts. When the database surely refused, there is no such role; after a failure of unknown outcome
 *   the role stays, and is completed by due work.
 */
export async function adopt(
  mount: StaticMount,
  name: string,
  terms: StaticTerms,
  password: string,
): Promise<void> {
  const config = await prepare(mount, name, terms, password);
  const now = mount.context.clock.now();
  const fresh: StaticRole = {
    ...terms,
    v: 1,
    password,
    next: null,
    busyUntil: 0,
    lastRotatedAt: null,
    rotateAt: nextRotation(terms.times, now),
    checkAt: now + CHECK_MS,
    notBefore: 0,
    failure: null,
    failures: 0,
    drift: null,
  };
  const role = terms.skipsImportRotation
    ? fresh
    : await refusing(SETTING, () => recordNext(mount, config, fresh));
  await store(mount, name, role);
  if (role.next === null) return;
  failpoint("static-role:recorded");
  try {
    await complete(mount, name, role);
  } catch (error) {
    await forgetRefused(mount, name);
    throw refusal(SETTING, error);
  }
}

/** All that can be found out before anything is recorded. */
async function prepare(
  mount: StaticMount,
  name: string,
  terms: StaticTerms,
  password: string,
): Promise<ConnectionConfig> {
  const config = await refusing(SETTING, () => configFor(mount, name, terms));
  await refuseManaged(mount, terms, config);
  const selfManaged = isSelfManaged(config);
  if (selfManaged && password === "") {
    throw badRequest("password is required: the users of this connection change their passwords themselves");
  }
  try {
    if (!selfManaged) await mount.connections.use(terms.dbName, (plugin) => plugin.verify());
    if (password !== "") await requireLogin(mount, terms, password);
  } catch (error) {
    throw refusal(SETTING, error);
  }
  return config;
}

/** @throws ApiError 400 for a password that is not the present one. */
async function requireLogin(mount: StaticMount, terms: StaticTerms, password: string): Promise<void> {
  if ((await logIn(mount, terms, password)) !== "refused") return;
  throw badRequest(`the given password does not log in as "${terms.username}"`);
}

/** Two that rotate one password would undo each other's work for ever. */
async function refuseManaged(
  { context }: StaticMount,
  { dbName, username }: StaticTerms,
  config: ConnectionConfig,
): Promise<void> {
  if (detail(config.details, "username") === username) {
    throw badRequest(`"${username}" is the connection's own administrator; use rotate-root/${dbName} for it`);
  }
  const manager = await managerOf(context.storage, dbName, username);
  if (manager !== null) throw badRequest(`user "${username}" is managed by static role "${manager}" already`);
}

async function store({ context }: StaticMount, name: string, role: StaticRole): Promise<void> {
  try {
    await context.storage.commit([putStatic(name, role, 0), claimUser(name, role)]);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    throw changedMeanwhile(name, error);
  }
}

/** A role whose first password was refused is none: nothing was changed, and nothing is known of its user. */
async function forgetRefused(mount: StaticMount, name: string): Promise<void> {
  const stored = await readStatic(mount.context.storage, name);
  if (stored === null || stored.role.next !== null || stored.role.lastRotatedAt !== null) return;
  await commitUnlessChanged(mount, [deleteStatic(name, stored.version), releaseUser(stored.role)]);
}

/** Forgets a role; the user stays as it is. @throws ApiError 400 while somebody may be changing its password. */
export async function release({ context }: StaticMount, name: string): Promise<void> {
  const stored = await readStatic(context.storage, name);
  if (stored === null) return;
  refuseBusy(name, stored.role, context.clock.now());
  await context.storage.commit([deleteStatic(name, stored.version), releaseUser(stored.role)]);
}

/**
 * Changes a role's terms. A password that is given with them, and one that moves to another connection, has to log in.
 * @throws ApiError 400; 409 after a lost race.
 */
export async function revise(
  mount: StaticMount,
  name: string,
  { role, version }: StoredStaticRole,
  terms: StaticTerms,
  password: string,
): Promise<void> {
  const { storage, clock } = mount.context;
  const isMoved = terms.dbName !== role.dbName;
  if (isMoved || password !== "") refuseBusy(name, role, clock.now());
  if (isMoved && role.next !== null) {
    throw badRequest(
      `a rotation of static role "${name}" is half done; finish it with rotate-role/${name} first`,
    );
  }
  const present = password || role.password;
  await refusing(SETTING, async () => {
    const isOtherType = terms.credentialType !== role.credentialType;
    const config = isMoved || isOtherType ? await configFor(mount, name, terms) : null;
    if (isMoved && config !== null) await refuseManaged(mount, terms, config);
    if (present !== "" && (isMoved || password !== "")) await requireLogin(mount, terms, present);
  });
  const isSame = JSON.stringify(terms.times) === JSON.stringify(role.times);
  // A period counts from the last rotation, a schedule from now.
  const since = terms.times.schedule === "" ? (role.lastRotatedAt ?? clock.now()) : clock.now();
  const rotateAt = isSame ? role.rotateAt : nextRotation(terms.times, since);
  const next: StaticRole = { ...role, ...terms, rotateAt, password: present };
  const moves = isMoved ? [releaseUser(role), claimUser(name, terms)] : [];
  try {
    await storage.commit([putStatic(name, next, version), ...moves]);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    throw changedMeanwhile(name, error);
  }
}

function changedMeanwhile(name: string, cause: unknown): ApiError {
  const text = `static role "${name}" was changed by somebody else meanwhile; look at it and try again`;
  return new ApiError(409, text, { cause });
}
