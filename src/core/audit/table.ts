import { ABSENT, type Barrier } from "../../barrier/port.ts";
import { hasCode, VsecError } from "../../base/errors.ts";
import { isJsonObject, parseJson } from "../../base/json.ts";
import type { DeviceOptions } from "./devices/options.ts";
import type { AuditedHeaders } from "./record.ts";

/** An enabled audit device. */
export interface DeviceEntry {
  /** With its trailing slash: `file/`. */
  readonly path: string;
  readonly type: string;
  readonly uuid: string;
  readonly description: string;
  /** As they were given. */
  readonly options: DeviceOptions;
  /** Kept and shown. */
  readonly local: boolean;
  /** The key of this device's hashes. Never shown. */
  readonly salt: string;
}

/** All that audit is configured by. */
export interface AuditConfig {
  readonly devices: readonly DeviceEntry[];
  readonly headers: AuditedHeaders;
}

interface Snapshot extends AuditConfig {
  /** Of the entry; {@link ABSENT} when nothing was ever configured. */
  readonly version: number;
}

const KEY = "core/audit";
const CHANGE_ATTEMPTS_MAX = 20;
const NOTHING: Snapshot = { version: ABSENT, devices: [], headers: {} };

/** The audit configuration of the store, shared with other processes: read afresh whenever another one has changed it. */
export class AuditTable {
  readonly #barrier: Barrier;
  #snapshot: Snapshot | undefined;

  constructor(barrier: Barrier) {
    this.#barrier = barrier;
  }

  /** The configuration as it was last read here. Undefined: it was not read yet. */
  get last(): AuditConfig | undefined {
    return this.#snapshot;
  }

  /** Costs one read of the store. The same object comes back as long as nothing has changed. */
  async load(): Promise<AuditConfig> {
    return this.#load();
  }

  async #load(): Promise<Snapshot> {
    const entry = await this.#barrier.get(KEY);
    if ((entry?.version ?? ABSENT) === this.#snapshot?.version) return this.#snapshot;
    this.#snapshot = entry === null ? NOTHING : decode(entry.value, entry.version);
    return this.#snapshot;
  }

  /** Replaces the configuration by what `change` makes of it; called again when another process was faster. */
  async change(change: (config: AuditConfig) => AuditConfig): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const before = await this.#load();
      const after = change(before);
      if (after === before) return;
      try {
        const value = encode(after);
        const [version = ABSENT] = await this.#barrier.commit([
          { op: "put", key: KEY, value, expect: before.version },
        ]);
        this.#snapshot = { devices: after.devices, headers: after.headers, version };
        return;
      } catch (error) {
        if (!hasCode(error, "STORE_CONFLICT") || attempt === CHANGE_ATTEMPTS_MAX) throw error;
      }
    }
  }
}

function encode({ devices, headers }: AuditConfig): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ v: 1, devices, headers }));
}

function decode(bytes: Uint8Array, version: number): Snapshot {
  const value = parseJson(Buffer.from(bytes).toString("utf8"));
  if (!isJsonObject(value) || value.v !== 1) {
    throw new VsecError(
      "BARRIER_DAMAGED",
      "the audit configuration is of a version that this vsec does not know",
    );
  }
  const { devices, headers } = value as unknown as AuditConfig;
  return { version, devices, headers };
}
