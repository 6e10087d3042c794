import type { IAMClient } from "@aws-sdk/client-iam";
import type { STSClient } from "@aws-sdk/client-sts";
import type { MountContext } from "../../framework/backend.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import { type AssumedRole, type RootConfig, readRoot } from "./config.ts";
import { isUnavailable } from "./errors.ts";
import type { OpenOptions } from "./open-clients.ts";
import { Pace } from "./pace.ts";

/** Open clients. Use {@link onSts} for STS. */
export interface AwsClients {
  readonly iam: IAMClient;
  /** The configured endpoint, then the fallbacks. Never empty. */
  readonly sts: readonly STSClient[];
}

/** Keys that are not the configured ones. */
export interface AwsKeys {
  readonly accessKey: string;
  readonly secretKey: string;
}

/** What tests make smaller. */
export interface AwsTuning {
  /** Null: the default. */
  readonly requestTimeoutMs: number | null;
}

/** The clients of a mount: kept open, and opened anew when the configuration is another one. */
export class Clients {
  readonly #storage: EngineStorage;
  readonly #tuning: AwsTuning;
  #cached: { readonly version: number; readonly clients: AwsClients } | null = null;

  readonly #pace: Pace;

  constructor({ storage, clock }: Pick<MountContext, "storage" | "clock">, tuning: AwsTuning) {
    this.#storage = storage;
    this.#pace = new Pace(clock);
    this.#tuning = tuning;
  }

  /** The clients of the configuration in force, which another process may have changed. */
  async get(): Promise<AwsClients> {
    const { config, version } = await readRoot(this.#storage);
    if (this.#cached?.version === version) return this.#cached.clients;
    // Requests that are under way keep the old clients, whose idle sockets close by themselves.
    const clients = await this.#open(config);
    this.#cached = { version, clients };
    return clients;
  }

  /** Clients of their own with other keys; the caller destroys them with {@link destroyClients}. */
  async withKeys(keys: AwsKeys, attemptsMax?: number): Promise<AwsClients> {
    const { config } = await readRoot(this.#storage);
    return this.#open({ ...config, ...keys, roleArn: "" }, attemptsMax === undefined ? {} : { attemptsMax });
  }

  /** Clients that work as a role, most often one of another account; the caller destroys them. */
  async withRole(role: AssumedRole): Promise<AwsClients> {
    const { config } = await readRoot(this.#storage);
    return this.#open(config, { via: [role] });
  }

  async #open(config: RootConfig, more: Pick<OpenOptions, "attemptsMax" | "via"> = {}): Promise<AwsClients> {
    const { openClients, REQUEST_TIMEOUT_MS } = await import("./open-clients.ts");
    return openClients(config, {
      requestTimeoutMs: this.#tuning.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      pace: this.#pace,
      ...more,
    });
  }

  async close(): Promise<void> {
    if (this.#cached !== null) destroyClients(this.#cached.clients);
    this.#cached = null;
  }
}

export function destroyClients({ iam, sts }: AwsClients): void {
  iam.destroy();
  for (const client of sts) client.destroy();
}

/** Asks STS; the next endpoint where one cannot be reached. @throws what the last one that was asked threw. */
export async function onSts<T>({ sts }: AwsClients, ask: (client: STSClient) => Promise<T>): Promise<T> {
  let failure: unknown;
  for (const client of sts) {
    try {
      return await ask(client);
    } catch (error) {
      failure = error;
      if (!isUnavailable(error)) break;
    }
  }
  throw failure;
}
