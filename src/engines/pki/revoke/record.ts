import type { EngineStorage } from "../../../framework/storage.ts";
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

export const REVOKED_PREFIX = "revoked/";

/** Null: it is not revoked. @param serial - Hex. */
export async function readRevoked(storage: EngineStorage, serial: string): Promise<RevokedRecord | null> {
  const entry = await storage.get(REVOKED_PREFIX + hyphenSerial(serial));
  return entry === null ? null : (entry.value as unknown as RevokedRecord);
}
