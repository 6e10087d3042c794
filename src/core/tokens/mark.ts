import type { Barrier, Write } from "../../barrier/port.ts";
import { hasCode } from "../../base/errors.ts";
import type { Services } from "../services.ts";
import { childPrefix, putToken, type StoredToken, TAKEN_MS, type TokenRecord } from "./record.ts";
import { readToken } from "./store.ts";

const RACE_ATTEMPTS_MAX = 20;

/** A token whose revocation has begun. */
export interface EndingToken {
  readonly hash: string;
  /** Null: an index names it, and it is gone. */
  readonly token: StoredToken | null;
  /** The parent whose index named it; null: it was not found through one. */
  readonly parentHash: string | null;
}

/**
 * Begins the revocation of tokens, in one commit where nobody interferes: from then on they are refused, nothing new can be
 * made in their names, and they are due, so that whoever dies has only delayed it.
 * @param parentHash - Whose children they are, when that is how they were found.
 * @param keepsChildren - Only these tokens end; their children become orphans.
 */
export async function markEnding(
  services: Services,
  hashes: readonly string[],
  parentHash: string | null,
  keepsChildren = false,
): Promise<readonly EndingToken[]> {
  const found = await Promise.all(hashes.map((hash) => readToken(services.barrier, hash)));
  const live = found.filter((token) => token !== null).filter(({ record }) => record.state === "live");
  const marked = new Map<string, StoredToken>();
  if (live.length > 0) {
    for (const token of await markAll(services, live, keepsChildren)) marked.set(token.hash, token);
  }
  return hashes.map((hash, index) => ({ hash, token: marked.get(hash) ?? found[index] ?? null, parentHash }));
}

async function markAll(
  services: Services,
  tokens: readonly StoredToken[],
  keepsChildren: boolean,
): Promise<readonly StoredToken[]> {
  const change = (record: TokenRecord): TokenRecord => ({ ...record, state: "revoking", keepsChildren });
  const dueAt = services.clock.now() + TAKEN_MS;
  const records = tokens.map((token) => change(token.record));
  const writes = tokens.map(({ hash, version }, index) =>
    putToken(hash, records[index] as TokenRecord, version, dueAt),
  );
  try {
    const versions = await services.barrier.commit(writes);
    return tokens.map(({ hash }, index) => ({
      hash,
      record: records[index] as TokenRecord,
      version: versions[index] ?? 0,
    }));
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
  }
  const marked: StoredToken[] = [];
  for (const token of tokens) {
    const own = await changeToken(services.barrier, token.hash, ({ record }) =>
      record.state === "live" ? { record: change(record), dueAt } : null,
    );
    if (own !== null) marked.push(own);
  }
  return marked;
}

/**
 * Changes a token, from a fresh read whenever somebody else was faster.
 * @param change - The new record; null: leave it as it is.
 * @param also - Writes that are committed together with it.
 * @returns The token as it is then; null when it is gone.
 */
export async function changeToken(
  barrier: Barrier,
  hash: string,
  change: (token: StoredToken) => { readonly record: TokenRecord; readonly dueAt: number | null } | null,
  also: readonly Write[] = [],
): Promise<StoredToken | null> {
  for (let attempt = 1; ; attempt += 1) {
    const token = await readToken(barrier, hash);
    const next = token === null ? null : change(token);
    if (token === null || next === null) return token;
    try {
      const write = putToken(hash, next.record, token.version, next.dueAt);
      const [version = 0] = await barrier.commit([write, ...also]);
      return { hash, record: next.record, version };
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT") || attempt === RACE_ATTEMPTS_MAX) throw error;
    }
  }
}

/** Makes children orphans: they lose their parent and stay as they are otherwise. */
export async function orphan(
  services: Services,
  parentHash: string,
  children: readonly string[],
): Promise<void> {
  for (const hash of children) {
    const unlink: Write = { op: "delete", key: childPrefix(parentHash) + hash };
    const child = await changeToken(
      services.barrier,
      hash,
      ({ record }) => {
        if (record.parentHash !== parentHash) return null;
        const dueAt = record.state === "live" ? record.expiresAt : services.clock.now() + TAKEN_MS;
        return { record: { ...record, parentHash: null }, dueAt };
      },
      [unlink],
    );
    if (child === null || child.record.parentHash !== null) await services.barrier.commit([unlink]);
  }
}
