/** What the connection details of a MySQL or MariaDB connection mean. @see reference: engines.md sections 1.8 and 1.9.3. */

import { parseDurationMs } from "../../../../base/duration.ts";
import { badRequest, messageOf } from "../../../../base/errors.ts";
import type { JsonObject } from "../../../../base/json.ts";
import { booleanDetail, textDetail, urlDetails } from "../../connection-url.ts";
import { type PoolLimits, poolLimits } from "../../pool-limits.ts";
import { type Place, resolveDsn } from "./dsn.ts";

/** `preferred`: encrypted where the server can, by whoever it may be. `required`: encrypted, whoever it may be. `verified`: and it is who it should be. */
export type TlsMode = "off" | "preferred" | "required" | "verified";

export interface TlsSettings {
  readonly mode: TlsMode;
  /** PEM. Undefined: the system's authorities. */
  readonly authorities: string | undefined;
  /** PEM: a client certificate and its key in one text. */
  readonly certificateKey: string | undefined;
  /** What the server's certificate has to name; undefined: the host. */
  readonly serverName: string | undefined;
}

export interface MysqlSettings {
  readonly places: readonly Place[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: TlsSettings;
  readonly connectTimeoutMs: number;
  /** The password may be sent as it is, where the server asks for that (PAM, LDAP). */
  readonly isCleartextAllowed: boolean;
  /** Settings of the session, as they stand in a SET statement: `name = value`. */
  readonly variables: readonly string[];
  readonly pool: PoolLimits;
}

const CONNECT_TIMEOUT_MS_DEFAULT = 10_000;
const CONNECT_TIMEOUT_MS_MAX = 20_000;

/** Parameters of the Go driver that change nothing here: how it reads rows, paces itself, or logs. */
const IGNORED = new Set([
  ...["allowNativePasswords", "charset", "collation", "clientFoundRows", "columnsWithAlias"],
  ...["interpolateParams", "loc", "maxAllowedPacket", "multiStatements", "parseTime", "readTimeout"],
  ...["rejectReadOnly", "writeTimeout", "checkConnLiveness", "connectionAttributes", "timeTruncate"],
  ...["compress", "strict"],
]);

/** Parameters that weaken or promise a protection; to ignore one that is set would be a lie. */
const REFUSED_WHEN_TRUE = new Set(["allowAllFiles", "allowOldPasswords", "allowFallbackToPlaintext"]);

/**
 * Reads connection details.
 * @throws ApiError 400 naming the parameter that is wrong, never with a password in it.
 */
export function mysqlSettings(details: JsonObject): MysqlSettings {
  const dsn = resolveDsn(urlDetails(details));
  const parameters = new Map(dsn.parameters);
  const take = (name: string): string => {
    const value = parameters.get(name) ?? "";
    parameters.delete(name);
    return value;
  };
  refuseUnsupported(details, take);
  return {
    places: dsn.places,
    user: dsn.user,
    password: dsn.password,
    database: dsn.database,
    tls: tlsSettings(take("tls"), details),
    connectTimeoutMs: connectTimeoutMs(take("timeout")),
    isCleartextAllowed: isTrue(take("allowCleartextPasswords"), "allowCleartextPasswords"),
    variables: sessionVariables(parameters),
    pool: poolLimits(details),
  };
}

function refuseUnsupported(details: JsonObject, take: (name: string) => string): void {
  for (const name of REFUSED_WHEN_TRUE) {
    if (isTrue(take(name), name)) throw badRequest(`the connection parameter ${name} is not supported`);
  }
  if (take("serverPubKey") !== "")
    throw badRequest("the connection parameter serverPubKey is not supported; use TLS");
  const authType = textDetail(details, "auth_type");
  if (authType !== "") throw badRequest(`auth_type "${authType}" is not supported`);
}

function isTrue(text: string, name: string): boolean {
  const value = text.toLowerCase();
  if (["", "0", "false"].includes(value)) return false;
  if (["1", "true"].includes(value)) return true;
  throw badRequest(`the connection parameter ${name} must be true or false`);
}

const TLS_MODES: Readonly<Record<string, TlsMode>> = {
  "": "off",
  "0": "off",
  false: "off",
  "1": "verified",
  true: "verified",
  "skip-verify": "required",
  preferred: "preferred",
};

/** TLS material of the connection implies TLS, as in Vault; `tls_server_name` and `tls_skip_verify` only refine it. */
function tlsSettings(parameter: string, details: JsonObject): TlsSettings {
  const authorities = pemDetail(details, "tls_ca", "CERTIFICATE");
  const certificateKey = pemDetail(details, "tls_certificate_key", "CERTIFICATE");
  if (certificateKey !== undefined && !/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(certificateKey)) {
    throw badRequest("tls_certificate_key must hold a certificate and its private key, both as PEM");
  }
  const asked = Object.hasOwn(TLS_MODES, parameter.toLowerCase())
    ? TLS_MODES[parameter.toLowerCase()]
    : undefined;
  if (asked === undefined) {
    throw badRequest(
      "the connection parameter tls must be true, false, skip-verify or preferred; give certificates as tls_ca and tls_certificate_key",
    );
  }
  const hasMaterial = authorities !== undefined || certificateKey !== undefined;
  const wanted = hasMaterial ? "verified" : asked;
  const isSkipped = wanted === "verified" && booleanDetail(details, "tls_skip_verify");
  return {
    mode: isSkipped ? "required" : wanted,
    authorities,
    certificateKey,
    serverName: textDetail(details, "tls_server_name") || undefined,
  };
}

function pemDetail(details: JsonObject, name: string, label: string): string | undefined {
  const text = textDetail(details, name);
  if (text === "") return undefined;
  if (!text.includes(`-----BEGIN ${label}-----`)) throw badRequest(`${name} is not a PEM text`);
  return text;
}

function connectTimeoutMs(text: string): number {
  if (text === "") return CONNECT_TIMEOUT_MS_DEFAULT;
  try {
    const ms = parseDurationMs(text);
    return ms <= 0 ? CONNECT_TIMEOUT_MS_MAX : Math.min(ms, CONNECT_TIMEOUT_MS_MAX);
  } catch (error) {
    throw badRequest(`the connection parameter timeout is not a duration: ${messageOf(error)}`, error);
  }
}

/** Every other parameter is a system variable, set for the session; its value stands there as SQL, quotes and all. */
function sessionVariables(parameters: ReadonlyMap<string, string>): string[] {
  const variables: string[] = [];
  for (const [name, value] of parameters) {
    if (IGNORED.has(name)) continue;
    if (!/^[A-Za-z_][\w.]{0,63}$/.test(name))
      throw badRequest("connection_url has an invalid parameter name");
    variables.push(`${name} = ${value}`);
  }
  return variables;
}
