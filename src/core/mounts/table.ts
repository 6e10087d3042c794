import type { Barrier, Write } from "../../barrier/port.ts";
import { ApiError, hasCode, VsecError } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../base/json.ts";

/** A mount's TTLs and what else `tune` sets. TTLs are seconds; 0: the system's. */
export interface MountConfig {
  readonly defaultLeaseTtlSeconds: number;
  readonly maxLeaseTtlSeconds: number;
  readonly forceNoCache: boolean;
  /** Tuned values that are only kept and shown: listing_visibility, passthrough_request_headers and the like. */
  readonly extra: JsonObject;
  /** Only of auth methods. */
  readonly auth?: AuthMountConfig;
}

/** What a tune of an auth method sets besides. */
export interface AuthMountConfig {
  /** Forces the type of the method's tokens (service, batch), or decides where a role does not. */
  readonly tokenType: MountTokenType;
  /** Null: the defaults. */
  readonly lockout: LockoutConfig | null;
}

export const MOUNT_TOKEN_TYPES = ["default-service", "default-batch", "service", "batch"] as const;
export type MountTokenType = (typeof MOUNT_TOKEN_TYPES)[number];

/** When a name is locked out of an auth method. @see reference: tokens, use at request time. */
export interface LockoutConfig {
  /** Wrong credentials in a row that lock the name. */
  readonly threshold: number;
  readonly durationSeconds: number;
  /** Without another wrong attempt for this long, counting begins anew. */
  readonly counterResetSeconds: number;
  readonly disabled: boolean;
}

/** Auth methods are mounted below this. */
export const AUTH_PREFIX = "auth/";

/** The accessor of the token method, which is always there and has no entry. */
export const TOKEN_ACCESSOR = "auth_token_00000000";

export interface MountEntry {
  /** With its trailing slash: `database/`. */
  readonly path: string;
  readonly type: string;
  readonly uuid: string;
  readonly accessor: string;
  readonly description: string;
  readonly config: MountConfig;
  readonly options: Readonly<Record<string, string>> | null;
  readonly local: boolean;
  readonly sealWrap: boolean;
  readonly externalEntropyAccess: boolean;
  /**
   * Disabled while some of its leases could not be revoked yet. It takes no requests, but its engine and data stay until
   * the last of them is gone, so that disabling a mount strands nothing.
   */
  readonly retired: boolean;
  /** Paths it was mounted at before; leases that could not be revoked yet may still begin with them. */
  readonly formerPaths: readonly string[];
}

/** Whether the mount is an auth method, which its path tells. */
export function isAuthMount(entry: Pick<MountEntry, "path">): boolean {
  return entry.path.startsWith(AUTH_PREFIX);
}

/** The mount's say in the type of its tokens. */
export function mountTokenType(entry: MountEntry): MountTokenType {
  return entry.config.auth?.tokenType ?? "default-service";
}

interface Snapshot {
  readonly version: number;
  readonly entries: readonly MountEntry[];
}

const KEY = "core/mounts";
const CHANGE_ATTEMPTS_MAX = 20;

/** The write that lays an empty table at init. */
export function emptyMountTable(): { op: "put"; key: string; value: Uint8Array; expect: number } {
  return { op: "put", key: KEY, value: encode([]), expect: 0 };
}

function encode(entries: readonly MountEntry[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ v: 1, mounts: entries }));
}

/** The mounts of the store, shared with other processes: read afresh whenever another one has changed them. */
export class MountTable {
  readonly #barrier: Barrier;
  #snapshot: Snapshot | undefined;

  constructor(barrier: Barrier) {
    this.#barrier = barrier;
  }

  async entries(): Promise<readonly MountEntry[]> {
    return (await this.#load()).entries;
  }

  async #load(): Promise<Snapshot> {
    const entry = await this.#barrier.get(KEY);
    if (entry === null) throw new VsecError("BARRIER_DAMAGED", "the store has no mount table");
    if (this.#snapshot?.version === entry.version) return this.#snapshot;
    const value = parseJson(Buffer.from(entry.value).toString("utf8"));
    if (!isJsonObject(value) || value.v !== 1) {
      throw new VsecError("BARRIER_DAMAGED", "the mount table is of a version that this vsec does not know");
    }
    this.#snapshot = { version: entry.version, entries: value.mounts as unknown as readonly MountEntry[] };
    return this.#snapshot;
  }

  /**
   * A precondition for a commit: this mount stands, at this path. It fails also when another mount was changed; then ask again.
   * @param isFirst - What was read last will do: should it be out of date, the commit fails.
   * @throws ApiError 404 when it does not.
   */
  async checkStanding({ uuid, path }: MountEntry, isFirst: boolean): Promise<Write> {
    const { version, entries } = (isFirst ? this.#snapshot : undefined) ?? (await this.#load());
    const stands = entries.some((entry) => entry.uuid === uuid && entry.path === path && !entry.retired);
    if (!stands) throw new ApiError(404, `no handler for route "${path}". route entry not found.`);
    return { op: "check", key: KEY, expect: version };
  }

  /** Changes with every change of the table. */
  async version(): Promise<number> {
    return (await this.#load()).version;
  }

  /** Removes a mount, if the table is still at this version. @returns Whether it was. */
  async removeAt(version: number, uuid: string): Promise<boolean> {
    const before = await this.#load();
    if (before.version !== version) return false;
    const value = encode(before.entries.filter((entry) => entry.uuid !== uuid));
    try {
      await this.#barrier.commit([{ op: "put", key: KEY, value, expect: version }]);
      return true;
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT")) throw error;
      return false;
    }
  }

  /**
   * A write that goes along with something which needs this mount, disabled or not: whoever is about to remove it looks again.
   * It fails also when another mount was changed. Null: there is no such mount any more.
   */
  async touch(uuid: string): Promise<Write | null> {
    const { version, entries } = await this.#load();
    if (!entries.some((entry) => entry.uuid === uuid)) return null;
    return { op: "put", key: KEY, value: encode(entries), expect: version };
  }

  /**
   * Replaces the entries by what `change` makes of them; called again on fresh entries when another process was faster.
   * @param also - Writes that are committed together with the table.
   * @returns The entries as they were before.
   */
  async change(
    change: (entries: readonly MountEntry[]) => readonly MountEntry[],
    also: readonly Write[] = [],
  ): Promise<readonly MountEntry[]> {
    for (let attempt = 1; ; attempt += 1) {
      const before = await this.#load();
      const after = change(before.entries);
      try {
        const table: Write = { op: "put", key: KEY, value: encode(after), expect: before.version };
        await this.#barrier.commit([table, ...also]);
        return before.entries;
      } catch (error) {
        if (!hasCode(error, "STORE_CONFLICT") || attempt === CHANGE_ATTEMPTS_MAX) throw error;
      }
    }
  }
}
