import type { Json, JsonObject } from "../base/json.ts";
import type { ProcessIdentity } from "../base/processes.ts";

/** The HTTP verbs of the API; LIST is Vault's own. HELP is `GET` with `?help=1`. */
export type Method = "GET" | "PUT" | "POST" | "PATCH" | "DELETE" | "LIST" | "HELP";

/** Whom a lease is for, should the request give one. Over HTTP these are headers of ours, which no one else reads. */
export interface LeasePurpose {
  /** The process that the lease ends with. */
  readonly owner?: ProcessIdentity;
  /** What the one who asks calls it: printable, at most {@link LABEL_CHARS_MAX} characters. */
  readonly label?: string;
}

export const LABEL_CHARS_MAX = 128;

/** A request as any transport carries it. */
export interface ApiRequest {
  readonly method: Method;
  /** Below `/v1/`, without a leading slash: `database/creds/readonly`. */
  readonly path: string;
  /** Query parameters (GET, LIST, DELETE); a repeated one is an array. */
  readonly query?: JsonObject;
  /** JSON body (PUT, POST, PATCH); null or absent: none. */
  readonly body?: Json;
  readonly token?: string;
  /** Seconds; absent or 0: the answer is not wrapped. */
  readonly wrapTtlSeconds?: number;
  readonly leaseFor?: LeasePurpose;
  /** Where it came from over a network; absent: this machine. */
  readonly remoteAddress?: string;
  /** Headers by lower-case name, for audit devices that are told to show some. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer: a status and a JSON body, null where there is none (204, or a queued 202). */
export interface ApiResponse {
  readonly status: number;
  readonly body: Json;
  /** Given: the body is a text of this type, and goes over the wire as it is. Absent: it is JSON. */
  readonly contentType?: string;
}

/** The body of an enveloped answer. Key order is the order in which it is shown. */
export interface Envelope {
  readonly request_id: string;
  readonly lease_id: string;
  readonly renewable: boolean;
  readonly lease_duration: number;
  readonly data: JsonObject | null;
  readonly wrap_info: JsonObject | null;
  readonly warnings: readonly string[] | null;
  readonly auth: JsonObject | null;
  readonly mount_type: string;
}
