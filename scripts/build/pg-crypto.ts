/**
 * What pg's `lib/crypto/utils.js` has, for the compiled program. pg asks WebCrypto, which does each step of a login on another
 * thread while the command waits; `node:crypto` does them at once.
 */
import { createHash, createHmac, pbkdf2, pbkdf2Sync } from "node:crypto";
import { promisify } from "node:util";

export { randomBytes } from "node:crypto";

const KEY_BYTES = 32;
/** More would hold up what else this process is doing: the server says how many. */
const ITERATIONS_AT_ONCE_MAX = 20_000;

export async function md5(data: string | Uint8Array): Promise<string> {
  return createHash("md5").update(data).digest("hex");
}

/** The answer to a server that asks for the old kind of password hash. */
export async function postgresMd5PasswordHash(
  user: string,
  password: string,
  salt: Uint8Array,
): Promise<string> {
  return `md5${await md5(Buffer.concat([Buffer.from(await md5(password + user)), salt]))}`;
}

/** @param name - As WebCrypto has it, such as `SHA-256`. */
export async function hashByName(name: string, data: Uint8Array): Promise<Buffer> {
  return createHash(name.replace("-", "").toLowerCase()).update(data).digest();
}

export async function sha256(data: Uint8Array): Promise<Buffer> {
  return createHash("sha256").update(data).digest();
}

export async function hmacSha256(key: Uint8Array, text: string): Promise<Buffer> {
  return createHmac("sha256", key).update(text, "utf8").digest();
}

export async function deriveKey(password: string, salt: Uint8Array, iterations: number): Promise<Buffer> {
  if (iterations <= ITERATIONS_AT_ONCE_MAX)
    return pbkdf2Sync(password, salt, iterations, KEY_BYTES, "sha256");
  return promisify(pbkdf2)(password, salt, iterations, KEY_BYTES, "sha256");
}
