import type { EngineStorage, EngineWrite } from "../../../framework/storage.ts";
import { hyphenSerial } from "../serial.ts";

/** A certificate that was issued and is kept. */
export interface CertRecord {
  /** DER, as base64. */
  readonly certificate: string;
  /** The scope of the CRL that it is on when it is revoked (IssuerRecord.crlScope). */
  readonly crlScope: string;
}

export const CERT_PREFIX = "cert/";

/** @param serial - Hex. */
export async function readCert(storage: EngineStorage, serial: string): Promise<CertRecord | null> {
  const entry = await storage.get(CERT_PREFIX + hyphenSerial(serial));
  return entry === null ? null : (entry.value as unknown as CertRecord);
}

/** The write that keeps a certificate. @param serial - Hex. */
export function certWrite(serial: string, record: CertRecord): EngineWrite {
  return { op: "put", key: CERT_PREFIX + hyphenSerial(serial), value: { ...record }, expect: 0 };
}
