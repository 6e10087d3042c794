import {
  type AccessKeyMetadata,
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  type IAMClient,
  ListAccessKeysCommand,
} from "@aws-sdk/client-iam";
import { VsecError } from "../../base/errors.ts";
import type { AwsKeys } from "./clients.ts";
import { isMissing } from "./errors.ts";

/** AWS's limit. */
export const KEYS_PER_USER_MAX = 2;

const SKEW_MS = 60_000;

/** A user's keys, the oldest first. @throws what the SDK throws. */
export async function listKeys(iam: IAMClient, UserName: string): Promise<readonly AccessKeyMetadata[]> {
  const { AccessKeyMetadata: keys = [] } = await iam.send(new ListAccessKeysCommand({ UserName }));
  return [...keys].sort((a, b) => (a.CreateDate?.getTime() ?? 0) - (b.CreateDate?.getTime() ?? 0));
}

/** @throws what the SDK throws. */
export async function createKey(iam: IAMClient, UserName: string): Promise<AwsKeys> {
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  if (key?.AccessKeyId === undefined || key.SecretAccessKey === undefined) {
    throw new VsecError("BACKEND", `AWS answered without an access key for ${UserName}`);
  }
  return { accessKey: key.AccessKeyId, secretKey: key.SecretAccessKey };
}

/** Deletes a key; one that is gone is fine. @throws what the SDK throws. */
export async function deleteKey(iam: IAMClient, UserName: string, AccessKeyId: string): Promise<void> {
  try {
    await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** What was known when a key was about to be made: should its maker die, the key is told by it. */
export interface KeyIntent {
  readonly keysBefore: readonly string[];
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/**
 * Deletes the key that somebody was about to make and whose secret nobody learnt.
 * @throws what the SDK throws.
 */
export async function deleteStrays(iam: IAMClient, username: string, intent: KeyIntent): Promise<void> {
  for (const { AccessKeyId: id, CreateDate: date } of await listKeys(iam, username)) {
    const isNew = (date?.getTime() ?? 0) >= intent.since - SKEW_MS;
    if (id !== undefined && isNew && !intent.keysBefore.includes(id)) await deleteKey(iam, username, id);
  }
}
