import type { ApiRequest, ApiResponse } from "../contract/wire.ts";

/** How a command reaches the API: in this process, or over a socket to a daemon. */
export interface Client {
  /**
   * Carries out one request. A refusal is an answer (status 400 and above), not an exception.
   * @throws VsecError when the API cannot be reached at all: no store, no daemon, no key.
   */
  request(request: ApiRequest): Promise<ApiResponse>;
  /** The URL that error messages show for a path: `vsec://local/v1/<path>` or the daemon's. */
  url(path: string): string;
  /** Ends what the client holds. A local client may first look after a few overdue leases, within a small bound. */
  close(): Promise<void>;
}
