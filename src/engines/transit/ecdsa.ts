import { type KeyObject, sign, verify } from "node:crypto";
import { badRequest } from "../../base/errors.ts";
import type { HashAlgorithm } from "./hashes.ts";
import type { EcdsaType } from "./key-types.ts";

/** The halves of a signature, each as long as a coordinate. */
export interface EcdsaHalves {
  readonly r: Buffer;
  readonly s: Buffer;
}

/** What is signed: the input, or its digest where the caller hashed it already. */
export interface ToSign {
  readonly hash: HashAlgorithm;
  readonly input: Buffer;
  readonly isDigest: boolean;
}

/** Hash functions that node:crypto signs with; others, and digests, are signed by @noble/curves. */
function isNative({ hash, isDigest }: ToSign): boolean {
  return !isDigest && !hash.node.startsWith("sha3");
}

/** @see FIPS 186-5 section 6.4 */
export async function signEcdsa(type: EcdsaType, key: KeyObject, what: ToSign): Promise<EcdsaHalves> {
  if (isNative(what)) {
    const both = sign(what.hash.node, what.input, { key, dsaEncoding: "ieee-p1363" });
    return halves(type, both);
  }
  const { d = "" } = key.export({ format: "jwk" });
  const curve = await curveOf(type);
  const secret = Buffer.from(d, "base64url");
  try {
    const signed = curve.sign(await digestOf(what), secret, { prehash: false, lowS: false });
    return halves(type, Buffer.from(signed));
  } finally {
    secret.fill(0);
  }
}

/** Whether a signature is one of this input. */
export async function verifyEcdsa(
  type: EcdsaType,
  key: KeyObject,
  what: ToSign,
  { r, s }: EcdsaHalves,
): Promise<boolean> {
  const both = Buffer.concat([r, s]);
  if (isNative(what)) return verify(what.hash.node, what.input, { key, dsaEncoding: "ieee-p1363" }, both);
  const { x = "", y = "" } = key.export({ format: "jwk" });
  const coordinates = [x, y].map((half) => Buffer.from(half, "base64url"));
  const point = Buffer.concat([Buffer.from([0x04]), ...coordinates]);
  const curve = await curveOf(type);
  try {
    return curve.verify(both, await digestOf(what), point, { prehash: false, lowS: false });
  } catch {
    // Halves outside of the group: not a signature of anything.
    return false;
  }
}

async function digestOf({ hash, input, isDigest }: ToSign): Promise<Buffer> {
  if (isDigest) return input;
  const { createHash } = await import("node:crypto");
  return createHash(hash.node).update(input).digest();
}

async function curveOf({ curve }: EcdsaType) {
  const { p256, p384, p521 } = await import("@noble/curves/nist.js");
  return { "P-256": p256, "P-384": p384, "P-521": p521 }[curve];
}

function halves({ fieldBytes }: EcdsaType, both: Buffer): EcdsaHalves {
  return { r: both.subarray(0, fieldBytes), s: both.subarray(fieldBytes) };
}

/** DER of SEQUENCE { INTEGER r, INTEGER s } (RFC 3279 section 2.2.3). */
export function encodeDer({ r, s }: EcdsaHalves): Buffer {
  const body = Buffer.concat([derInteger(r), derInteger(s)]);
  const length = body.length < 128 ? [body.length] : [0x81, body.length];
  return Buffer.concat([Buffer.from([0x30, ...length]), body]);
}

function derInteger(bytes: Buffer): Buffer {
  const firstAt = bytes.findIndex((byte) => byte !== 0);
  const trimmed = firstAt === -1 ? Buffer.alloc(1) : bytes.subarray(firstAt);
  const sign0 = (trimmed[0] ?? 0) & 0x80 ? [0x00] : [];
  return Buffer.concat([Buffer.from([0x02, trimmed.length + sign0.length, ...sign0]), trimmed]);
}

/**
 * Undoes {@link encodeDer}, and takes nothing that is not DER.
 * @throws ApiError 400 with Vault's texts.
 */
export function decodeDer({ fieldBytes }: EcdsaType, der: Buffer): EcdsaHalves {
  const invalid = (): Error => badRequest("supplied signature is invalid");
  const isLong = der[1] === 0x81;
  const start = isLong ? 3 : 2;
  const length = isLong ? der[2] : der[1];
  if (der[0] !== 0x30 || length === undefined || length < (isLong ? 128 : 0) || (!isLong && length > 127))
    throw invalid();
  if (der.length < start + length) throw invalid();
  if (der.length > start + length) throw badRequest("supplied signature contains extra data");
  const r = readInteger(der, start);
  const s = readInteger(der, r.end);
  if (s.end !== der.length) throw invalid();
  return { r: r.value, s: s.value };

  function readInteger(bytes: Buffer, at: number): { value: Buffer; end: number } {
    const size = bytes[at + 1];
    if (bytes[at] !== 0x02 || size === undefined || size === 0 || at + 2 + size > bytes.length)
      throw invalid();
    const value = bytes.subarray(at + 2, at + 2 + size);
    const [first = 0, second = 0] = value;
    // Negative, or longer than it need be.
    if (first >= 0x80 || (size > 1 && first === 0 && second < 0x80)) throw invalid();
    const magnitude = first === 0 ? value.subarray(1) : value;
    if (magnitude.length > fieldBytes) throw invalid();
    return {
      value: Buffer.concat([Buffer.alloc(fieldBytes - magnitude.length), magnitude]),
      end: at + 2 + size,
    };
  }
}
