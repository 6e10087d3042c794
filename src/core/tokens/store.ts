import type { Barrier, Write } from "../../barrier/port.ts";
import { type Random, randomString } from "../../base/random.ts";
import { isBatchToken, openBatchToken } from "./batch.ts";
import type { Caller } from "./caller.ts";
import {
  accessorKey,
  decodeToken,
  isLive,
  newTokenWrites,
  type StoredToken,
  type TokenRecord,
  tokenKey,
} from "./record.ts";

export type { Caller } from "./caller.ts";

/** The longest text that is looked at as a token. */
export const TOKEN_CHARS_MAX = 8192;

const ID_CHARS = 24;

export interface NewToken {
  /** The token itself, shown once. */
  readonly id: string;
  readonly record: TokenRecord;
  readonly writes: readonly Write[];
}

/** A service token's id; nothing but chance. */
export function newTokenId(random: Random): string {
  return `hvs.${randomString(random, ID_CHARS)}`;
}

export function newAccessor(random: Random): string {
  return randomString(random, ID_CHARS);
}

/** A root token, as made by init: no expiry, no parent. @see reference: token formats. */
export function newRootToken(barrier: Pick<Barrier, "hash">, random: Random, now: number): NewToken {
  const id = newTokenId(random);
  const record: TokenRecord = {
    v: 1,
    type: "service",
    state: "live",
    keepsChildren: false,
    accessor: newAccessor(random),
    policies: ["root"],
    path: "auth/token/root",
    displayName: "root",
    createdAt: now,
    expiresAt: null,
    renewedAt: null,
    ttlSeconds: 0,
    explicitMaxTtlSeconds: 0,
    periodSeconds: 0,
    numUses: 0,
    creationNumUses: 0,
    renewable: false,
    parentHash: null,
    meta: null,
    role: null,
    entityId: "",
    boundCidrs: [],
    noDefaultPolicy: false,
    login: null,
  };
  return { id, record, writes: newTokenWrites(tokenHash(barrier, id), record) };
}

/** A token's keyed hash: how it is stored, found and compared. */
export function tokenHash(barrier: Pick<Barrier, "hash">, token: string): string {
  return barrier.hash("token", token);
}

/** Null: no such token. It may be expired or on its way out. */
export async function readToken(barrier: Barrier, hash: string): Promise<StoredToken | null> {
  const entry = await barrier.get(tokenKey(hash));
  return entry === null ? null : decodeToken(entry);
}

/**
 * The token that an accessor belongs to. Null: there is no such accessor.
 * The token is null when only the accessor is left.
 */
export async function tokenOfAccessor(
  barrier: Barrier,
  accessor: string,
): Promise<{ readonly hash: string; readonly token: StoredToken | null } | null> {
  if (!/^[0-9A-Za-z]{1,64}$/.test(accessor)) return null;
  const entry = await barrier.get(accessorKey(accessor));
  if (entry === null) return null;
  const hash = Buffer.from(entry.value).toString("utf8");
  return { hash, token: await readToken(barrier, hash) };
}

/**
 * Whom a token belongs to, wherever it is used from. Null: unknown, expired, on its way out, forged; all in one way. The
 * lookup is by keyed hash, so its time tells nothing about near misses.
 */
export async function findCaller(barrier: Barrier, token: string, now: number): Promise<Caller | null> {
  if (token === "" || token.length > TOKEN_CHARS_MAX) return null;
  if (isBatchToken(token)) return findBatchCaller(barrier, token, now);
  const stored = await readToken(barrier, tokenHash(barrier, token));
  if (stored === null || !isLive(stored.record, now)) return null;
  return { tokenHash: stored.hash, record: stored.record, version: stored.version, token, batch: false };
}

/** A batch token lives only as long as the very parent that it was made by. */
async function findBatchCaller(barrier: Barrier, token: string, now: number): Promise<Caller | null> {
  const opened = await openBatchToken(barrier, token);
  if (opened === null || !isLive(opened.record, now)) return null;
  const { record, parentAccessor } = opened;
  if (record.parentHash !== null) {
    const parent = await readToken(barrier, record.parentHash);
    if (parent === null || !isLive(parent.record, now)) return null;
    if (parent.record.accessor !== parentAccessor) return null;
  }
  return { tokenHash: tokenHash(barrier, token), record, version: 0, token, batch: true };
}
