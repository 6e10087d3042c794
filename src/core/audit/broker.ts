import { ApiError, aggregate, messageOf } from "../../base/errors.ts";
import type { Services } from "../services.ts";
import { makeDevice } from "./devices/index.ts";
import { type LineOptions, lineOptions } from "./devices/options.ts";
import type { AuditDevice, Console } from "./devices/port.ts";
import type { AuditEntry } from "./entry.ts";
import { hasher } from "./hashing.ts";
import { type AuditedHeaders, auditRecord } from "./record.ts";
import { type AuditConfig, AuditTable, type DeviceEntry } from "./table.ts";

export interface AuditOptions {
  /** Where devices of type `stdout` write; this process's standard output unless given. */
  readonly console?: Console;
}

type BrokerServices = Pick<Services, "barrier" | "clock" | "random" | "log">;

/** An enabled device as this process has it. */
interface Running {
  readonly entry: DeviceEntry;
  readonly line: LineOptions;
  readonly device: AuditDevice;
  /** Whether its last line was lost, which is said once. */
  isFailing: boolean;
}

/**
 * Has every request and response written down by every enabled device. At least one of them must take each line; with
 * devices enabled and none able to, the request is refused before anything was done.
 * @see reference: audit, failure rule.
 */
export class AuditBroker {
  readonly table: AuditTable;
  readonly services: BrokerServices;
  readonly #console: Console | undefined;
  readonly #running = new Map<string, Promise<Running>>();

  constructor(services: BrokerServices, { console }: AuditOptions = {}) {
    this.services = services;
    this.table = new AuditTable(services.barrier);
    this.#console = console;
  }

  /** Whether any device is enabled. {@link AuditBroker.request} finds out by itself. */
  async enabled(): Promise<boolean> {
    return (await this.table.load()).devices.length > 0;
  }

  /**
   * Writes a request down; when it resolves, its record is safe. Costs one read of the store when no device is enabled.
   * @throws ApiError 500 when no device could: the request must not be carried out.
   */
  async request(entry: AuditEntry): Promise<void> {
    const isSafe = await this.#write(await this.table.load(), "request", entry);
    if (!isSafe) throw new ApiError(500, aggregate("internal error"));
  }

  /**
   * Writes a response down, by the devices that its request found, or that it enabled itself.
   * @throws ApiError 500 when no device could: the answer must not be shown.
   */
  async response(entry: AuditEntry): Promise<void> {
    const isSafe = await this.#write(this.table.last ?? (await this.table.load()), "response", entry);
    if (!isSafe) throw new ApiError(500, "internal error");
  }

  /**
   * Opens all devices anew, as after a rotation. One that cannot be opened is tried again with its next line.
   * @returns How many could not be opened.
   */
  async reopen(): Promise<number> {
    const running = await this.#runningOf(await this.table.load());
    const outcomes = await Promise.all(
      running.map(async (one) => {
        try {
          await one.device.reopen();
          return true;
        } catch (error) {
          this.#say(one, messageOf(error));
          return false;
        }
      }),
    );
    return outcomes.filter((isOpen) => !isOpen).length;
  }

  /** Waits for what is being written, and lets go of all devices. */
  async close(): Promise<void> {
    const all = [...this.#running.values()];
    this.#running.clear();
    await Promise.allSettled(all.map(async (running) => (await running).device.close()));
  }

  /** Makes an entry's device, apart from those that are running. @throws ApiError 400 for what it cannot have. */
  async make(entry: DeviceEntry): Promise<AuditDevice> {
    return makeDevice(entry.type, entry.options, { clock: this.services.clock, console: this.#console });
  }

  /** @returns False when there are devices and each of them failed. */
  async #write(config: AuditConfig, type: "request" | "response", entry: AuditEntry): Promise<boolean> {
    if (config.devices.length === 0 && this.#running.size === 0) return true;
    const running = await this.#runningOf(config);
    const outcomes = await Promise.all(running.map((one) => this.#writeTo(one, type, entry, config.headers)));
    return outcomes.length === 0 || outcomes.includes(true);
  }

  async #writeTo(
    one: Running,
    type: "request" | "response",
    entry: AuditEntry,
    headers: AuditedHeaders,
  ): Promise<boolean> {
    try {
      await one.device.write(auditLine(one.entry, one.line, type, entry, headers));
      if (one.isFailing) this.services.log.info("audit device works again", { device: one.entry.path });
      one.isFailing = false;
      return true;
    } catch (error) {
      this.#say(one, messageOf(error));
      return false;
    }
  }

  #say(one: Running, error: string): void {
    if (!one.isFailing) this.services.log.error("audit device failed", { device: one.entry.path, error });
    one.isFailing = true;
  }

  /** The devices of a configuration, running; those that are not in it any more are let go. */
  async #runningOf(config: AuditConfig): Promise<readonly Running[]> {
    const wanted = new Set(config.devices.map(({ uuid }) => uuid));
    for (const [uuid, running] of this.#running) {
      if (wanted.has(uuid)) continue;
      this.#running.delete(uuid);
      await (await running).device.close();
    }
    return Promise.all(
      config.devices.map((entry) => {
        const running = this.#running.get(entry.uuid) ?? this.#start(entry);
        this.#running.set(entry.uuid, running);
        return running;
      }),
    );
  }

  async #start(entry: DeviceEntry): Promise<Running> {
    try {
      const device = await this.make(entry);
      return { entry, line: lineOptions(entry.options), device, isFailing: false };
    } catch (error) {
      // Enabled by another version, perhaps: to this one it is a device that cannot write.
      return { entry, line: lineOptions({}), device: brokenDevice(error), isFailing: false };
    }
  }
}

function brokenDevice(error: unknown): AuditDevice {
  const fail = (): Promise<void> => Promise.reject(error);
  return { open: fail, write: fail, reopen: fail, close: () => Promise.resolve() };
}

/** A record as a device writes it, with its line end. */
export function auditLine(
  entry: DeviceEntry,
  { hmacAccessor, logRaw, elideListResponses, prefix }: LineOptions,
  type: "request" | "response",
  request: AuditEntry,
  headers: AuditedHeaders,
): string {
  const options = {
    hasher: hasher({ salt: entry.salt, hmacAccessor, logRaw }),
    elideListResponses,
    headers,
  };
  return `${prefix}${JSON.stringify(auditRecord(type, request, options))}\n`;
}
