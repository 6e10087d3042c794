import type { Instance } from "../compose.ts";
import type { ApiRequest, ApiResponse } from "../contract/wire.ts";
import { escapePath } from "./address.ts";
import type { Client } from "./client.ts";
import { sweep } from "./sweep.ts";

export interface LocalOptions {
  /** The store's directory; undefined: VSEC_STORE, else the user's data directory. */
  readonly storeDir?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs requests in this process, against the store on disk. The store is opened by the first request. */
export async function openLocalClient(options: LocalOptions): Promise<Client> {
  const { composeInstance } = await import("../compose.ts");
  return new LocalClient(composeInstance({ ...options, isOneShot: true }), options.env.VSEC_SWEEP !== "off");
}

class LocalClient implements Client {
  readonly #instance: Instance;
  readonly #sweeps: boolean;
  /** Whether a request went through, so that the store is there and open. */
  #used = false;

  constructor(instance: Instance, sweeps: boolean) {
    this.#instance = instance;
    this.#sweeps = sweeps;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    const response = await this.#instance.handle(request);
    this.#used ||= response.status < 500;
    return response;
  }

  url(path: string): string {
    return `vsec://local/v1/${escapePath(path)}`;
  }

  async close(): Promise<void> {
    try {
      if (this.#sweeps && this.#used) await sweep(this.#instance);
    } finally {
      await this.#instance.close();
    }
  }
}
