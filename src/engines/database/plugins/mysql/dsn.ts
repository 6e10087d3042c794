/**
 * The data source names of Go's MySQL driver, which is what `connection_url` holds for MySQL and MariaDB:
 * `user:password@protocol(address)/database?parameter=value`.
 * @see reference: engines.md sections 1.8 and 1.9.3.
 */

import { badRequest } from "../../../../base/errors.ts";
import type { UrlDetails } from "../../connection-url.ts";

/** One place to connect to. */
export type Place =
  | { readonly path: string }
  /** A name, or an address without brackets. */
  | { readonly host: string; readonly port: number };

export interface Dsn {
  /** In the order in which they are to be tried; at least one. */
  readonly places: readonly Place[];
  readonly user: string;
  readonly password: string;
  /** "": none. */
  readonly database: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const PORT_DEFAULT = 3306;
const HOST_DEFAULT = "127.0.0.1";
const SOCKET_DEFAULT = "/tmp/mysql.sock";
const HOSTS_MAX = 32;
const TEMPLATE_VARIABLE = /\{\{(username|password)\}\}/g;

/**
 * Parses a template and puts user name and password in, after parsing, so that any character in them is safe. (Vault escapes
 * the user name, but its driver does not take the escaping back; so a name that needs it works only here.)
 * @throws ApiError 400 that says what is wrong without repeating any part that may be secret.
 */
export function resolveDsn(details: UrlDetails): Dsn {
  const fill = (text: string): string =>
    text.replace(TEMPLATE_VARIABLE, (_, name: "username" | "password") => details[name]);
  const text = details.disableEscaping ? fill(details.template) : details.template;
  const parsed = parseDsn(text);
  if (details.disableEscaping) return parsed;
  return {
    places: parsed.places,
    user: fill(parsed.user),
    password: fill(parsed.password),
    database: fill(parsed.database),
    parameters: new Map([...parsed.parameters].map(([name, value]) => [name, fill(value)])),
  };
}

/** Parses a DSN. The last slash ends the address, and the last `@` before it the login, as in the Go driver. @throws ApiError 400. */
export function parseDsn(text: string): Dsn {
  const slash = text.lastIndexOf("/");
  if (slash === -1) {
    throw badRequest("connection_url is invalid: missing the slash separating the database name");
  }
  const before = text.slice(0, slash);
  const [database = "", ...query] = text.slice(slash + 1).split("?");
  const at = before.lastIndexOf("@");
  const login = at === -1 ? "" : before.slice(0, at);
  const colon = login.indexOf(":");
  return {
    user: colon === -1 ? login : login.slice(0, colon),
    password: colon === -1 ? "" : login.slice(colon + 1),
    places: parseAddress(before.slice(at + 1)),
    database: decode(database, "database name"),
    parameters: parseParameters(query.join("?")),
  };
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest(`connection_url is invalid: the ${what} has an invalid percent-encoding`);
  }
}

function parseAddress(text: string): Place[] {
  const open = text.indexOf("(");
  const protocol = (open === -1 ? text : text.slice(0, open)) || "tcp";
  if (open !== -1 && !text.endsWith(")")) {
    throw badRequest(
      "connection_url is invalid: network address not terminated (missing closing brace); did you forget to escape a param value?",
    );
  }
  const address = open === -1 ? "" : text.slice(open + 1, -1);
  if (protocol === "unix") return [{ path: address || SOCKET_DEFAULT }];
  if (!["tcp", "tcp4", "tcp6"].includes(protocol)) {
    throw badRequest(
      "connection_url is invalid: the network must be tcp or unix, as in user:password@tcp(host:3306)/",
    );
  }
  const hosts = (address || HOST_DEFAULT).split(",");
  if (hosts.length > HOSTS_MAX) throw badRequest(`connection_url names more than ${HOSTS_MAX} hosts`);
  return hosts.map(parseHost);
}

function parseHost(text: string): Place {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(text.trim());
  // An IPv6 address without brackets can have no port.
  const bare = /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text) ? text : undefined;
  if (match === null && bare === undefined)
    throw badRequest("connection_url is invalid: wrong host or port in the address");
  const host = bare ?? match?.[1] ?? match?.[2] ?? "";
  const portText = bare === undefined ? match?.[3] : undefined;
  const port = portText === undefined || portText === "" ? PORT_DEFAULT : Number(portText);
  if (port < 1 || port > 65_535)
    throw badRequest("connection_url is invalid: wrong host or port in the address");
  return { host: host || HOST_DEFAULT, port };
}

function parseParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of text.split("&")) {
    const equals = pair.indexOf("=");
    // The Go driver skips what has no value.
    if (equals <= 0) continue;
    parameters.set(pair.slice(0, equals), decode(pair.slice(equals + 1).replaceAll("+", " "), "parameters"));
  }
  return parameters;
}
