import { GetUserCommand, type IAMClient } from "@aws-sdk/client-iam";
import type { Clock } from "../../base/clock.ts";
import { ApiError, badRequest, hasCode } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import { isInWindow, nextRootRotation } from "../../framework/rotation.ts";
import { createKey, deleteKey, deleteStrays, KEYS_PER_USER_MAX, listKeys } from "./access-keys.ts";
import { type AwsKeys, destroyClients } from "./clients.ts";
import { putRoot, ROOT_KEY, readRoot, type StoredRoot } from "./config.ts";
import { awsFailure, awsRefusal, errorName, isRefused } from "./errors.ts";
import type { AwsMount } from "./plan.ts";
import { proveKeys } from "./prove-keys.ts";
import {
  endRotation,
  putRotation,
  type RotationRecord,
  readRotation,
  type StoredRotation,
} from "./root-record.ts";

/**
 * Replacing the root key, so that at no instant the only key that works is one that nobody knows:
 *
 *     intent recorded ─▶ new key made ─▶ recorded ─▶ proved ─▶ configuration has it ─▶ old key deleted ─▶ record gone
 *
 * Whoever finds the record (due work, or the next rotation) goes on from where it stands, forwards. Only a key whose secret
 * was lost with the process that made it is taken back: AWS shows a secret once.
 */

/** Longer than all requests of a rotation, with their repetitions, and its proof. */
const BUSY_MS = 600_000;
const PROOF_MS_MAX = 120_000;
const RETRY_MS = 30_000;

/** So often, with pauses, IAM is asked with a key that it does not know yet. */
const KNOWN_LOOKS_MAX = 15;
const KNOWN_PAUSE_MS = 2000;

/** @returns The new access key id. @throws ApiError 400 with Vault's texts. @see reference: AWS rotate-root. */
export async function rotateRoot(mount: AwsMount): Promise<string> {
  const { storage, clock } = mount.context;
  const underWay = await readRotation(storage);
  if (underWay !== null) {
    if (underWay.record.busyUntil > clock.now()) throw busy();
    await settleRotation(mount);
  }
  const stored = await readRoot(storage);
  const { accessKey, secretKey } = stored.config;
  if (stored.version === 0) throw badRequest("no configuration found for config/root");
  if (accessKey === "" || secretKey === "") {
    throw badRequest("Cannot call config/rotate-root when either access_key or secret_key is empty");
  }
  return withIam(mount, { accessKey, secretKey }, async (iam) => {
    const begun = await begin(mount, iam, stored);
    failpoint("aws-root:recorded");
    const keys = await makeKey(mount, iam, begun);
    failpoint("aws-root:key-created");
    const recorded = await recordKey(mount, iam, begun, keys);
    failpoint("aws-root:key-recorded");
    try {
      await finish(mount, recorded);
    } catch (error) {
      await release(mount, recorded.record);
      throw error;
    }
    return keys.accessKey;
  });
}

function busy(): ApiError {
  return badRequest("a rotation of the root key is under way; try again in a few minutes");
}

/** The key's own clients: it is its user's, whatever role is assumed with it for other work. */
async function withIam<T>(
  { clients }: AwsMount,
  keys: AwsKeys,
  work: (iam: IAMClient) => Promise<T>,
): Promise<T> {
  const own = await clients.withKeys({ accessKey: keys.accessKey, secretKey: keys.secretKey });
  try {
    return await work(own.iam);
  } finally {
    destroyClients(own);
  }
}

async function begin({ context }: AwsMount, iam: IAMClient, stored: StoredRoot): Promise<StoredRotation> {
  const { User: user } = await iam.send(new GetUserCommand({})).catch((error: unknown) => {
    throw awsRefusal("error calling GetUser", error);
  });
  const username = user?.UserName ?? "";
  if (username === "") throw badRequest("error calling GetUser: the access key belongs to no IAM user");
  const keys = await listKeys(iam, username).catch((error: unknown) => {
    throw awsRefusal("error calling ListAccessKeys", error);
  });
  const keysBefore = keys.flatMap(({ AccessKeyId: id }) => (id === undefined ? [] : [id]));
  if (keysBefore.length >= KEYS_PER_USER_MAX) throw tooMany(username, keysBefore, stored.config.accessKey);
  const now = context.clock.now();
  const record: RotationRecord = {
    username,
    oldAccessKey: stored.config.accessKey,
    keysBefore,
    since: now,
    busyUntil: now + BUSY_MS,
    stage: "create",
    newAccessKey: "",
    newSecretKey: "",
  };
  try {
    const check = { op: "check", key: ROOT_KEY, expect: stored.version } as const;
    const [version = 0] = await context.storage.commit([putRotation(record, 0), check]);
    return { record, version };
  } catch (error) {
    throw hasCode(error, "STORE_CONFLICT") ? busy() : error;
  }
}

function tooMany(username: string, keys: readonly string[], own: string): ApiError {
  const others = keys.filter((id) => id !== own).join(", ");
  return badRequest(
    `error calling CreateAccessKey: the IAM user "${username}" has two access keys already, and AWS allows no more; ` +
      `if ${others} is not in use, delete it and try again`,
  );
}

async function makeKey({ context }: AwsMount, iam: IAMClient, begun: StoredRotation): Promise<AwsKeys> {
  const { username, keysBefore, oldAccessKey } = begun.record;
  try {
    return await createKey(iam, username);
  } catch (error) {
    // Nothing was made, so there is nothing to settle. After any other failure the record stays.
    if (isRefused(error)) await context.storage.commit([endRotation(begun.version)]);
    if (isRefused(error) && errorName(error) === "LimitExceeded") {
      throw tooMany(username, keysBefore, oldAccessKey);
    }
    throw awsRefusal("error calling CreateAccessKey", error);
  }
}

async function recordKey(
  { context }: AwsMount,
  iam: IAMClient,
  { record: begun, version }: StoredRotation,
  { accessKey, secretKey }: AwsKeys,
): Promise<StoredRotation> {
  const record: RotationRecord = {
    ...begun,
    stage: "prove",
    newAccessKey: accessKey,
    newSecretKey: secretKey,
  };
  try {
    const [next = 0] = await context.storage.commit([putRotation(record, version)]);
    return { record, version: next };
  } catch (error) {
    // Without a record nobody would ever know the key.
    await deleteKey(iam, begun.username, accessKey).catch(() => undefined);
    throw hasCode(error, "STORE_CONFLICT") ? busy() : error;
  }
}

/** From a recorded key to the end. @throws ApiError; the record stays, and due work goes on. */
async function finish(mount: AwsMount, { record, version }: StoredRotation): Promise<void> {
  const { storage, clock } = mount.context;
  const keys: AwsKeys = { accessKey: record.newAccessKey, secretKey: record.newSecretKey };
  let last = version;
  if (record.stage === "prove") {
    try {
      await proveKeys(mount.clients, keys, clock, clock.now() + PROOF_MS_MAX);
    } catch (error) {
      throw awsRefusal(
        "the new key is not in use yet, the old one still is, and the rotation is gone on with",
        error,
      );
    }
    failpoint("aws-root:proved");
    last = await store(mount, record, version);
    failpoint("aws-root:stored");
  }
  try {
    await withIam(mount, keys, (iam) => deleteOld(iam, record, clock));
  } catch (error) {
    throw awsRefusal("error deleting old access key", error);
  }
  failpoint("aws-root:old-deleted");
  await storage.commit([endRotation(last)]);
}

/** IAM's servers may learn of the new key later than those of STS that proved it. @throws what the SDK throws. */
async function deleteOld(
  iam: IAMClient,
  { username, oldAccessKey }: RotationRecord,
  clock: Clock,
): Promise<void> {
  for (let look = 1; ; look += 1) {
    try {
      return await deleteKey(iam, username, oldAccessKey);
    } catch (error) {
      if (errorName(error) !== "InvalidClientTokenId" || look === KNOWN_LOOKS_MAX) throw error;
      await clock.sleep(KNOWN_PAUSE_MS);
    }
  }
}

/** Puts the new key into the configuration, whatever else was changed in it meanwhile. */
async function store({ context }: AwsMount, record: RotationRecord, version: number): Promise<number> {
  const { storage, clock } = context;
  const done: RotationRecord = { ...record, stage: "delete" };
  for (;;) {
    const { config, version: root } = await readRoot(storage);
    if (config.accessKey !== record.oldAccessKey) {
      throw badRequest("config/root was given another key meanwhile; the new key is taken back");
    }
    const next = { ...config, accessKey: record.newAccessKey, secretKey: record.newSecretKey };
    const written = putRoot({ ...next, nextRotationAt: nextRootRotation(next.rotation, clock.now()) }, root);
    try {
      const [, last = 0] = await storage.commit([written, putRotation(done, version)]);
      return last;
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT")) throw error;
      if ((await readRotation(storage))?.version !== version) throw busy();
    }
  }
}

/** Goes on with a rotation that was left half done. @throws when it cannot be ended yet; the record stays. */
export async function settleRotation(mount: AwsMount): Promise<void> {
  const { storage, clock } = mount.context;
  const found = await readRotation(storage);
  if (found === null || found.record.busyUntil > clock.now()) return;
  const record: RotationRecord = { ...found.record, busyUntil: clock.now() + BUSY_MS };
  const [version = 0] = await storage.commit([putRotation(record, found.version)]);
  const taken: StoredRotation = { record, version };
  try {
    await settle(mount, taken);
  } catch (error) {
    await release(mount, record);
    throw error instanceof ApiError ? error : awsFailure("settling a rotation of the root key", error);
  }
}

async function settle(mount: AwsMount, taken: StoredRotation): Promise<void> {
  const { storage, log } = mount.context;
  const { record, version } = taken;
  const { config } = await readRoot(storage);
  const isOldInUse = config.accessKey === record.oldAccessKey;
  const isNewInUse = record.stage !== "create" && config.accessKey === record.newAccessKey;
  if (record.stage === "create" && isOldInUse) {
    await withIam(mount, config, (iam) => deleteStrays(iam, record.username, record));
  } else if (isNewInUse || (isOldInUse && !(await isGone(mount, config, record)))) {
    return finish(mount, taken);
  } else if (!isOldInUse) {
    // Somebody else has chosen the root key. What the rotation made clears itself away, as far as that is possible.
    if (record.stage !== "create") await withdrawNew(mount, record);
    log.warn("a rotation was cut short, and config/root has another key now", {
      user: record.username,
      hint: "look for an access key of this user that nobody uses",
    });
  }
  await storage.commit([endRotation(version)]);
}

/** After this AWS lists a key that exists. */
const LISTED_MS = 300_000;

/** Whether the new key was deleted by somebody else, so that there is nothing to go on with. */
async function isGone(mount: AwsMount, old: AwsKeys, record: RotationRecord): Promise<boolean> {
  if (mount.context.clock.now() - record.since < LISTED_MS) return false;
  const keys = await withIam(mount, old, (iam) => listKeys(iam, record.username));
  return !keys.some(({ AccessKeyId: id }) => id === record.newAccessKey);
}

/** A key that AWS does not know is as good as deleted. */
async function withdrawNew(mount: AwsMount, record: RotationRecord): Promise<void> {
  const keys: AwsKeys = { accessKey: record.newAccessKey, secretKey: record.newSecretKey };
  try {
    await withIam(mount, keys, (iam) => deleteKey(iam, record.username, keys.accessKey));
  } catch (error) {
    if (errorName(error) !== "InvalidClientTokenId") throw error;
  }
}

/** Says that nobody is at work on it any more, so that the next try need not wait long. */
async function release({ context }: AwsMount, { since }: RotationRecord): Promise<void> {
  const now = await readRotation(context.storage);
  if (now === null || now.record.since !== since) return;
  const idle = { ...now.record, busyUntil: context.clock.now() + RETRY_MS };
  await context.storage.commit([putRotation(idle, now.version)]).catch((error: unknown) => {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
  });
}

/** The due rotation of config/root. One that its window has closed for waits for the schedule's next time. */
export async function rotateDueRoot(mount: AwsMount): Promise<void> {
  const { storage, clock, log } = mount.context;
  const { config, version } = await readRoot(storage);
  const { nextRotationAt: dueAt, rotation } = config;
  const now = clock.now();
  if (dueAt === null || dueAt > now) return;
  if (isInWindow(rotation, dueAt, now)) {
    await rotateRoot(mount);
    return;
  }
  const nextRotationAt = nextRootRotation(rotation, now);
  await storage.commit([putRoot({ ...config, nextRotationAt }, version)]);
  log.warn("the root key was not rotated within rotation_window; its next scheduled time is waited for", {
    due: new Date(dueAt).toISOString(),
  });
}
