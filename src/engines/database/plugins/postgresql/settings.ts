/** What the connection details of a PostgreSQL connection mean. @see reference: engines.md sections 1.8 and 1.9.2. */

import { userInfo } from "node:os";
import { badRequest } from "../../../../base/errors.ts";
import type { JsonObject } from "../../../../base/json.ts";
import { type Host, resolvePostgresUrl, textDetail, urlDetails } from "../../connection-url.ts";
import { type PoolLimits, poolLimits } from "../../pool-limits.ts";

/** The modes of libpq, with its meaning of each. */
export const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** A PEM text, or the path of a file with one, read when it is needed. */
export type Pem = { readonly text: string } | { readonly parameter: string; readonly path: string };

export interface TlsSettings {
  readonly mode: SslMode;
  /** Undefined: the system's authorities, where certificates are verified. */
  readonly authorities: Pem | undefined;
  readonly certificate: Pem | undefined;
  readonly key: Pem | undefined;
  readonly keyPassphrase: string | undefined;
}

export interface PostgresSettings {
  readonly hosts: readonly Host[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: TlsSettings;
  readonly connectTimeoutMs: number;
  readonly applicationName: string;
  /** `-c name=value` settings for the session; undefined when there are none. */
  readonly options: string | undefined;
  /** Only a server that takes writes will do. */
  readonly isPrimaryNeeded: boolean;
  readonly isVerifierSent: boolean;
  readonly pool: PoolLimits;
}

const CONNECT_TIMEOUT_MS_DEFAULT = 10_000;
const CONNECT_TIMEOUT_MS_MAX = 20_000;
const APPLICATION_NAME = "vsec";

/** Parameters of libpq that change nothing here, because the driver has its own way or has no such feature to switch off. */
const IGNORED = new Set([
  ...["client_encoding", "fallback_application_name", "gssencmode", "gsslib", "krbsrvname", "sslcompression"],
  ...["keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"],
  ...["load_balance_hosts", "sslsni", "channel_binding", "sslnegotiation", "gssdelegation"],
]);

/** Parameters that promise a protection or a source of settings which is not there; to ignore them would be a lie. */
const UNSUPPORTED = new Set([
  ...["sslcrl", "sslcrldir", "requirepeer", "require_auth", "service", "servicefile", "passfile", "hostaddr"],
  ...["ssl_min_protocol_version", "ssl_max_protocol_version", "sslcertmode", "replication", "requiressl"],
]);

/**
 * Reads connection details.
 * @throws ApiError 400 naming the parameter that is wrong, never with a password in it.
 */
export function postgresSettings(details: JsonObject): PostgresSettings {
  const shared = urlDetails(details);
  const url = resolvePostgresUrl(shared);
  const parameters = new Map(url.parameters);
  const take = (name: string): string => {
    const value = parameters.get(name) ?? "";
    parameters.delete(name);
    return value;
  };
  const user = url.user ?? (shared.username || userInfo().username);
  const tls = tlsSettings(take, details);
  refuseChannelBinding(parameters);
  return {
    hosts: url.hosts,
    user,
    password: url.password ?? shared.password,
    database: url.database ?? user,
    tls,
    connectTimeoutMs: connectTimeoutMs(take("connect_timeout")),
    applicationName: take("application_name") || APPLICATION_NAME,
    isPrimaryNeeded: isPrimaryNeeded(take("target_session_attrs")),
    options: sessionOptions(take("options"), parameters),
    isVerifierSent: isVerifierSent(details),
    pool: poolLimits(details),
  };
}

function pemOf(details: JsonObject, parameter: string, path: string, pathParameter: string): Pem | undefined {
  const text = textDetail(details, parameter);
  if (text !== "") {
    if (!text.includes("-----BEGIN")) throw badRequest(`${parameter} is not a PEM text`);
    return { text };
  }
  return path === "" ? undefined : { parameter: pathParameter, path };
}

function tlsSettings(take: (name: string) => string, details: JsonObject): TlsSettings {
  const given = take("sslmode");
  const rootPath = take("sslrootcert");
  const isSystem = rootPath === "system";
  const mode = (given || (isSystem ? "verify-full" : "prefer")) as SslMode;
  if (!SSL_MODES.includes(mode)) throw badRequest(`sslmode must be one of ${SSL_MODES.join(", ")}`);
  if (isSystem && mode !== "verify-full") throw badRequest("sslrootcert=system needs sslmode=verify-full");
  const authorities = pemOf(details, "tls_ca", isSystem ? "" : rootPath, "sslrootcert");
  const certificate = pemOf(details, "tls_certificate", take("sslcert"), "sslcert");
  const key = pemOf(details, "private_key", take("sslkey"), "sslkey");
  if ((certificate === undefined) !== (key === undefined)) {
    throw badRequest("a client certificate and its private key must be given together");
  }
  return {
    // libpq does the same: an authority that was named is not there to be ignored.
    mode: mode === "require" && authorities !== undefined ? "verify-ca" : mode,
    authorities,
    certificate,
    key,
    keyPassphrase: take("sslpassword") || undefined,
  };
}

function refuseChannelBinding(parameters: ReadonlyMap<string, string>): void {
  if (parameters.get("channel_binding") === "require") {
    throw badRequest("channel_binding=require is not supported; use sslmode=verify-full");
  }
  if (parameters.get("sslnegotiation") === "direct")
    throw badRequest("sslnegotiation=direct is not supported");
}

function connectTimeoutMs(text: string): number {
  if (text === "") return CONNECT_TIMEOUT_MS_DEFAULT;
  const seconds = Number(text);
  if (!Number.isFinite(seconds)) throw badRequest("connect_timeout must be a number of seconds");
  // libpq takes 0 and less for "for ever"; here every wait has an end.
  return seconds <= 0
    ? CONNECT_TIMEOUT_MS_MAX
    : Math.min(Math.max(seconds, 1) * 1000, CONNECT_TIMEOUT_MS_MAX);
}

function isPrimaryNeeded(text: string): boolean {
  if (["", "any"].includes(text)) return false;
  if (["read-write", "primary"].includes(text)) return true;
  throw badRequest("target_session_attrs must be any, read-write or primary");
}

/** Every other parameter is a setting of the session, such as `search_path`. */
function sessionOptions(options: string, parameters: ReadonlyMap<string, string>): string | undefined {
  const parts = options === "" ? [] : [options];
  for (const [name, value] of parameters) {
    if (IGNORED.has(name)) continue;
    if (UNSUPPORTED.has(name)) throw badRequest(`the connection parameter ${name} is not supported`);
    if (!/^[A-Za-z_][\w.]{0,62}$/.test(name))
      throw badRequest("connection_url has an invalid parameter name");
    parts.push(`-c ${name}=${value.replace(/[\\\s]/g, "\\$&")}`);
  }
  return parts.length === 0 ? undefined : parts.join(" ");
}

function isVerifierSent(details: JsonObject): boolean {
  const method = textDetail(details, "password_authentication") || "scram-sha-256";
  if (method === "scram-sha-256") return true;
  if (method === "password") return false;
  throw badRequest(`'${method}' is not a valid password authentication type`);
}
