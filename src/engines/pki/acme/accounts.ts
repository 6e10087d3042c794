import type { MountContext } from "../../../framework/backend.ts";
import type { EngineStorage } from "../../../framework/storage.ts";
import { type Directory, directoryPath } from "./directory.ts";
import { ACCOUNT_PREFIX, type AccountRecord, readRecord, type Stored, THUMBPRINT_PREFIX } from "./records.ts";

/** An account's id is a UUID: nothing else is looked up. */
const ID = /^[0-9a-f-]{36}$/;

/** Null: there is none, or it is of another directory. */
export async function findAccount(
  storage: EngineStorage,
  directory: Directory,
  id: string,
): Promise<Stored<AccountRecord> | null> {
  const found = ID.test(id) ? await readRecord<AccountRecord>(storage, ACCOUNT_PREFIX + id) : null;
  if (found === null) return null;
  return directoryPath(found.record.directory) === directoryPath(directory) ? found : null;
}

/** Where it is written which account a key has in a directory. */
export function thumbprintKey(
  { hash }: Pick<MountContext, "hash">,
  directory: Directory,
  thumbprint: string,
): string {
  return THUMBPRINT_PREFIX + hash("acme-thumbprint", `${directoryPath(directory)} ${thumbprint}`);
}

/** The account of a key in a directory. Null: it has none. */
export async function findAccountByKey(
  context: Pick<MountContext, "hash" | "storage">,
  directory: Directory,
  thumbprint: string,
): Promise<Stored<AccountRecord> | null> {
  const entry = await context.storage.get(thumbprintKey(context, directory, thumbprint));
  return entry === null ? null : findAccount(context.storage, directory, String(entry.value.account));
}
