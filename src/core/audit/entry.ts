import type { Json, JsonObject } from "../../base/json.ts";
import type { Operation } from "../../framework/backend.ts";

/** What a record says of the caller's token. A token's record has all of it. Times are milliseconds since the epoch. */
export interface AuditedToken {
  readonly accessor: string;
  readonly policies: readonly string[];
  readonly displayName: string;
  readonly createdAt: number;
  readonly ttlSeconds: number;
  /** Uses that are left; 0: unlimited. */
  readonly numUses: number;
  readonly meta: Readonly<Record<string, string>> | null;
  readonly type: "service" | "batch";
  readonly entityId: string;
  readonly noDefaultPolicy: boolean;
}

export interface AuditCaller {
  /** The token itself; records carry its hash. */
  readonly token: string;
  readonly record: AuditedToken;
}

/** The mount that a request is for. */
export interface AuditMount {
  /** With its trailing slash. */
  readonly path: string;
  readonly type: string;
  /** Empty for the core's own. */
  readonly accessor: string;
  /** Empty for `sys/`. */
  readonly class: "secret" | "auth" | "";
  /** Keys of the request's and the response's data whose values are shown as they are. */
  readonly nonHmacRequestKeys: readonly string[];
  readonly nonHmacResponseKeys: readonly string[];
}

/** What was answered. A wrapped answer has {@link AuditResponse.wrapInfo} and nothing else. */
export interface AuditResponse {
  readonly data: JsonObject | null;
  /** The `auth` of the answer's envelope. */
  readonly auth: JsonObject | null;
  /** Empty: no lease. */
  readonly leaseId: string;
  readonly warnings: readonly string[];
  /** The `wrap_info` of the answer's envelope. */
  readonly wrapInfo: JsonObject | null;
}

/** A request as audit devices get it: in clear. What they write is another matter. */
export interface AuditEntry {
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly operation: Operation;
  /** The whole path, `database/creds/readonly`. */
  readonly path: string;
  readonly mount: AuditMount | null;
  readonly data: JsonObject;
  /** The token that was presented, good or not; empty: none. */
  readonly clientToken: string;
  /** Null: nobody, or a token that is not good. */
  readonly caller: AuditCaller | null;
  /** Policies that the caller has through its entity. */
  readonly identityPolicies?: readonly string[];
  /** Null: the policies were not asked. */
  readonly policyResults: { readonly allowed: boolean; readonly grantingPolicies: readonly string[] } | null;
  readonly remoteAddress: string | null;
  readonly remotePort?: number;
  /** 0: the answer is not to be wrapped. */
  readonly wrapTtlSeconds: number;
  /** All of the request's; records have those that are configured. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Why the request was refused or failed. */
  readonly error?: string;
  /** Absent in the request's own record. */
  readonly response?: AuditResponse | null;
}

const isText = (value: Json | undefined): value is string => typeof value === "string";

/**
 * What an answer's body says to audit. Envelopes are taken apart, wrapped ones and those that `sys/wrapping/unwrap` gives
 * back too; a bare body counts as data.
 * @returns Null for an answer without a body, or whose body is a refusal.
 */
export function auditResponse(body: Json): AuditResponse | null {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return null;
  const envelope = body as JsonObject;
  if ("errors" in envelope && !("request_id" in envelope)) return null;
  if (!("request_id" in envelope)) {
    return { data: envelope, auth: null, leaseId: "", warnings: [], wrapInfo: null };
  }
  const wrapInfo = (envelope.wrap_info ?? null) as JsonObject | null;
  if (wrapInfo !== null) return { data: null, auth: null, leaseId: "", warnings: [], wrapInfo };
  const { lease_id: leaseId, warnings } = envelope;
  return {
    data: (envelope.data ?? null) as JsonObject | null,
    auth: (envelope.auth ?? null) as JsonObject | null,
    leaseId: isText(leaseId) ? leaseId : "",
    warnings: Array.isArray(warnings) ? warnings.filter(isText) : [],
    wrapInfo: null,
  };
}
