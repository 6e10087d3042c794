/**
 * Names: each segment of a key is encrypted deterministically, in the manner of a synthetic IV (RFC 5297, with HMAC in the
 * place of CMAC), with the path of its parent as context:
 *
 *   siv     = first 16 bytes of HMAC-SHA-256(macKey, length of parent (4 bytes, big-endian) || parent || segment)
 *   stored  = base64url(siv || AES-256-CTR(encKey, siv, segment)), without padding
 *
 * `parent` is the plain path above the segment with its final `/` ("" at the top); both are UTF-8. Equal names have equal
 * ciphertexts only below the same parent, and a name that was moved to another parent is refused.
 */
import { createCipheriv, createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { VsecError } from "../base/errors.ts";
import { damagedEntry } from "./damage.ts";
import { deriveKey } from "./derive.ts";
import { Lru } from "./lru.ts";

const SIV_BYTES = 16;
const BLOCK_BYTES = 16;

/** The longest encrypted key, which is what every store takes. A segment of n bytes becomes (16 + n) * 4 / 3 characters. */
export const STORED_KEY_LENGTH_MAX = 4096;

/** How many parents are remembered, so that of a million keys below few parents each costs one segment. */
const PARENTS_MAX = 1024;

/** A folder, or the top. Both paths end in `/`, or are empty. */
interface Parent {
  readonly plain: string;
  readonly stored: string;
  /** What the MAC of a child begins with. */
  readonly context: Buffer;
}

const TOP: Parent = { plain: "", stored: "", context: Buffer.alloc(4) };

export class NameCipher {
  readonly #macKey: KeyObject;
  /** Encrypts blocks one by one, whatever it encrypted before: what CTR mode consists of. Made once, as making it costs most. */
  readonly #blocks: ReturnType<typeof createCipheriv>;
  readonly #byPlain = new Lru<Parent>(PARENTS_MAX);
  readonly #byStored = new Lru<Parent>(PARENTS_MAX);

  /** @param nameKey - 32 bytes. */
  constructor(nameKey: Uint8Array) {
    this.#macKey = deriveKey(nameKey, "vsec name mac v1");
    this.#blocks = createCipheriv("aes-256-ecb", deriveKey(nameKey, "vsec name encryption v1"), null);
    this.#blocks.setAutoPadding(false);
  }

  /** @throws USAGE when the key has an empty segment, is too long once encrypted, or is not valid Unicode. */
  encryptKey(plain: string): string {
    checkPlain(plain);
    const cut = plain.lastIndexOf("/") + 1;
    const parent = this.#parentOfPlain(plain.slice(0, cut));
    return checkLength(parent.stored + this.#encrypt(parent, plain.slice(cut)));
  }

  /** @param plain - "" or a path that ends in `/`. @throws USAGE like {@link NameCipher.encryptKey}. */
  encryptPrefix(plain: string): string {
    if (plain === "") return "";
    if (!plain.endsWith("/")) throw new VsecError("USAGE", "a prefix in the store must end in a slash");
    checkPlain(plain.slice(0, -1));
    return checkLength(this.#parentOfPlain(plain).stored);
  }

  /** @throws BARRIER_DAMAGED when the key was not written by us at this place. */
  decryptKey(stored: string): string {
    const { parent, segment } = this.#split(stored);
    return parent.plain + this.#decrypt(parent, segment, stored);
  }

  #split(stored: string): { readonly parent: Parent; readonly segment: string } {
    if (stored.length > STORED_KEY_LENGTH_MAX) throw damagedEntry(stored, "its name is too long");
    const cut = stored.lastIndexOf("/") + 1;
    return { parent: this.#parentOfStored(stored.slice(0, cut), stored), segment: stored.slice(cut) };
  }

  /**
   * Decrypts the key of an entry whose value was decrypted: the last segment is not verified here, since the value's associated
   * data hold the whole stored key, and tell any that was not written here.
   * @throws BARRIER_DAMAGED like {@link NameCipher.decryptKey} for what is above the last segment.
   */
  readKey(stored: string): string {
    const { parent, segment } = this.#split(stored);
    const sealed = sealedName(segment, stored);
    return (
      parent.plain + this.#crypt(sealed.subarray(0, SIV_BYTES), sealed.subarray(SIV_BYTES)).toString("utf8")
    );
  }

  /**
   * Decrypts one name of a listing.
   * @param plainPrefix - The prefix that was listed.
   * @param name - A stored segment; one with a `/` at its end keeps it.
   */
  decryptName(plainPrefix: string, name: string): string {
    const parent = this.#parentOfPlain(plainPrefix);
    const slash = name.endsWith("/") ? "/" : "";
    const segment = slash === "" ? name : name.slice(0, -1);
    return this.#decrypt(parent, segment, parent.stored + segment) + slash;
  }

  #parentOfPlain(plain: string): Parent {
    if (plain === "") return TOP;
    const known = this.#byPlain.get(plain);
    if (known !== undefined) return known;
    const cut = plain.lastIndexOf("/", plain.length - 2) + 1;
    const above = this.#parentOfPlain(plain.slice(0, cut));
    const stored = `${above.stored}${this.#encrypt(above, plain.slice(cut, -1))}/`;
    return this.#remember({ plain, stored, context: contextOf(plain) });
  }

  #parentOfStored(stored: string, wholeKey: string): Parent {
    if (stored === "") return TOP;
    const known = this.#byStored.get(stored);
    if (known !== undefined) return known;
    const cut = stored.lastIndexOf("/", stored.length - 2) + 1;
    const above = this.#parentOfStored(stored.slice(0, cut), wholeKey);
    const plain = `${above.plain}${this.#decrypt(above, stored.slice(cut, -1), wholeKey)}/`;
    return this.#remember({ plain, stored, context: contextOf(plain) });
  }

  #remember(parent: Parent): Parent {
    this.#byPlain.set(parent.plain, parent);
    this.#byStored.set(parent.stored, parent);
    return parent;
  }

  #siv(parent: Parent, segment: Uint8Array): Buffer {
    const mac = createHmac("sha256", this.#macKey).update(parent.context).update(segment).digest();
    return mac.subarray(0, SIV_BYTES);
  }

  #encrypt(parent: Parent, segment: string): string {
    const bytes = Buffer.from(segment, "utf8");
    const siv = this.#siv(parent, bytes);
    return Buffer.concat([siv, this.#crypt(siv, bytes)]).toString("base64url");
  }

  #decrypt(parent: Parent, segment: string, wholeKey: string): string {
    const sealed = sealedName(segment, wholeKey);
    const siv = sealed.subarray(0, SIV_BYTES);
    const bytes = this.#crypt(siv, sealed.subarray(SIV_BYTES));
    if (!timingSafeEqual(siv, this.#siv(parent, bytes))) {
      throw damagedEntry(wholeKey, "its name was not written here");
    }
    return bytes.toString("utf8");
  }

  /** CTR mode (NIST SP 800-38A, 6.5): the blocks that count up from the first one, encrypted, XOR the bytes. Its own inverse. */
  #crypt(firstBlock: Uint8Array, bytes: Uint8Array): Buffer {
    const counters = Buffer.allocUnsafe(Math.ceil(bytes.length / BLOCK_BYTES) * BLOCK_BYTES);
    for (let at = 0; at < counters.length; at += BLOCK_BYTES) {
      counters.set(firstBlock, at);
      addToBlock(counters, at, at / BLOCK_BYTES);
    }
    const stream = this.#blocks.update(counters);
    const result = stream.subarray(0, bytes.length);
    for (let at = 0; at < result.length; at += 1) result[at] = (result[at] ?? 0) ^ (bytes[at] ?? 0);
    return result;
  }
}

/** Adds to the block at `start`, which is one big-endian number, modulo 2^128. */
function addToBlock(blocks: Buffer, start: number, addend: number): void {
  let carry = addend;
  for (let at = start + BLOCK_BYTES - 1; carry > 0 && at >= start; at -= 1) {
    carry += blocks[at] ?? 0;
    blocks[at] = carry & 0xff;
    carry >>>= 8;
  }
}

/** The bytes of a stored segment. @throws BARRIER_DAMAGED unless it has the form of one. */
function sealedName(segment: string, wholeKey: string): Buffer {
  const sealed = Buffer.from(segment, "base64url");
  // The decoder skips what it does not know; only one spelling of a name may be taken.
  if (sealed.length > SIV_BYTES && sealed.toString("base64url") === segment) return sealed;
  throw damagedEntry(wholeKey, "its name is malformed");
}

function contextOf(plain: string): Buffer {
  const bytes = Buffer.from(plain, "utf8");
  const context = Buffer.alloc(4 + bytes.length);
  context.writeUInt32BE(bytes.length, 0);
  bytes.copy(context, 4);
  return context;
}

/** Refuses what would not come back as it went in: a lone surrogate has no UTF-8, an empty segment no place. */
function checkPlain(key: string): void {
  checkLength(key);
  if (!key.isWellFormed()) throw new VsecError("USAGE", "a name in the store is not valid Unicode");
  if (key === "" || key.startsWith("/") || key.endsWith("/") || key.includes("//")) {
    throw new VsecError("USAGE", "a name in the store has an empty segment");
  }
}

function checkLength(key: string): string {
  if (key.length <= STORED_KEY_LENGTH_MAX) return key;
  throw new VsecError("USAGE", "a path is too long to store; use fewer or shorter segments");
}
