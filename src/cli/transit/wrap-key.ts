import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import { messageOf } from "../../base/errors.ts";
import { systemRandom } from "../../platform/random.ts";
import { remoteFailure } from "../failure.ts";

const AES_KEY_BYTES = 32;

/** A key on its way, one step after the other. */
export interface WrappingSteps {
  /** AES-KWP (RFC 5649) of the key under a key made for it. */
  readonly wrappedKey: Buffer;
  /** RSA-OAEP with SHA-256 of that key. */
  encryptKey(publicKeyPem: string): Buffer;
}

/** Begins to wrap a key. @throws CommandFailure (exit 2) when there is nothing to wrap. */
export async function wrapKey(source: Uint8Array): Promise<WrappingSteps> {
  const aesKey = Buffer.from(systemRandom.bytes(AES_KEY_BYTES));
  try {
    const { aeskwp } = await import("@noble/ciphers/aes.js");
    const wrappedKey = Buffer.from(aeskwp(aesKey).encrypt(source));
    return { wrappedKey, encryptKey: (pem) => encrypted(aesKey, pem) };
  } catch (error) {
    throw remoteFailure(`failure wrapping source key: ${messageOf(error)}`, { cause: error });
  }
}

function encrypted(aesKey: Buffer, pem: string): Buffer {
  try {
    const key = createPublicKey(pem);
    return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }, aesKey);
  } catch (error) {
    throw remoteFailure(`failure encrypting ephemeral key: ${messageOf(error)}`, { cause: error });
  } finally {
    aesKey.fill(0);
  }
}
