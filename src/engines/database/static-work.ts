import { ApiError, aggregate, badRequest, hasCode, messageOf } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import { isInWindow, nextRotation } from "../../framework/rotation.ts";
import { type ConnectionConfig, detail, isSelfManaged } from "./config.ts";
import { DatabaseError } from "./plugin.ts";
import {
  claimUser,
  deleteStatic,
  type Incident,
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
  change,
  commitUnlessChanged,
  complete,
  configFor,
  logIn,
  RETRY_MS,
  recordNext,
  refuseBusy,
  type StaticMount,
  settleStatic,
} from "./static-rotation.ts";

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
    drift: null,
  };
  const role = terms.skipsImportRotation ? fresh : await recordNext(mount, config, fresh);
  const version = await store(mount, name, role);
  if (role.next === null) return;
  failpoint("static-role:recorded");
  try {
    await complete(mount, name, role, version);
  } catch (error) {
    await forgetRefused(mount, name);
    throw settingFailed(error);
  }
}

/** All that can be found out before anything is recorded. */
async function prepare(
  mount: StaticMount,
  name: string,
  terms: StaticTerms,
  password: string,
): Promise<ConnectionConfig> {
  const config = await configFor(mount, name, terms).catch((error: unknown) => {
    throw error instanceof DatabaseError
      ? new ApiError(500, aggregate(error.message), { cause: error })
      : error;
  });
  await refuseManaged(mount, terms, config);
  const selfManaged = isSelfManaged(config);
  if (selfManaged && password === "") {
    throw badRequest("password is required: the users of this connection change their passwords themselves");
  }
  try {
    if (!selfManaged) await mount.connections.use(terms.dbName, (plugin) => plugin.verify());
    if (password !== "" && (await logIn(mount, terms, password)) === "refused") {
      throw badRequest(`the given password does not log in as "${terms.username}"`);
    }
  } catch (error) {
    throw settingFailed(error);
  }
  return config;
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

async function store({ context }: StaticMount, name: string, role: StaticRole): Promise<number> {
  try {
    const [version] = await context.storage.commit([putStatic(name, role, 0), claimUser(name, role)]);
    return version ?? 0;
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    throw new ApiError(
      409,
      `static role "${name}" was made by somebody else meanwhile; look at it and try again`,
    );
  }
}

/** A role whose first password was refused is none: nothing was changed, and nothing is known of its user. */
async function forgetRefused(mount: StaticMount, name: string): Promise<void> {
  const stored = await readStatic(mount.context.storage, name);
  if (stored === null || stored.role.next !== null || stored.role.lastRotatedAt !== null) return;
  await commitUnlessChanged(mount, [deleteStatic(name, stored.version), releaseUser(stored.role)]);
}

function settingFailed(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(500, aggregate(`error setting credentials: ${messageOf(error)}`), { cause: error });
}

/** Forgets a role; the user stays as it is. @throws ApiError 400 while somebody may be changing its password. */
export async function release({ context }: StaticMount, name: string): Promise<void> {
  const stored = await readStatic(context.storage, name);
  if (stored === null) return;
  refuseBusy(name, stored.role, context.clock.now());
  await context.storage.commit([deleteStatic(name, stored.version), releaseUser(stored.role)]);
}

/**
 * Rotates a static role's password now.
 * @throws ApiError 400 when there is no such role or a rotation is under way; 500 with Vault's text for a failure.
 */
export async function rotateNow(mount: StaticMount, name: string): Promise<void> {
  const found = await readStatic(mount.context.storage, name);
  if (found === null) throw badRequest("no static role found for role name");
  refuseBusy(name, found.role, mount.context.clock.now());
  try {
    await settleStatic(mount, name, found);
    const stored = await readStatic(mount.context.storage, name);
    if (stored === null) return;
    // The settling may have been one that others took part in.
    refuseBusy(name, stored.role, mount.context.clock.now());
    await rotate(mount, name, stored);
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) throw error;
    const text =
      "unable to finish rotating credentials; retries will continue in the background but it is also safe to retry manually: ";
    throw new ApiError(500, aggregate(text + messageOf(error)), { cause: error });
  }
}

/** Replaces the password, having looked whether the present one still logs in. */
async function rotate(mount: StaticMount, name: string, stored: StoredStaticRole): Promise<void> {
  try {
    const drift = await findDrift(mount, name, stored.role);
    await change(mount, name, stored, { isRepair: false, drift });
  } catch (error) {
    const { clock } = mount.context;
    const failure: Incident = { at: clock.now(), text: messageOf(error) };
    const role: StaticRole = { ...stored.role, failure, notBefore: clock.now() + RETRY_MS };
    // Once the change was recorded its own failure is, and this one finds another version.
    await commitUnlessChanged(mount, [putStatic(name, role, stored.version)]);
    throw error;
  }
}

/** Whether somebody else changed the password: it is reported here, and the change that follows repairs it. */
async function findDrift(mount: StaticMount, name: string, role: StaticRole): Promise<Incident | null> {
  if (role.password === "" || (await logIn(mount, role, role.password)) !== "refused") return null;
  const { log, clock, mountPath } = mount.context;
  const text = `the password of user "${role.username}" was changed outside of vsec`;
  log.warn(text, { mount: mountPath, role: name, connection: role.dbName });
  return { at: clock.now(), text };
}

/**
 * What is due of a static role: a change that was left half done, a rotation, or a look whether its password still logs in.
 * @throws DatabaseError, ApiError when it did not work; the role is due again.
 */
export async function doDueStatic(mount: StaticMount, name: string): Promise<void> {
  const { storage, clock } = mount.context;
  const stored = await readStatic(storage, name);
  if (stored === null) return;
  const { role } = stored;
  const now = clock.now();
  if (role.next !== null) await settleStatic(mount, name, stored);
  else if (role.rotateAt !== null && role.rotateAt <= now)
    await rotateDue(mount, name, stored, role.rotateAt);
  else if (role.checkAt <= now) await check(mount, name, stored);
}

async function rotateDue(
  mount: StaticMount,
  name: string,
  stored: StoredStaticRole,
  rotateAt: number,
): Promise<void> {
  const { clock, log, mountPath } = mount.context;
  const { role, version } = stored;
  if (isInWindow(role.times, rotateAt, clock.now())) {
    await rotate(mount, name, stored);
    log.info("a static role was rotated", { mount: mountPath, role: name });
    return;
  }
  const text = "the rotation was not possible in its window; it waits for the next time";
  log.warn(text, { mount: mountPath, role: name });
  const failure: Incident = role.failure ?? { at: clock.now(), text };
  const next: StaticRole = {
    ...role,
    failure,
    rotateAt: nextRotation(role.times, clock.now()),
    notBefore: 0,
  };
  await commitUnlessChanged(mount, [putStatic(name, next, version)]);
}

/** Puts our password back where somebody changed it: whoever reads it must be able to log in. */
async function check(mount: StaticMount, name: string, stored: StoredStaticRole): Promise<void> {
  const { clock, log, mountPath } = mount.context;
  let drift: Incident | null = null;
  try {
    drift = await findDrift(mount, name, stored.role);
  } catch (error) {
    // A database that is away has not changed its passwords. The next rotation will tell if it stays away.
    log.warn("a static role could not be checked", { mount: mountPath, role: name, error: messageOf(error) });
  }
  if (drift !== null) return change(mount, name, stored, { isRepair: true, drift });
  const role: StaticRole = { ...stored.role, checkAt: clock.now() + CHECK_MS };
  await commitUnlessChanged(mount, [putStatic(name, role, stored.version)]);
}
