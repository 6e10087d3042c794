import type { JsonObject } from "../../../base/json.ts";
import type { EngineStorage, EngineWrite } from "../../../framework/storage.ts";

/*
 * What is kept for the CRL of one scope (issuers of one subject and key). `crl/<scope>` is the list of what was revoked, and
 * when the next CRL is due: the entry is due then. The CRLs themselves lie beside it, so that serving one reads no list. All
 * are written in one commit, with the list's version as precondition: numbers never repeat, and no revocation is lost.
 */

/** One revocation: the serial in hex; when, in milliseconds; and why, if that was said (RFC 5280 section 5.3.1). */
export type Revocation = readonly [serial: string, revokedAt: number, reason?: number];

export interface CrlState {
  /** The number of the latest CRL, complete or delta; 0: there was none. */
  readonly lastNumber: number;
  /** In the order in which they were revoked. */
  readonly revoked: readonly Revocation[];
  /** How many of them, from the start, the complete CRL lists. */
  readonly published: number;
  /** The number of the complete CRL. */
  readonly completeNumber: number;
  /** When the next complete CRL is due, milliseconds; null: when somebody asks for it. */
  readonly completeDueAt: number | null;
  /** The same, of a delta CRL. */
  readonly deltaDueAt: number | null;
}

/** A CRL that is served. */
export interface PublishedCrl {
  /** DER, as base64. */
  readonly der: string;
  readonly number: number;
  /** Milliseconds. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

export type CrlKind = "complete" | "delta";

export const CRL_PREFIX = "crl/";
const PUBLISHED_PREFIX = "published-crl/";

const EMPTY: CrlState = {
  lastNumber: 0,
  revoked: [],
  published: 0,
  completeNumber: 0,
  completeDueAt: null,
  deltaDueAt: null,
};

export async function readCrlState(
  storage: EngineStorage,
  scope: string,
): Promise<{ readonly state: CrlState; readonly version: number }> {
  const entry = await storage.get(CRL_PREFIX + scope);
  return entry === null
    ? { state: EMPTY, version: 0 }
    : { state: entry.value as unknown as CrlState, version: entry.version };
}

/** The write of a scope's state. It is due when the first of its CRLs is. */
export function crlStateWrite(scope: string, state: CrlState, expect: number): EngineWrite {
  const moments = [state.completeDueAt, state.deltaDueAt].filter((at) => at !== null);
  return {
    op: "put",
    key: CRL_PREFIX + scope,
    value: state as unknown as JsonObject,
    dueAt: moments.length === 0 ? null : Math.min(...moments),
    expect,
  };
}

/** Null: there is none. */
export async function readPublished(
  storage: EngineStorage,
  scope: string,
  kind: CrlKind,
): Promise<PublishedCrl | null> {
  const entry = await storage.get(`${PUBLISHED_PREFIX}${scope}/${kind}`);
  return entry === null ? null : (entry.value as unknown as PublishedCrl);
}

export function publishedWrite(scope: string, kind: CrlKind, crl: PublishedCrl): EngineWrite {
  return { op: "put", key: `${PUBLISHED_PREFIX}${scope}/${kind}`, value: { ...crl } };
}

export function unpublishWrite(scope: string, kind: CrlKind): EngineWrite {
  return { op: "delete", key: `${PUBLISHED_PREFIX}${scope}/${kind}` };
}
