import type { Barrier } from "../../barrier/port.ts";
import { ABSENT, type Write } from "../../barrier/port.ts";
import { VsecError } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../base/json.ts";
import { type Random, randomString } from "../../base/random.ts";

/** What is stored of a token. Its id is not: the entry lies under a keyed hash of it. Times are milliseconds since the epoch. */
export interface TokenRecord {
  readonly v: 1;
  readonly accessor: string;
  readonly policies: readonly string[];
  /** The request path that made it. */
  readonly path: string;
  readonly displayName: string;
  readonly createdAt: number;
  /** Null: never. */
  readonly expiresAt: number | null;
}

/** A caller whose token was found good. */
export interface Caller {
  /** The token's keyed hash: how its leases are indexed. */
  readonly tokenHash: string;
  readonly record: TokenRecord;
}

const TOKEN_CHARS_MAX = 4096;

function hashOf(barrier: Barrier, token: string): string {
  return barrier.hash("token", token);
}

function tokenKey(hash: string): string {
  return `token/${hash}`;
}

export interface NewToken {
  /** The token itself, shown once. */
  readonly id: string;
  readonly record: TokenRecord;
  readonly writes: readonly Write[];
}

/** A root token, as made by init: no expiry, no parent. @see reference: token formats. */
export function newRootToken(barrier: Pick<Barrier, "hash">, random: Random, now: number): NewToken {
  const id = `hvs.${randomString(random, 24)}`;
  const record: TokenRecord = {
    v: 1,
    accessor: randomString(random, 24),
    policies: ["root"],
    path: "auth/token/root",
    displayName: "root",
    createdAt: now,
    expiresAt: null,
  };
  const hash = barrier.hash("token", id);
  const encoder = new TextEncoder();
  const writes: Write[] = [
    { op: "put", key: tokenKey(hash), value: encoder.encode(JSON.stringify(record)), expect: ABSENT },
    { op: "put", key: `token-accessor/${record.accessor}`, value: encoder.encode(hash), expect: ABSENT },
  ];
  return { id, record, writes };
}

/** Null: no such token, or an expired one. The lookup is by keyed hash, so its time tells nothing about near misses. */
export async function findCaller(barrier: Barrier, token: string, now: number): Promise<Caller | null> {
  if (token === "" || token.length > TOKEN_CHARS_MAX) return null;
  const tokenHash = hashOf(barrier, token);
  const entry = await barrier.get(tokenKey(tokenHash));
  if (entry === null) return null;
  const value = parseJson(Buffer.from(entry.value).toString("utf8"));
  if (!isJsonObject(value) || value.v !== 1) {
    throw new VsecError("BARRIER_DAMAGED", "a token record is of a version that this vsec does not know");
  }
  const record = value as unknown as TokenRecord;
  return record.expiresAt !== null && record.expiresAt <= now ? null : { tokenHash, record };
}

/** The data of `auth/token/lookup-self`. @see reference: token lookup data. */
export function lookupData(token: string, record: TokenRecord): JsonObject {
  const seconds = Math.floor(record.createdAt / 1000);
  return {
    accessor: record.accessor,
    creation_time: seconds,
    creation_ttl: 0,
    display_name: record.displayName,
    entity_id: "",
    expire_time: record.expiresAt === null ? null : new Date(record.expiresAt).toISOString(),
    explicit_max_ttl: 0,
    id: token,
    meta: null,
    num_uses: 0,
    orphan: true,
    path: record.path,
    policies: record.policies,
    ttl: 0,
    type: "service",
  };
}
