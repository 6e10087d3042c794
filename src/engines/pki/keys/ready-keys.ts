import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import type { Random } from "../../../base/random.ts";
import { fromPkcs8, generateKey, type KeyKind, toPkcs8 } from "../x509/keys.ts";

/** How many keys of a kind wait at most. Each is used once. */
const READY_MAX = 3;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A key that waits: nonce, PKCS#8 under AES-256-GCM, tag. The process alone has the key to it, outside of its heap. */
type Sealed = Buffer;

/** Makes keys, and has RSA keys ready before they are asked for. */
export interface ReadyKeys {
  /** A key of a kind, which nobody else gets. */
  take(kind: KeyKind): Promise<KeyObject>;
}

/**
 * An RSA key takes a tenth of a second and more, so once a process has been asked for a second one of a kind, which only a
 * daemon ever is, it keeps a few of them. What waits is encrypted, so that a look at the heap finds no key that has not been
 * given out yet. Nothing of it is ever stored.
 * @param make - For tests.
 */
export function readyKeys(
  random: Random,
  make: (kind: KeyKind) => Promise<KeyObject> = generateKey,
): ReadyKeys {
  let secret: KeyObject | undefined;
  const ownKey = (): KeyObject => {
    secret ??= createSecretKey(random.bytes(32));
    return secret;
  };
  const waiting = new Map<number, Sealed[]>();
  const filling = new Set<number>();

  const seal = (key: KeyObject): Sealed => {
    const nonce = random.bytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", ownKey(), nonce);
    const plain = toPkcs8(key);
    const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    plain.fill(0);
    return sealed;
  };
  const open = (sealed: Sealed): KeyObject => {
    const decipher = createDecipheriv("aes-256-gcm", ownKey(), sealed.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const plain = Buffer.concat([
      decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)),
      decipher.final(),
    ]);
    const key = fromPkcs8(plain);
    plain.fill(0);
    return key;
  };
  /** One after the other, so that who needs a key at once finds the machine free. */
  const fill = async (kind: KeyKind, keys: Sealed[]): Promise<void> => {
    if (filling.has(kind.bits)) return;
    filling.add(kind.bits);
    try {
      while (keys.length < READY_MAX) keys.push(seal(await make(kind)));
    } finally {
      filling.delete(kind.bits);
    }
  };
  return {
    take: async (kind) => {
      if (kind.type !== "rsa") return make(kind);
      const keys = waiting.get(kind.bits);
      if (keys === undefined) {
        waiting.set(kind.bits, []);
        return make(kind);
      }
      const ready = keys.shift();
      const key = ready === undefined ? await make(kind) : open(ready);
      // A key that could not be made ahead is made when it is asked for, and says then what is wrong.
      void fill(kind, keys).catch(() => undefined);
      return key;
    },
  };
}
