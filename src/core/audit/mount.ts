import type { Json } from "../../base/json.ts";
import { decodeCommaStringList } from "../../framework/weak-decode.ts";
import { isAuthMount, type MountEntry } from "../mounts/table.ts";
import type { AuditMount } from "./entry.ts";

/**
 * What audit is told of the mount that a request is for.
 * @param entry - Null for the core's own backends.
 */
export function auditMount(path: string, type: string, entry: MountEntry | null): AuditMount {
  return {
    path,
    type,
    accessor: entry?.accessor ?? "",
    class: path === "sys/" ? "" : isAuthMount({ path }) ? "auth" : "secret",
    nonHmacRequestKeys: keysOf(entry?.config.extra.audit_non_hmac_request_keys),
    nonHmacResponseKeys: keysOf(entry?.config.extra.audit_non_hmac_response_keys),
  };
}

/** A tuned list of names. What is none of texts names nothing: then everything is hashed. */
function keysOf(value: Json | undefined): readonly string[] {
  if (value === undefined || value === null) return [];
  try {
    return decodeCommaStringList(value);
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
