import { badRequest } from "../../base/errors.ts";
import type { MountContext } from "../../framework/backend.ts";
import { readKey, type StoredKey } from "./record.ts";
import { Versions } from "./versions.ts";

/** What the handlers of a transit mount share. */
export class TransitMount {
  readonly context: MountContext;
  readonly versions: Versions;

  constructor(context: MountContext) {
    this.context = context;
    this.versions = new Versions(context.storage);
  }

  /**
   * A key for use. @param missing - Said when there is none.
   * @throws ApiError 400 when there is none, and when it was put out of use.
   */
  async keyFor(name: string, missing: string): Promise<StoredKey> {
    const key = await readKey(this.context.storage, name);
    if (key === null) throw badRequest(missing);
    refuseSoftDeleted(key);
    return key;
  }
}

/** @throws ApiError 400 for a key that was put out of use. */
export function refuseSoftDeleted({ name, record }: StoredKey): void {
  if (record.softDeleted) throw badRequest(`key "${name}" is soft-deleted; restore it to use it`);
}
