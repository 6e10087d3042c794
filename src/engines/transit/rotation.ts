import { badRequest } from "../../base/errors.ts";
import { materialWrite, newMaterial } from "./material.ts";
import { refuseSoftDeleted, type TransitMount } from "./mount.ts";
import {
  changeKey,
  type KeyChange,
  type KeyRecord,
  mayRotate,
  readKey,
  rotationDueAt,
  type StoredKey,
} from "./record.ts";

/** Makes a new version of a key. @throws ApiError 400 for a key that is not there or has its versions from elsewhere. */
export async function rotateKey(mount: TransitMount, name: string): Promise<void> {
  await changeKey(mount.context.storage, name, "key not found", (key) => {
    refuseSoftDeleted(key);
    if (!mayRotate(key.record)) throw badRequest(`imported key ${name} does not allow rotation within Vault`);
    return nextVersion(mount, key);
  });
}

/** Makes a new version of a key whose period has passed; whoever else did so meanwhile is enough. */
export async function rotateDueKey(mount: TransitMount, name: string): Promise<void> {
  const { storage, clock, log } = mount.context;
  if ((await readKey(storage, name)) === null) return;
  const number = await changeKey(storage, name, "key not found", async (key) => {
    const dueAt = rotationDueAt(key.record);
    if (dueAt === null || dueAt > clock.now()) return { record: undefined, result: null };
    return nextVersion(mount, key);
  });
  if (number !== null) log.info("transit key rotated", { key: name, version: number });
}

async function nextVersion(
  { context: { random, clock } }: TransitMount,
  { record, type }: StoredKey,
): Promise<KeyChange<number | null>> {
  const now = clock.now();
  const number = record.latestVersion + 1;
  const material = await newMaterial(type, record.keyBytes, random, now);
  const next: KeyRecord = { ...record, latestVersion: number, rotatedAt: now };
  return { record: next, also: [materialWrite(record.id, number, material)], result: number };
}
