import { createHash, createHmac, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";

/** What a PostgreSQL server uses itself by default (`scram_iterations`). */
const ITERATIONS = 4096;
export const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** Spaces of RFC 3454 table C.1.2, which become plain ones. */
const OTHER_SPACES = /[\u00A0\u1680\u2000-\u200B\u202F\u205F\u3000]/gu;
/** Code points of RFC 3454 table B.1, which vanish. */
const VANISHING = /\u00AD|\u034F|\u1806|[\u180B-\u180D]|[\u200C\u200D]|\u2060|[\uFE00-\uFE0F]|\uFEFF/gu;

/** A password in the form that client and server hash (RFC 4013, without its prohibitions, as the server does). */
function normalise(password: string): string {
  return password.replace(OTHER_SPACES, " ").replace(VANISHING, "").normalize("NFKC");
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/**
 * What the server stores for a password, computed here, so that the server, its logs and its statistics never see the
 * password itself: `SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>`.
 * @param salt - 16 random bytes.
 * @see RFC 5802 section 3; RFC 7677.
 */
export async function scramVerifier(password: string, salt: Uint8Array): Promise<string> {
  const salted = await promisify(pbkdf2)(normalise(password), salt, ITERATIONS, KEY_BYTES, "sha256");
  const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest("base64");
  const serverKey = hmac(salted, "Server Key").toString("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${Buffer.from(salt).toString("base64")}$${storedKey}:${serverKey}`;
}
