import type { MountContext } from "../../../framework/backend.ts";
import { retryOnConflict } from "../../../framework/on-conflict.ts";
import type { EngineWrite } from "../../../framework/storage.ts";
import { withChains } from "./chain.ts";
import {
  AUTHORITY_KEY,
  type Authority,
  asEntry,
  ISSUER_PREFIX,
  type IssuerRecord,
  KEY_PREFIX,
  type KeyRecord,
  readAuthority,
  readIssuers,
  readKeys,
} from "./record.ts";

/** All issuers and keys of a mount. Names of the index are not part of it: they follow from the records. */
export interface CaSet {
  readonly issuers: readonly IssuerRecord[];
  readonly keys: readonly KeyRecord[];
  /** Empty: none. */
  readonly defaultIssuer: string;
  readonly defaultFollowsLatest: boolean;
  /** Empty: none. */
  readonly defaultKey: string;
}

/** What a change makes of the set. */
export interface CaChange<T> {
  readonly set: CaSet;
  /** Written in the same commit. */
  readonly also?: readonly EngineWrite[];
  readonly result: T;
}

/**
 * Changes issuers and keys as one commit, chains included. Where somebody else was faster, the change is decided anew.
 * @param decide - Has to be free of side effects: it may be called again.
 * @throws What `decide` throws; STORE_CONFLICT after many lost races.
 */
export function changeCas<T>(
  { storage, clock }: Pick<MountContext, "storage" | "clock">,
  decide: (present: CaSet) => CaChange<T> | Promise<CaChange<T>>,
): Promise<T> {
  return retryOnConflict(async () => {
    const { authority, version } = await readAuthority(storage);
    const [issuers, keys] = await Promise.all([readIssuers(storage), readKeys(storage)]);
    const { defaultIssuer, defaultFollowsLatest, defaultKey } = authority;
    const present: CaSet = { issuers, keys, defaultIssuer, defaultFollowsLatest, defaultKey };
    const { set, also = [], result } = await decide(present);
    await storage.commit([
      { op: "put", key: AUTHORITY_KEY, value: asEntry(indexOf(set, clock.now())), expect: version },
      ...writesFor(ISSUER_PREFIX, issuers, withChains(set.issuers)),
      ...writesFor(KEY_PREFIX, keys, set.keys),
      ...also,
    ]);
    return result;
  });
}

function indexOf(
  { issuers, keys, defaultIssuer, defaultFollowsLatest, defaultKey }: CaSet,
  now: number,
): Authority {
  return {
    changedAt: now,
    defaultIssuer: ifPresent(issuers, defaultIssuer),
    defaultFollowsLatest,
    issuerNames: namesOf(issuers),
    defaultKey: ifPresent(keys, defaultKey),
    keyNames: namesOf(keys),
  };
}

/** The id, if there is such a one; else none. */
function ifPresent(records: readonly { readonly id: string }[], id: string): string {
  return records.some((record) => record.id === id) ? id : "";
}

function namesOf(records: readonly { readonly id: string; readonly name: string }[]): Record<string, string> {
  return Object.fromEntries(records.filter(({ name }) => name !== "").map(({ id, name }) => [name, id]));
}

function writesFor(
  prefix: string,
  before: readonly (IssuerRecord | KeyRecord)[],
  after: readonly (IssuerRecord | KeyRecord)[],
): readonly EngineWrite[] {
  const old = new Map(before.map((record) => [record.id, record]));
  const kept = new Set(after.map(({ id }) => id));
  const puts = after
    .filter((record) => old.get(record.id) !== record)
    .map((record) => ({ op: "put", key: prefix + record.id, value: asEntry(record) }) as const);
  const deletes = before
    .filter(({ id }) => !kept.has(id))
    .map(({ id }) => ({ op: "delete", key: prefix + id }) as const);
  return [...puts, ...deletes];
}
