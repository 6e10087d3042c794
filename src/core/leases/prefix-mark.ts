import { ABSENT, type StoredEntry } from "../../barrier/port.ts";
import { hasCode, VsecError } from "../../base/errors.ts";
import { isJsonObject, parseJson } from "../../base/json.ts";
import { randomString } from "../../base/random.ts";
import type { Services } from "../services.ts";
import type { StoredLease } from "./record.ts";
import { TAKEN_MS } from "./revoke.ts";

/** Entries of revocations of many leases that are under way. @see PrefixMark */
export const PREFIX_MARK_PREFIX = "lease-ending/";

/** Which leases a revocation is about. */
export interface Doomed {
  /** Of their ids. */
  readonly prefix: string;
  /** Only those of this mount. */
  readonly mountUuid?: string;
}

interface MarkRecord {
  readonly v: 1;
  readonly doomed: Doomed;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** A version that the mark had: what has a lesser one was there, whatever the clock said. Absent: not known yet. */
  readonly since?: number;
}

const encoder = new TextEncoder();

/**
 * Stands for the leases of a revocation of many, in one entry instead of a change to each of them. It is due when whoever made
 * it has not been heard of for {@link TAKEN_MS}: then somebody else goes on. What was issued since then is not meant.
 */
export class PrefixMark {
  readonly key: string;
  readonly #services: Services;
  readonly #record: MarkRecord;
  #version: number;
  #keptAt = 0;

  private constructor(services: Services, key: string, record: MarkRecord, version: number) {
    this.#services = services;
    this.key = key;
    this.#record = record;
    this.#version = version;
  }

  get name(): string {
    return this.key.slice(PREFIX_MARK_PREFIX.length);
  }

  get doomed(): Doomed {
    return this.#record.doomed;
  }

  static async make(services: Services, doomed: Doomed): Promise<PrefixMark> {
    const key = PREFIX_MARK_PREFIX + randomString(services.random, 24);
    const record: MarkRecord = { v: 1, doomed, startedAt: services.clock.now() };
    const mark = new PrefixMark(services, key, record, ABSENT);
    await mark.#put();
    return mark;
  }

  /** Takes over a mark that is there. Null: it is gone, or somebody else has just taken it over. */
  static async take(services: Services, entry: StoredEntry): Promise<PrefixMark | null> {
    const record = { since: entry.version, ...decode(entry) };
    const mark = new PrefixMark(services, entry.key, record, entry.version);
    try {
      await mark.#put();
      return mark;
    } catch (error) {
      if (hasCode(error, "STORE_CONFLICT")) return null;
      throw error;
    }
  }

  /** The mark of a name, of whoever has it at present. Null: it is gone, or about another prefix. */
  static async at(services: Services, name: string, prefix: string): Promise<PrefixMark | null> {
    const entry = await services.barrier.get(PREFIX_MARK_PREFIX + name);
    const record = entry === null ? null : decode(entry);
    if (entry === null || record?.doomed.prefix !== prefix) return null;
    const mark = new PrefixMark(services, entry.key, record, entry.version);
    mark.#keptAt = (entry.dueAt ?? TAKEN_MS) - TAKEN_MS;
    return mark;
  }

  /** Whether the lease was there already when the revocation began. */
  covers({ record: { issuedAt, mountUuid }, version }: StoredLease): boolean {
    const { doomed, since = ABSENT, startedAt } = this.#record;
    const isOfMount = doomed.mountUuid === undefined || doomed.mountUuid === mountUuid;
    return isOfMount && (version < since || issuedAt <= startedAt);
  }

  /** Says that the revocation goes on. To be called often: it writes only when much of the time is over. */
  async keep(): Promise<void> {
    if (Math.abs(this.#services.clock.now() - this.#keptAt) < TAKEN_MS / 4) return;
    try {
      await this.#put();
    } catch (error) {
      // Somebody else has taken it over: it was silent for too long. What is begun here is ended all the same.
      if (!hasCode(error, "STORE_CONFLICT")) throw error;
    }
  }

  /** The write that ends it. */
  removal() {
    return { op: "delete", key: this.key, expect: this.#version } as const;
  }

  /** The write that has somebody go on with it at once. */
  continuation() {
    return this.#write(this.#services.clock.now());
  }

  async #put(): Promise<void> {
    // Before the commit, so that of several who call at the same time one writes.
    this.#keptAt = this.#services.clock.now();
    const [version] = await this.#services.barrier.commit([this.#write(this.#keptAt + TAKEN_MS)]);
    this.#version = version ?? this.#version;
  }

  #write(dueAt: number) {
    const value = encoder.encode(JSON.stringify(this.#record));
    return { op: "put", key: this.key, value, dueAt, expect: this.#version } as const;
  }
}

/** @throws BARRIER_DAMAGED when the entry is not a mark of a known version. */
function decode(entry: StoredEntry): MarkRecord {
  const value = parseJson(Buffer.from(entry.value).toString("utf8"));
  if (!isJsonObject(value) || value.v !== 1)
    throw new VsecError("BARRIER_DAMAGED", "the record of a revocation by prefix cannot be read");
  return value as unknown as MarkRecord;
}
