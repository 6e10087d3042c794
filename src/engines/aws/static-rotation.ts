import { GetUserCommand, type IAMClient } from "@aws-sdk/client-iam";
import { badRequest, hasCode } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import { createKey, deleteKey, deleteStrays, KEYS_PER_USER_MAX, listKeys } from "./access-keys.ts";
import { destroyClients } from "./clients.ts";
import { awsRefusal, isMissing } from "./errors.ts";
import type { AwsMount } from "./plan.ts";
import {
  deleteStatic,
  readStatic,
  type StaticRole,
  type StoredStaticRole,
  writeStatic,
} from "./static-role.ts";

/** A rotation that was begun is looked at again after this, should its process be gone. */
const BUSY_MS = 300_000;

/** Works in the account that the role's user is in. */
async function withIam<T>(
  { clients }: AwsMount,
  via: StaticRole["via"],
  work: (iam: IAMClient) => Promise<T>,
): Promise<T> {
  if (via === null) return work((await clients.get()).iam);
  const own = await clients.withRole(via);
  try {
    return await work(own.iam);
  } finally {
    destroyClients(own);
  }
}

/** AWS's id of a user. @throws ApiError 400 `unable to validate username "…": …`. */
async function userIdOf(iam: IAMClient, username: string): Promise<string> {
  try {
    const { User: user } = await iam.send(new GetUserCommand({ UserName: username }));
    return user?.UserId ?? "";
  } catch (error) {
    throw awsRefusal(`unable to validate username "${username}"`, error);
  }
}

/**
 * Takes a user under rotation, and gives it a key.
 * @throws ApiError 400 when AWS refuses; then there is no such role.
 */
export async function addStatic(
  mount: AwsMount,
  name: string,
  terms: Pick<StaticRole, "username" | "rotationPeriodSeconds" | "via">,
): Promise<StaticRole> {
  const { storage, clock } = mount.context;
  const role: StaticRole = {
    ...terms,
    userId: await withIam(mount, terms.via, (iam) => userIdOf(iam, terms.username)),
    accessKey: "",
    secretKey: "",
    intent: null,
    nextRotationAt: clock.now() + BUSY_MS,
  };
  const version = await writeStatic(storage, name, role, 0);
  try {
    return await rotate(mount, name, { role, version });
  } catch (error) {
    const left = await readStatic(storage, name);
    // A key that may have been made is still known by its intent, and due work clears it away.
    if (left !== null && left.role.intent === null) await deleteStatic(storage, name, left.version);
    throw error;
  }
}

/** The due rotation of a static role. */
export async function rotateDueStatic(mount: AwsMount, name: string): Promise<void> {
  const stored = await readStatic(mount.context.storage, name);
  if (stored === null || stored.role.nextRotationAt > mount.context.clock.now()) return;
  await rotate(mount, name, stored);
}

/** @throws ApiError 400 when the user of this name, as the role is reached now, is another one. */
export async function checkUser(mount: AwsMount, { username, userId, via }: StaticRole): Promise<void> {
  const id = await withIam(mount, via, (iam) => userIdOf(iam, username));
  if (id === userId) return;
  const text = `AWS GetUser returned a user, but the ID did not match: "${userId}" was requested, but "${id}" was returned`;
  throw badRequest(text);
}

async function rotate(mount: AwsMount, name: string, stored: StoredStaticRole): Promise<StaticRole> {
  await checkUser(mount, stored.role);
  return withIam(mount, stored.role.via, (iam) => replaceKey(mount, iam, name, stored));
}

async function replaceKey(
  { context: { storage, clock } }: AwsMount,
  iam: IAMClient,
  name: string,
  { role, version }: StoredStaticRole,
): Promise<StaticRole> {
  const { username } = role;
  const what = `unable to rotate the keys of "${username}"`;
  const keysBefore = await makeRoom(iam, role).catch((error: unknown) => {
    throw awsRefusal(what, error);
  });
  const now = clock.now();
  const begun: StaticRole = { ...role, intent: { keysBefore, since: now }, nextRotationAt: now + BUSY_MS };
  const begunVersion = await writeStatic(storage, name, begun, version);
  failpoint("aws-static:recorded");
  const keys = await createKey(iam, username).catch((error: unknown) => {
    throw awsRefusal(what, error);
  });
  failpoint("aws-static:key-created");
  const nextRotationAt = clock.now() + role.rotationPeriodSeconds * 1000;
  const done: StaticRole = { ...role, ...keys, intent: null, nextRotationAt };
  try {
    await writeStatic(storage, name, done, begunVersion);
  } catch (error) {
    // Without an entry nobody would ever know the key.
    if (hasCode(error, "STORE_CONFLICT")) await deleteKey(iam, username, keys.accessKey);
    throw error;
  }
  failpoint("aws-static:stored");
  return done;
}

/**
 * Clears away a key that an earlier rotation made and lost, and where there are two the older one; never the one that callers
 * are given. @returns The ids of the keys that stay.
 */
async function makeRoom(
  iam: IAMClient,
  { username, accessKey, intent }: StaticRole,
): Promise<readonly string[]> {
  if (intent !== null) await deleteStrays(iam, username, intent);
  const keys = await listKeys(iam, username);
  const ids = keys.flatMap(({ AccessKeyId: id }) => (id === undefined ? [] : [id]));
  if (ids.length < KEYS_PER_USER_MAX) return ids;
  const doomed = ids.find((id) => id !== accessKey);
  if (doomed !== undefined) await deleteKey(iam, username, doomed);
  return ids.filter((id) => id !== doomed);
}

/** Deletes the key and the role. The user stays, as it was there before. @throws ApiError 400 when AWS refuses. */
export async function removeStatic(mount: AwsMount, name: string): Promise<void> {
  const { storage } = mount.context;
  const stored = await readStatic(storage, name);
  if (stored === null) return;
  const { username, accessKey, intent, via } = stored.role;
  try {
    await withIam(mount, via, async (iam) => {
      if (intent !== null) await deleteStrays(iam, username, intent);
      if (accessKey !== "") await deleteKey(iam, username, accessKey);
    });
  } catch (error) {
    // A user that is gone has no keys.
    if (!isMissing(error)) throw awsRefusal(`unable to delete the keys of "${username}"`, error);
  }
  failpoint("aws-static:key-deleted");
  await deleteStatic(storage, name, stored.version);
}
