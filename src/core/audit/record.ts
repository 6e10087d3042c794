import { createHash } from "node:crypto";
import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import type { AuditCaller, AuditEntry, AuditMount, AuditResponse } from "./entry.ts";
import type { Hasher } from "./hashing.ts";

/** Headers that records show, by their lower-case names, and whether hashed. */
export type AuditedHeaders = Readonly<Record<string, { readonly hmac: boolean }>>;

export interface RecordOptions {
  readonly hasher: Hasher;
  /** Lists show how many keys there were instead of the keys. */
  readonly elideListResponses: boolean;
  readonly headers: AuditedHeaders;
}

/** Headers that carry a token. They are hashed whatever the configuration says. */
const TOKEN_HEADERS: readonly string[] = ["x-vault-token", "authorization"];

/** The only namespace. */
const NAMESPACE: JsonObject = { id: "root" };

/**
 * One line of an audit log, before it is written down. Empty members are left out; inside of data they stay.
 * @see reference: audit, line format.
 */
export function auditRecord(
  type: "request" | "response",
  entry: AuditEntry,
  options: RecordOptions,
): JsonObject {
  const { hasher } = options;
  return compact({
    time: new Date(entry.time).toISOString(),
    type,
    auth: authOf(entry, hasher),
    request: requestOf(entry, options),
    ...(type === "response" ? { response: responseOf(entry, options) } : {}),
    error: entry.error ?? "",
  });
}

/** Drops what is empty: "", 0, false, null, and objects and lists without elements. */
function compact(block: Readonly<Record<string, Json>>): JsonObject {
  return Object.fromEntries(Object.entries(block).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: Json): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === null || value === "" || value === 0 || value === false;
}

/** Hashes a text that may be empty, which then stays so. */
function hashed(value: Json | undefined, hash: (text: string) => string): string {
  return typeof value === "string" && value !== "" ? hash(value) : "";
}

function authOf(entry: AuditEntry, hasher: Hasher): JsonObject {
  const { caller, policyResults, identityPolicies = [] } = entry;
  const results: JsonObject | null =
    policyResults === null
      ? null
      : {
          allowed: policyResults.allowed,
          ...compact({ granting_policies: policyResults.grantingPolicies.map(grantingPolicy) }),
        };
  if (caller === null) return compact({ policy_results: results, token_type: "default" });
  const { record } = caller;
  return compact({
    client_token: hashed(caller.token, hasher.text),
    accessor: hashed(record.accessor, hasher.accessor),
    display_name: record.displayName,
    policies: [...new Set([...record.policies, ...identityPolicies])].sort(),
    token_policies: record.policies,
    identity_policies: identityPolicies,
    no_default_policy: record.noDefaultPolicy,
    policy_results: results,
    metadata: record.meta,
    remaining_uses: record.numUses,
    entity_id: record.entityId,
    token_type: record.type,
    token_ttl: record.ttlSeconds,
    token_issue_time: `${new Date(record.createdAt).toISOString().slice(0, 19)}Z`,
  });
}

function grantingPolicy(name: string): JsonObject {
  return { name, namespace_id: NAMESPACE.id ?? "", type: "acl" };
}

/** Who is counted as one client: the entity, or, without one, the token's set of policies. */
function clientId({ record }: AuditCaller): string {
  if (record.entityId !== "") return record.entityId;
  // The separators are Vault's, so that its figures and ours name a client alike.
  const text = `${[...record.policies].sort().join("\x7f")}\x00${String(NAMESPACE.id)}`;
  return createHash("sha256").update(text).digest("base64");
}

function mountOf(mount: AuditMount | null): JsonObject {
  if (mount === null) return {};
  return {
    mount_point: mount.path,
    mount_type: mount.type,
    mount_accessor: mount.accessor,
    mount_class: mount.class,
  };
}

function requestOf(entry: AuditEntry, options: RecordOptions): JsonObject {
  const { caller, mount } = entry;
  const { hasher } = options;
  return compact({
    id: entry.requestId,
    client_id: caller === null ? "" : clientId(caller),
    operation: entry.operation,
    ...mountOf(mount),
    client_token: hashed(caller?.token ?? entry.clientToken, hasher.text),
    client_token_accessor: hashed(caller?.record.accessor, hasher.accessor),
    namespace: NAMESPACE,
    path: entry.path,
    data: hasher.data(entry.data, mount?.nonHmacRequestKeys ?? []),
    remote_address: entry.remoteAddress,
    remote_port: entry.remotePort ?? 0,
    wrap_ttl: entry.wrapTtlSeconds,
    headers: headersOf(entry, options),
  });
}

function headersOf(entry: AuditEntry, { hasher, headers }: RecordOptions): JsonObject {
  const shown = Object.entries(entry.headers).flatMap(([name, value]): [string, Json][] => {
    const key = name.toLowerCase();
    const audited = Object.hasOwn(headers, key) ? headers[key] : undefined;
    if (audited === undefined) return [];
    const values = typeof value === "string" ? [value] : value;
    return [[key, audited.hmac || TOKEN_HEADERS.includes(key) ? values.map(hasher.text) : values]];
  });
  return Object.fromEntries(shown);
}

function responseOf(entry: AuditEntry, options: RecordOptions): JsonObject {
  const { mount, response } = entry;
  const { hasher } = options;
  if (response === undefined || response === null) return compact(mountOf(mount));
  const { data } = response;
  const isElided = options.elideListResponses && entry.operation === "list" && data !== null;
  const shown = isElided ? elided(data) : data;
  return compact({
    auth: response.auth === null ? null : issuedAuth(response.auth, hasher),
    ...mountOf(mount),
    secret: compact({ lease_id: response.leaseId }),
    data: shown === null ? null : hasher.data(shown, mount?.nonHmacResponseKeys ?? []),
    warnings: response.warnings,
    wrap_info: response.wrapInfo === null ? null : wrapInfoOf(response, hasher),
  });
}

/** A list's answer with the number of its keys in place of the keys. */
function elided(data: JsonObject): JsonObject {
  const { keys, key_info: info } = data;
  return {
    ...data,
    ...(Array.isArray(keys) ? { keys: keys.length } : {}),
    ...(isJsonObject(info) ? { key_info: Object.keys(info).length } : {}),
  };
}

/** A token that was issued or renewed, from the `auth` of the answer's envelope. */
function issuedAuth(auth: JsonObject, hasher: Hasher): JsonObject {
  return compact({
    client_token: hashed(auth.client_token, hasher.text),
    accessor: hashed(auth.accessor, hasher.accessor),
    display_name: auth.display_name ?? "",
    policies: auth.policies ?? [],
    token_policies: auth.token_policies ?? [],
    identity_policies: auth.identity_policies ?? [],
    no_default_policy: auth.no_default_policy ?? false,
    metadata: auth.metadata ?? null,
    num_uses: auth.num_uses ?? 0,
    entity_id: auth.entity_id ?? "",
    token_type: auth.token_type ?? "",
    token_ttl: auth.lease_duration ?? 0,
  });
}

function wrapInfoOf({ wrapInfo }: AuditResponse, hasher: Hasher): JsonObject {
  return compact({
    ttl: wrapInfo?.ttl ?? 0,
    token: hashed(wrapInfo?.token, hasher.text),
    accessor: hashed(wrapInfo?.accessor, hasher.accessor),
    creation_time: wrapInfo?.creation_time ?? "",
    creation_path: wrapInfo?.creation_path ?? "",
    wrapped_accessor: hashed(wrapInfo?.wrapped_accessor, hasher.accessor),
  });
}
