import { createHmac } from "node:crypto";

export const ALGORITHMS = ["SHA1", "SHA256", "SHA512"] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** How the codes of a key are made. */
export interface CodeRules {
  readonly algorithm: Algorithm;
  readonly digits: 6 | 8;
  readonly periodSeconds: number;
}

/** The number of the period that a moment is in (RFC 6238 section 4.2). @param now - Milliseconds since the epoch. */
export function counterAt({ periodSeconds }: CodeRules, now: number): number {
  return Math.floor(now / 1000 / periodSeconds);
}

/** The code of a period: RFC 4226 section 5.3, with the hash that RFC 6238 section 1.2 allows. */
export function codeFor({ algorithm, digits }: CodeRules, secret: Uint8Array, counter: number): string {
  const moving = Buffer.alloc(8);
  moving.writeBigUInt64BE(BigInt(counter));
  const mac = createHmac(algorithm.toLowerCase(), secret).update(moving).digest();
  const offset = (mac[mac.length - 1] ?? 0) & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** digits).padStart(digits, "0");
}
