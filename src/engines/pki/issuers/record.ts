import type { JsonObject } from "../../../base/json.ts";
import type { EngineStorage } from "../../../framework/storage.ts";
import type { KeyType } from "../x509/keys.ts";

/*
 * What is kept of issuers and keys. `authority` is the index: it names the defaults, and finds an id by a name. Every change
 * of an issuer or a key writes it too, with the version that was read as precondition (change.ts), so that changes go one
 * after the other and names stay unique.
 */

export const USAGES = ["read-only", "issuing-certificates", "crl-signing", "ocsp-signing"] as const;
export type Usage = (typeof USAGES)[number];

export const LEAF_BEHAVIORS = ["err", "truncate", "permit"] as const;
export type LeafBehavior = (typeof LEAF_BEHAVIORS)[number];

/** Where what concerns an issuer is published; the URLs go into what it issues. */
export interface IssuerUrls {
  readonly issuingCertificates: readonly string[];
  readonly crlDistributionPoints: readonly string[];
  readonly deltaCrlDistributionPoints: readonly string[];
  readonly ocspServers: readonly string[];
  /** The URLs hold `{{issuer_id}}` and the like. */
  readonly isTemplate: boolean;
}

export const NO_URLS: IssuerUrls = {
  issuingCertificates: [],
  crlDistributionPoints: [],
  deltaCrlDistributionPoints: [],
  ocspServers: [],
  isTemplate: false,
};

/** An issuer: a CA's certificate, with or without its key. */
export interface IssuerRecord {
  readonly id: string;
  /** Empty: it has none. */
  readonly name: string;
  /** Of the key that fits; empty: it is not here. */
  readonly keyId: string;
  /** DER, as base64. */
  readonly certificate: string;
  /** Ids, in order; empty: the chain is found. */
  readonly manualChain: readonly string[];
  /** Ids from this one upwards, as they were found when issuers last changed. */
  readonly caChain: readonly string[];
  readonly leafNotAfter: LeafBehavior;
  readonly usage: readonly Usage[];
  /** In Go's words, such as `SHA256WithRSAPSS`; empty: as its key has it. */
  readonly revocationSignatureAlgorithm: string;
  readonly urls: IssuerUrls;
  /** Milliseconds since the epoch; null: it is not revoked. */
  readonly revokedAt: number | null;
  /** Of the CRL that it signs. Issuers with the same subject and key share one, as nobody can tell their CRLs apart. */
  readonly crlScope: string;
}

/** A private key. */
export interface KeyRecord {
  readonly id: string;
  /** Empty: it has none. */
  readonly name: string;
  readonly type: KeyType;
  /** PKCS#8 DER, as base64. */
  readonly privateKey: string;
  /** SubjectPublicKeyInfo DER, as base64. */
  readonly publicKey: string;
}

/** The index of issuers and keys. */
export interface Authority {
  /** When any of it last changed, milliseconds since the epoch. */
  readonly changedAt: number;
  /** Empty: there is none. */
  readonly defaultIssuer: string;
  readonly defaultFollowsLatest: boolean;
  readonly issuerNames: Readonly<Record<string, string>>;
  readonly defaultKey: string;
  readonly keyNames: Readonly<Record<string, string>>;
}

export const AUTHORITY_KEY = "authority";
export const ISSUER_PREFIX = "issuer/";
export const KEY_PREFIX = "key/";

const EMPTY: Authority = {
  changedAt: 0,
  defaultIssuer: "",
  defaultFollowsLatest: false,
  issuerNames: {},
  defaultKey: "",
  keyNames: {},
};

export async function readAuthority(
  storage: EngineStorage,
): Promise<{ readonly authority: Authority; readonly version: number }> {
  const entry = await storage.get(AUTHORITY_KEY);
  return entry === null
    ? { authority: EMPTY, version: 0 }
    : { authority: entry.value as unknown as Authority, version: entry.version };
}

/** Null: no such issuer. */
export async function readIssuer(storage: EngineStorage, id: string): Promise<IssuerRecord | null> {
  const entry = await storage.get(ISSUER_PREFIX + id);
  return entry === null ? null : (entry.value as unknown as IssuerRecord);
}

/** Null: no such key. */
export async function readKey(storage: EngineStorage, id: string): Promise<KeyRecord | null> {
  const entry = await storage.get(KEY_PREFIX + id);
  return entry === null ? null : (entry.value as unknown as KeyRecord);
}

export async function readIssuers(storage: EngineStorage): Promise<readonly IssuerRecord[]> {
  const ids = await storage.list(ISSUER_PREFIX);
  const records = await Promise.all(ids.map((id) => readIssuer(storage, id)));
  return records.filter((record) => record !== null);
}

/** An issuer and the CAs above it that are in its chain, nearest first. */
export async function chainRecords(
  storage: EngineStorage,
  record: IssuerRecord,
): Promise<readonly IssuerRecord[]> {
  const others = await Promise.all(
    record.caChain.filter((id) => id !== record.id).map((id) => readIssuer(storage, id)),
  );
  return [record, ...others.filter((issuer) => issuer !== null)];
}

export async function readKeys(storage: EngineStorage): Promise<readonly KeyRecord[]> {
  const ids = await storage.list(KEY_PREFIX);
  const records = await Promise.all(ids.map((id) => readKey(storage, id)));
  return records.filter((record) => record !== null);
}

/** An entry's value, as storage takes it. */
export function asEntry(record: IssuerRecord | KeyRecord | Authority): JsonObject {
  return record as unknown as JsonObject;
}
