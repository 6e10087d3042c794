import { ABSENT, type StoredEntry, type Write } from "../../barrier/port.ts";
import { VsecError } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../base/json.ts";

/**
 * A token's life:
 *
 *     live ──revoke, expiry, last use──▶ revoking ──children, leases and cubbyhole gone──▶ (deleted)
 *
 * From the first commit of its revocation on the token is refused, nothing can be made in its name any more, and its entry
 * is due: whoever dies on the way leaves due work behind, not a half-revoked tree.
 */
export type TokenState = "live" | "revoking";

/** How long a revoker has a token it took to itself. After it, should the revoker be gone, the token is due again. */
export const TAKEN_MS = 120_000;

export type TokenType = "service" | "batch";

/** Where a token came from that an auth method gave: its renewal asks that method again. */
export interface TokenLogin {
  readonly mountUuid: string;
  /** What the method needs at renewal. */
  readonly internal: JsonObject;
}

/**
 * What is stored of a token. Its id is not: the entry lies under a keyed hash of it. Times are milliseconds since the epoch.
 * A batch token has such a record too; it is sealed into the token itself.
 */
export interface TokenRecord {
  readonly v: 1;
  readonly type: TokenType;
  readonly state: TokenState;
  /** Set while revoking when only this token ends and its children become orphans. */
  readonly keepsChildren: boolean;
  /** Empty for batch tokens. */
  readonly accessor: string;
  readonly policies: readonly string[];
  /** The request path that made it. */
  readonly path: string;
  readonly displayName: string;
  readonly createdAt: number;
  /** Null: never. */
  readonly expiresAt: number | null;
  readonly renewedAt: number | null;
  /** As issued; 0: it never expires. */
  readonly ttlSeconds: number;
  /** 0: none. */
  readonly explicitMaxTtlSeconds: number;
  /** 0: not periodic. */
  readonly periodSeconds: number;
  /** How many uses are left of {@link creationNumUses}. */
  readonly numUses: number;
  /** 0: no limit. */
  readonly creationNumUses: number;
  readonly renewable: boolean;
  /** The parent's keyed hash; null for an orphan. */
  readonly parentHash: string | null;
  readonly meta: Readonly<Record<string, string>> | null;
  /** The token role it was made with. */
  readonly role: string | null;
  /** Empty: none. */
  readonly entityId: string;
  readonly boundCidrs: readonly string[];
  readonly noDefaultPolicy: boolean;
  readonly login: TokenLogin | null;
}

/** A token as read: the record, and the version that a change of it must still find. */
export interface StoredToken {
  readonly hash: string;
  readonly record: TokenRecord;
  readonly version: number;
}

export const TOKEN_PREFIX = "token/";
export const ACCESSOR_PREFIX = "token-accessor/";
export const CHILD_PREFIX = "token-child/";
export const PATH_PREFIX = "token-path/";
export const CUBBYHOLE_PREFIX = "cubbyhole/";

export function tokenKey(hash: string): string {
  return TOKEN_PREFIX + hash;
}

export function accessorKey(accessor: string): string {
  return ACCESSOR_PREFIX + accessor;
}

/** The entries below name a token's children. */
export function childPrefix(parentHash: string): string {
  return `${CHILD_PREFIX}${parentHash}/`;
}

export function cubbyholePrefix(hash: string): string {
  return `${CUBBYHOLE_PREFIX}${hash}/`;
}

/** What the path index holds of a path, so that its keys stay storable. Who searches compares whole paths. */
const INDEXED_SEGMENTS_MAX = 24;
const INDEXED_CHARS_MAX = 512;

/** The entries below are of tokens whose path begins like this one. */
export function pathIndexPrefix(path: string): string {
  let indexed = PATH_PREFIX;
  const segments = path.split("/").filter((segment) => segment !== "");
  for (const segment of segments.slice(0, INDEXED_SEGMENTS_MAX)) {
    if (indexed.length + segment.length > INDEXED_CHARS_MAX) break;
    indexed += `${segment}/`;
  }
  return indexed;
}

/** The last segment of an index entry's key: the hash it is about. */
export function hashOfKey(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}

const encoder = new TextEncoder();

/** The write that stores a token. Its expiry is its due time, unless it is due for something else. */
export function putToken(
  hash: string,
  record: TokenRecord,
  expect: number,
  dueAt: number | null = record.expiresAt,
): Write {
  return { op: "put", key: tokenKey(hash), value: encoder.encode(JSON.stringify(record)), dueAt, expect };
}

/** The keys of the entries through which a token is found: its accessor, its path, its parent. */
function indexKeys(hash: string, record: TokenRecord): string[] {
  const keys = [accessorKey(record.accessor), pathIndexPrefix(record.path) + hash];
  if (record.parentHash !== null) keys.push(childPrefix(record.parentHash) + hash);
  return keys;
}

/** The writes that lay a token: all of it, or nothing. They fail when there is one with this id. */
export function newTokenWrites(hash: string, record: TokenRecord): Write[] {
  const indexes = indexKeys(hash, record).map(
    (key): Write => ({ op: "put", key, value: encoder.encode(hash) }),
  );
  return [putToken(hash, record, ABSENT), ...indexes];
}

/** The writes that forget a token. */
export function deleteTokenWrites({ hash, record, version }: StoredToken): Write[] {
  const indexes = indexKeys(hash, record).map((key): Write => ({ op: "delete", key }));
  return [{ op: "delete", key: tokenKey(hash), expect: version }, ...indexes];
}

/** @throws BARRIER_DAMAGED when the entry is not a token record of a known version. */
export function decodeToken(entry: StoredEntry): StoredToken {
  const value = parseJson(Buffer.from(entry.value).toString("utf8"));
  if (!isJsonObject(value) || value.v !== 1) {
    throw new VsecError("BARRIER_DAMAGED", "a token record is of a version that this vsec does not know");
  }
  return { hash: hashOfKey(entry.key), record: value as unknown as TokenRecord, version: entry.version };
}

/** Whether a token may be used: neither expired nor being revoked. */
export function isLive({ state, expiresAt }: TokenRecord, now: number): boolean {
  return state === "live" && (expiresAt === null || expiresAt > now);
}
