import type { ApiRequest, ApiResponse } from "../../contract/wire.ts";
import type { Core } from "../core.ts";

/** An unsealed core and the requests that it is answering. */
export class Serving {
  readonly core: Core;
  #requests = 0;
  #isRetired = false;
  #isClosed = false;

  constructor(core: Core) {
    this.core = core;
  }

  async handle(request: ApiRequest): Promise<ApiResponse> {
    this.#requests += 1;
    try {
      return await this.core.handle(request);
    } finally {
      this.#requests -= 1;
      if (this.#isRetired && this.#requests === 0) await this.close();
    }
  }

  /** Ends once the requests under way have their answers: the one that asks for the sealing is among them. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    if (this.#requests === 0) await this.close();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.core.close();
  }
}
