/** What the connection details of a Redis connection mean. @see reference: engines.md section 1.9.6. */

import { badRequest } from "../../../../base/errors.ts";
import type { JsonObject } from "../../../../base/json.ts";
import { booleanDetail, textDetail } from "../../connection-url.ts";
import { pemDetail, portDetail, requiredDetail } from "../../details.ts";

/** What makes a change of users outlast a restart of the server: nothing, `CONFIG REWRITE`, or `ACL SAVE`. */
export const PERSISTENCE_MODES = ["none", "rewrite", "aclfile"] as const;
export type PersistenceMode = (typeof PERSISTENCE_MODES)[number];

export interface RedisSettings {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** Undefined: no TLS. */
  readonly tls: { readonly authority: string | undefined; readonly isVerified: boolean } | undefined;
  readonly persistence: PersistenceMode;
}

/** Reads connection details. @throws ApiError 400 naming the parameter that is wrong. */
export function redisSettings(details: JsonObject): RedisSettings {
  return {
    host: hostOf(requiredDetail(details, "host")),
    port: portDetail(details, "port", 0),
    username: requiredDetail(details, "username"),
    password: requiredDetail(details, "password"),
    tls: tlsSettings(details),
    persistence: persistenceOf(details),
  };
}

/** Vault's own example writes a scheme before the host (`localhost://127.0.0.1`). */
function hostOf(text: string): string {
  return text.replace(/^[a-z]+:\/\//i, "").replace(/^\[(.*)\]$/, "$1");
}

function tlsSettings(details: JsonObject): RedisSettings["tls"] {
  if (!booleanDetail(details, "tls")) return undefined;
  const authority = pemDetail(details, "ca_cert");
  const isVerified = !booleanDetail(details, "insecure_tls");
  if (authority === undefined && isVerified) throw badRequest("ca_cert cannot be empty");
  return { authority, isVerified };
}

function persistenceOf(details: JsonObject): PersistenceMode {
  const text = textDetail(details, "persistence_mode").toLowerCase() || "none";
  const mode = PERSISTENCE_MODES.find((name) => name === text);
  if (mode === undefined) throw badRequest(`persistence_mode must be one of ${PERSISTENCE_MODES.join(", ")}`);
  return mode;
}
