/**
 * The one-time password of a new root token. The token is as long as its password, and leaves as the base64, without padding, of
 * the XOR of both, so that only who has the password can read it. @see reference: root token.
 */
import { type Random, randomString } from "./random.ts";

/** A root token is `hvs.` and 24 characters. */
export const OTP_CHARS = 28;

export function newOtp(random: Random): string {
  return randomString(random, OTP_CHARS);
}

/** @throws TypeError when the password is not as long as the token. */
export function encodeWithOtp(token: string, otp: Uint8Array): string {
  const bytes = Buffer.from(token, "utf8");
  if (bytes.length !== otp.length)
    throw new TypeError("a root token is not as long as its one-time password");
  return unpadded(xor(bytes, otp));
}

/** The token. @throws SyntaxError when the one cannot have been encoded with the other. */
export function decodeWithOtp(encoded: string, otp: string): string {
  const bytes = Buffer.from(encoded, "base64");
  if (unpadded(bytes) !== encoded.replace(/=+$/, ""))
    throw new SyntaxError("the encoded token is not base64");
  const pad = Buffer.from(otp, "utf8");
  if (pad.length !== bytes.length) throw new SyntaxError("the OTP is not as long as the encoded token");
  return xor(bytes, pad).toString("utf8");
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
