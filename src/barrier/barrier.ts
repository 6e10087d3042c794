import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { hasCode } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type {
  ClaimRequest,
  PageRequest,
  ScanPage,
  Storage,
  StoredEntry,
  WalkPage,
  Write,
} from "../storage/port.ts";
import { damagedEntry } from "./damage.ts";
import {
  addTerm,
  currentTerm,
  decryptKeyring,
  encryptKeyring,
  KEYRING_KEY,
  type Keyring,
  RESERVED_PREFIX,
} from "./keyring.ts";
import { NameCipher } from "./name-cipher.ts";
import type { Barrier, KeyStatus, NamePage } from "./port.ts";
import type { KeyringKeys } from "./root-key.ts";
import { TagHash } from "./tag-hash.ts";
import { decryptValue, encryptValue, termOf } from "./value-cipher.ts";

/** What a barrier works with. */
export interface BarrierParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly root: KeyringKeys;
}

/** A keyring and the version of the entry it was read from. */
export interface VersionedKeyring {
  readonly keyring: Keyring;
  readonly version: number;
}

/** Another process may rotate; one that only writes takes up the new term this long after it, at the latest. */
const KEYRING_AGE_MS_MAX = 10_000;

/** Each lost race means that another process added a term, so this many in a row is a fault elsewhere. */
const ROTATE_TRIES_MAX = 16;

/** @throws SEAL_WRONG_KEY, BARRIER_DAMAGED as {@link decryptKeyring}; BARRIER_DAMAGED when there is no keyring. */
export async function loadKeyring(storage: Storage, root: KeyringKeys): Promise<VersionedKeyring> {
  const entry = await storage.get(KEYRING_KEY);
  if (entry === null) throw damagedEntry(KEYRING_KEY, "it is missing");
  return { keyring: decryptKeyring(root, entry.value), version: entry.version };
}

/** The barrier over a store and its keyring. Several, in several processes, may share one store. */
export class StoreBarrier implements Barrier {
  readonly #parts: BarrierParts;
  readonly #names: NameCipher;
  readonly #tags: TagHash;
  readonly #hashKey: KeyObject;
  readonly #keys = new Map<number, KeyObject>();
  readonly #keyOfTerm = (term: number): KeyObject | undefined => this.#keys.get(term);
  #keyring: Keyring;
  #loadedAt = 0;
  #loading: Promise<void> | undefined;

  constructor(parts: BarrierParts, keyring: Keyring) {
    this.#parts = parts;
    this.#names = new NameCipher(keyring.nameKey);
    this.#tags = new TagHash(keyring.nameKey);
    this.#hashKey = createSecretKey(keyring.hashKey);
    this.#keyring = keyring;
    this.#adopt(keyring);
  }

  /** Takes up a keyring that was just read or written; a slow reading does not undo a rotation made meanwhile. */
  #adopt(keyring: Keyring): void {
    if (currentTerm(keyring).term >= currentTerm(this.#keyring).term) this.#keyring = keyring;
    this.#loadedAt = this.#parts.clock.now();
    for (const { term, key } of keyring.terms) {
      if (!this.#keys.has(term)) this.#keys.set(term, createSecretKey(key));
    }
  }

  async get(key: string): Promise<StoredEntry | null> {
    const entry = await this.#parts.storage.get(this.#names.encryptKey(key));
    if (entry === null) return null;
    await this.#learnTerms([entry]);
    return { ...entry, key, value: this.#decrypt(entry) };
  }

  async list(prefix: string, page: PageRequest): Promise<NamePage> {
    const storedPrefix = this.#names.encryptPrefix(prefix);
    for (let request = page; ; ) {
      const { names, next } = await this.#parts.storage.list(storedPrefix, request);
      const ours = prefix === "" ? names.filter((name) => name !== RESERVED_PREFIX) : names;
      // A page that only held what is reserved is not shown as an empty one.
      if (ours.length > 0 || next === null) {
        return { names: ours.map((name) => this.#names.decryptName(prefix, name)), next };
      }
      request = { ...page, after: next };
    }
  }

  async scan(prefix: string, page: PageRequest): Promise<ScanPage> {
    const storedPrefix = this.#names.encryptPrefix(prefix);
    for (let request = page; ; ) {
      const { entries, next } = await this.#parts.storage.scan(storedPrefix, request);
      const ours = prefix === "" ? entries.filter((entry) => !isReserved(entry)) : entries;
      if (ours.length > 0 || next === null) {
        await this.#learnTerms(ours);
        return { entries: ours.map((entry) => this.#open(entry)), next };
      }
      request = { ...page, after: next };
    }
  }

  async *walk(prefix: string, page: PageRequest): AsyncGenerator<WalkPage> {
    // What is reserved would be swept with the rest.
    if (prefix === "") throw new RangeError("a walk needs a prefix");
    for await (const walked of this.#parts.storage.walk(this.#names.encryptPrefix(prefix), page)) {
      await this.#learnTerms(walked.entries);
      yield { ...walked, entries: walked.entries.map((entry) => this.#open(entry)) };
    }
  }

  async find(tag: string, page: PageRequest): Promise<ScanPage> {
    const { entries, next } = await this.#parts.storage.find(this.#tags.hash(tag), page);
    await this.#learnTerms(entries);
    return { entries: entries.map((entry) => this.#open(entry)), next };
  }

  async commit(writes: readonly Write[]): Promise<readonly number[]> {
    const age = Math.abs(this.#parts.clock.now() - this.#loadedAt);
    if (age > KEYRING_AGE_MS_MAX) await this.#reload();
    return await this.#parts.storage.commit(this.encryptWrites(writes));
  }

  async sweep(swaths: readonly string[], version: number): Promise<number> {
    return await this.#parts.storage.sweep(swaths, version);
  }

  async writes(): Promise<number> {
    return await this.#parts.storage.writes();
  }

  /** The batch as it reaches the store. */
  encryptWrites(writes: readonly Write[]): Write[] {
    const { term } = currentTerm(this.#keyring);
    const termKey = { term, key: this.#keyOf(term) };
    return writes.map((write) => {
      const key = this.#names.encryptKey(write.key);
      if (write.op !== "put") return { ...write, key };
      const value = encryptValue(termKey, key, write.value, this.#parts.random);
      const { tags } = write;
      return tags === undefined
        ? { ...write, key, value }
        : { ...write, key, value, tags: tags.map((tag) => this.#tags.hash(tag)) };
    });
  }

  /** One damaged entry must not hold up the revocation of all that are claimed with it. */
  async claim(request: ClaimRequest): Promise<readonly StoredEntry[]> {
    const entries = await this.#parts.storage.claim(request);
    await this.#learnTerms(entries);
    const readable: StoredEntry[] = [];
    let damage: unknown;
    for (const entry of entries) {
      try {
        readable.push(this.#open(entry));
      } catch (error) {
        if (!hasCode(error, "BARRIER_DAMAGED")) throw error;
        damage ??= error;
      }
    }
    if (damage !== undefined && readable.length === 0) throw damage;
    return readable;
  }

  async release(keys: readonly string[], owner: string): Promise<void> {
    const stored = keys.map((key) => this.#names.encryptKey(key));
    await this.#parts.storage.release(stored, owner);
  }

  nextDue(): Promise<number | null> {
    return this.#parts.storage.nextDue();
  }

  hash(purpose: string, value: string): string {
    const purposeBytes = Buffer.from(purpose, "utf8");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(purposeBytes.length, 0);
    const mac = createHmac("sha256", this.#hashKey).update(length).update(purposeBytes);
    return mac.update(value, "utf8").digest("hex");
  }

  seal(purpose: string, bytes: Uint8Array): Uint8Array {
    const { term } = currentTerm(this.#keyring);
    return encryptValue({ term, key: this.#keyOf(term) }, sealedPlace(purpose), bytes, this.#parts.random);
  }

  async open(purpose: string, sealed: Uint8Array): Promise<Uint8Array | null> {
    const term = termOf(sealed);
    if (term === null) return null;
    if (!this.#keys.has(term)) await this.#reload();
    try {
      return this.#decrypt({ key: sealedPlace(purpose), value: sealed });
    } catch (error) {
      if (hasCode(error, "BARRIER_DAMAGED")) return null;
      throw error;
    }
  }

  async keyStatus(): Promise<KeyStatus> {
    await this.#reload();
    const { term, installedAt, putsBefore } = currentTerm(this.#keyring);
    const puts = await this.#parts.storage.writes();
    return { term, installedAt, encryptions: Math.max(0, puts - putsBefore) };
  }

  async rotate(): Promise<void> {
    const { storage, clock, random, root } = this.#parts;
    for (let tries = 1; ; tries += 1) {
      const loaded = await loadKeyring(storage, root);
      // The put of the keyring itself is not an encryption under the new term.
      const putsBefore = (await storage.writes()) + 1;
      const keyring = addTerm(loaded.keyring, random, clock.now(), putsBefore);
      const value = encryptKeyring(root, keyring, random);
      try {
        const put = { op: "put", key: KEYRING_KEY, value, expect: loaded.version } as const;
        await storage.commit([put]);
        this.#adopt(keyring);
        return;
      } catch (error) {
        if (!hasCode(error, "STORE_CONFLICT") || tries === ROTATE_TRIES_MAX) throw error;
      }
    }
  }

  #keyOf(term: number): KeyObject {
    const key = this.#keys.get(term);
    if (key === undefined) throw damagedEntry(KEYRING_KEY, "a term is missing");
    return key;
  }

  #open(entry: StoredEntry): StoredEntry {
    return new OpenEntry(entry, this.#decrypt(entry), this.#names);
  }

  #decrypt({ key, value }: Pick<StoredEntry, "key" | "value">): Buffer {
    return decryptValue(this.#keyOfTerm, key, value);
  }

  /** Reads the keyring again when an entry has a term that is not known here: another process rotated. */
  async #learnTerms(entries: readonly StoredEntry[]): Promise<void> {
    const isUnknown = ({ value }: StoredEntry): boolean => {
      const term = termOf(value);
      return term !== null && !this.#keys.has(term);
    };
    if (entries.some(isUnknown)) await this.#reload();
  }

  /** One reading at a time serves all who wait for it. */
  async #reload(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    await this.#loading;
  }

  async #load(): Promise<void> {
    const { storage, root } = this.#parts;
    this.#adopt((await loadKeyring(storage, root)).keyring);
  }
}

/** An entry as the core sees it. Its key is decrypted when it is asked for: who reads many mostly has it in the value. */
class OpenEntry implements StoredEntry {
  readonly value: Uint8Array;
  readonly version: number;
  readonly dueAt: number | null;
  readonly #storedKey: string;
  readonly #names: NameCipher;

  constructor({ key, version, dueAt }: StoredEntry, value: Uint8Array, names: NameCipher) {
    this.value = value;
    this.version = version;
    this.dueAt = dueAt;
    this.#storedKey = key;
    this.#names = names;
  }

  get key(): string {
    return this.#names.readKey(this.#storedKey);
  }
}

/** Stands for an entry's key in what is sealed. No entry has such a key, so neither can be passed off as the other. */
function sealedPlace(purpose: string): string {
  return `\0sealed\0${purpose}`;
}

function isReserved({ key }: StoredEntry): boolean {
  return key.startsWith(RESERVED_PREFIX);
}
