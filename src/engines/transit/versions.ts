import type { KeyObject } from "node:crypto";
import { badRequest } from "../../base/errors.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import { isAsymmetric, type KeyType } from "./key-types.ts";
import { type MaterialRecord, privateKeyOf, publicKeyOf, readMaterial } from "./material.ts";
import type { StoredKey } from "./record.ts";

/** One version of a key, ready for use. */
export class KeyVersion {
  readonly number: number;
  readonly material: MaterialRecord;
  readonly #type: KeyType;
  #secret: Buffer | undefined;
  #hmacKey: Buffer | undefined;
  #privateKey: KeyObject | undefined;
  #publicKey: KeyObject | undefined;

  constructor(type: KeyType, number: number, material: MaterialRecord) {
    this.#type = type;
    this.number = number;
    this.material = material;
  }

  get hasSecret(): boolean {
    return this.material.secret !== null;
  }

  /** The bytes of a symmetric key, an ed25519 seed, or PKCS #8 DER. @throws ApiError 400 when only the public half is known. */
  get secret(): Buffer {
    if (this.material.secret === null) throw badRequest(NO_PRIVATE_KEY);
    this.#secret ??= Buffer.from(this.material.secret, "base64");
    return this.#secret;
  }

  get hmacKey(): Buffer {
    this.#hmacKey ??= Buffer.from(this.material.hmacKey, "base64");
    return this.#hmacKey;
  }

  /** Of an asymmetric key. @throws ApiError 400 when only the public half is known. */
  get privateKey(): KeyObject {
    this.#privateKey ??= privateKeyOf(this.#type, this.secret);
    return this.#privateKey;
  }

  /** Of an asymmetric key. */
  get publicKey(): KeyObject {
    if (!isAsymmetric(this.#type)) throw new TypeError(`a key of type ${this.#type.name} has no public half`);
    this.#publicKey ??= publicKeyOf(Buffer.from(this.material.publicKey ?? "", "base64"));
    return this.#publicKey;
  }
}

const NO_PRIVATE_KEY =
  "the requested operation needs the private key, and only the public key of this version was imported";

/** Where the mount's own size of {@link Versions} is stored. */
export const CACHE_ENTRY = "config/cache";

/** How many versions of keys a process remembers; 0: all that it meets. */
export async function readCacheSize(storage: EngineStorage): Promise<number> {
  const size = (await storage.get(CACHE_ENTRY))?.value.size;
  return typeof size === "number" ? size : 0;
}

/**
 * Remembers versions, so that a daemon does not decrypt and parse a key for each request. A version never changes under the
 * same revision of its key, and the key's own record is read by each request; so nothing remembered is ever out of date.
 */
export class Versions {
  readonly #storage: EngineStorage;
  /** In order of use, oldest first. */
  readonly #known = new Map<string, KeyVersion>();
  /** How many are remembered; 0: all of them. Null: nobody asked yet. */
  #sizeMax: number | null = null;

  constructor(storage: EngineStorage) {
    this.#storage = storage;
  }

  /** @throws ApiError 400 for a version that is not there. */
  async get({ record, type }: StoredKey, number: number): Promise<KeyVersion> {
    const mark = `${record.id}/${number}/${record.revision}`;
    const known = this.#known.get(mark);
    if (known !== undefined) {
      this.#known.delete(mark);
      this.#known.set(mark, known);
      return known;
    }
    const material = await readMaterial(this.#storage, record.id, number);
    if (material === null) throw badRequest("no key found for the requested version");
    const version = new KeyVersion(type, number, material);
    this.#known.set(mark, version);
    this.resize(this.#sizeMax ?? (await readCacheSize(this.#storage)));
    return version;
  }

  /** @param sizeMax - 0: no limit. */
  resize(sizeMax: number): void {
    this.#sizeMax = sizeMax;
    if (sizeMax === 0) return;
    for (const mark of this.#known.keys()) {
      if (this.#known.size <= sizeMax) return;
      this.#known.delete(mark);
    }
  }
}
