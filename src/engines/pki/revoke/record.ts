import type { JsonObject } from "../../../base/json.ts";
import type { EngineStorage, EngineWrite } from "../../../framework/storage.ts";
import { hyphenSerial } from "../serial.ts";

/** A certificate that was revoked. */
export interface RevokedRecord {
  /** DER, as base64. */
  readonly certificate: string;
  /** Milliseconds. */
  readonly revokedAt: number;
  readonly crlScope: string;
  /** RFC 5280 section 5.3.1; 0: it was not said. */
  readonly reason: number;
}

/**
 * What is kept of a serial number: the certificate that was revoked, and those of other issuers that have it too. What is issued
 * here has a number of its own; CAs from elsewhere may count theirs from 1.
 */
interface RevokedEntry extends RevokedRecord {
  readonly others?: readonly RevokedRecord[];
}

export const REVOKED_PREFIX = "revoked/";

/** Everything that was revoked under a serial number, each of another scope. */
export interface Revoked {
  readonly records: readonly RevokedRecord[];
  /** 0: there is no entry. */
  readonly version: number;
}

/** @param serial - Hex. */
export async function readAllRevoked(storage: EngineStorage, serial: string): Promise<Revoked> {
  const entry = await storage.get(REVOKED_PREFIX + hyphenSerial(serial));
  if (entry === null) return { records: [], version: 0 };
  const { others = [], ...first } = entry.value as unknown as RevokedEntry;
  return { records: [first, ...others], version: entry.version };
}

/** Null: it is not revoked. @param serial - Hex. @param crlScope - Whose; absent: whoever's was first. */
export async function readRevoked(
  storage: EngineStorage,
  serial: string,
  crlScope?: string,
): Promise<RevokedRecord | null> {
  const { records } = await readAllRevoked(storage, serial);
  const found = crlScope === undefined ? records[0] : records.find((it) => it.crlScope === crlScope);
  return found ?? null;
}

/** The write that keeps what was revoked under a serial number. @param version - That of what was read. */
export function revokedWrite(serial: string, { records, version }: Revoked): EngineWrite {
  const key = REVOKED_PREFIX + hyphenSerial(serial);
  const [first, ...others] = records;
  if (first === undefined) return { op: "delete", key };
  const entry: RevokedEntry = others.length === 0 ? first : { ...first, others };
  return { op: "put", key, value: entry as unknown as JsonObject, expect: version };
}
