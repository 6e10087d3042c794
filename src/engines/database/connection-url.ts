/**
 * Connection URLs of databases: their templates, and the two forms that PostgreSQL's own client library takes
 * (`postgresql://user:password@host:port/database?key=value` and `host=… user=…`).
 * @see reference: engines.md section 1.8.
 */

import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";

const TEMPLATE_VARIABLE = /\{\{(username|password)\}\}/g;
/** What Go's `url.PathEscape` leaves alone (unreserved characters, and `$ & + : = @`). */
const PATH_SAFE = /[A-Za-z0-9\-_.~$&+:=@]/;
const URL_BYTES_MAX = 16_384;
const HOSTS_MAX = 32;

/** Escapes text as Go's `url.PathEscape` does, byte by byte in UTF-8. */
export function pathEscape(text: string): string {
  let escaped = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const character = String.fromCharCode(byte);
    escaped += PATH_SAFE.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}

/** The connection details that every SQL plugin shares, before the URL is looked at. */
export interface UrlDetails {
  /** The template as configured. */
  readonly template: string;
  readonly username: string;
  readonly password: string;
  readonly disableEscaping: boolean;
}

/** A detail that is text; numbers and booleans are taken as their text, absent and null as "". @throws ApiError 400. */
export function textDetail(details: JsonObject, name: string): string {
  const value = details[name];
  if (value === undefined || value === null) return "";
  if (typeof value === "object") throw badRequest(`${name} must be a string`);
  return String(value);
}

/** A detail that is true or false, in any of the forms that a form field takes. @throws ApiError 400. */
export function booleanDetail(details: JsonObject, name: string): boolean {
  const text = textDetail(details, name).toLowerCase();
  if (["", "0", "f", "false"].includes(text)) return false;
  if (["1", "t", "true"].includes(text)) return true;
  throw badRequest(`${name} must be true or false`);
}

/** A detail that is a whole number; 0 when absent. @throws ApiError 400. */
export function numberDetail(details: JsonObject, name: string): number {
  const number = Number(textDetail(details, name) || 0);
  if (!Number.isSafeInteger(number)) throw badRequest(`${name} must be a whole number`);
  return number;
}

/** Reads the shared connection details. @throws ApiError 400 with Vault's texts. */
export function urlDetails(details: JsonObject): UrlDetails {
  const template = textDetail(details, "connection_url");
  if (template === "") throw badRequest("connection_url cannot be empty");
  if (Buffer.byteLength(template) > URL_BYTES_MAX) {
    throw badRequest(`connection_url is longer than ${URL_BYTES_MAX} bytes`);
  }
  const username = textDetail(details, "username");
  const password = textDetail(details, "password");
  if ([username, password].some((value) => /\{\{(username|password)\}\}/.test(value))) {
    throw badRequest("username and/or password cannot contain the template variables");
  }
  return { template, username, password, disableEscaping: booleanDetail(details, "disable_escaping") };
}

/** Puts user name and password into the template, path-escaped unless escaping is off. */
export function fillConnectionUrl(details: UrlDetails): string {
  const encode = details.disableEscaping ? (text: string) => text : pathEscape;
  const values = { username: encode(details.username), password: encode(details.password) };
  return details.template.replace(TEMPLATE_VARIABLE, (_, name: "username" | "password") => values[name]);
}

/** One place to connect to. */
export interface Host {
  /** A name, an address without brackets, or (with a leading `/`) the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
}

/** A parsed PostgreSQL connection string. What it does not say is undefined. */
export interface PostgresUrl {
  /** In the order in which they are to be tried; at least one. */
  readonly hosts: readonly Host[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  /** All other parameters, `sslmode` and the like. */
  readonly parameters: ReadonlyMap<string, string>;
}

const PORT_DEFAULT = 5432;
const HOST_DEFAULT = "localhost";

/**
 * Parses a PostgreSQL connection string in either form.
 * @throws ApiError 400 that says what is wrong without repeating any part that may be secret.
 */
export function parsePostgresUrl(text: string): PostgresUrl {
  const scheme = /^postgres(?:ql)?:\/\//i.exec(text);
  const values = scheme === null ? parseKeyValues(text) : parseUri(text.slice(scheme[0].length));
  const take = (name: string): string | undefined => {
    const value = values.get(name);
    values.delete(name);
    return value === "" ? undefined : value;
  };
  const hosts = hostList(take("host"), take("port"));
  const [user, password, database] = [take("user"), take("password"), take("dbname")];
  return { hosts, user, password, database, parameters: values };
}

/**
 * Puts user name and password into a PostgreSQL template and parses it. Unless escaping is off, the parts are put in after
 * parsing, so that any character in them is safe in both forms.
 */
export function resolvePostgresUrl(details: UrlDetails): PostgresUrl {
  if (details.disableEscaping) return parsePostgresUrl(fillConnectionUrl(details));
  const parsed = parsePostgresUrl(details.template);
  const fill = (text: string): string =>
    text.replace(TEMPLATE_VARIABLE, (_, name: "username" | "password") => details[name]);
  const filled = (text: string | undefined) => (text === undefined ? undefined : fill(text));
  return {
    hosts: parsed.hosts.map(({ host, port }) => ({ host: fill(host), port })),
    user: filled(parsed.user),
    password: filled(parsed.password),
    database: filled(parsed.database),
    parameters: new Map([...parsed.parameters].map(([name, value]) => [name, fill(value)])),
  };
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest("connection_url has an invalid percent-encoding");
  }
}

/** Parses what follows `postgresql://`. The last `@` ends the login, so that one in a password does no harm. */
function parseUri(rest: string): Map<string, string> {
  const login = splitLogin(rest);
  const match = /^([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?/.exec(login.rest);
  const values = new Map<string, string>();
  const [hosts, ports] = splitAuthority(match?.[1] ?? "");
  values.set("host", hosts.map(decodePart).join(","));
  values.set("port", ports.join(","));
  if (login.user !== undefined) values.set("user", decodePart(login.user));
  if (login.password !== undefined) values.set("password", decodePart(login.password));
  if (match?.[2] !== undefined && match[2] !== "") values.set("dbname", decodePart(match[2]));
  for (const pair of (match?.[3] ?? "").split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    if (equals <= 0) throw badRequest("connection_url has a parameter without a value");
    const name = decodePart(pair.slice(0, equals));
    values.set(name === "database" ? "dbname" : name, decodePart(pair.slice(equals + 1)));
  }
  return values;
}

function splitLogin(rest: string): { user?: string; password?: string; rest: string } {
  const authorityEnd = rest.search(/[/?#]/);
  const authority = authorityEnd === -1 ? rest : rest.slice(0, authorityEnd);
  const at = authority.lastIndexOf("@");
  if (at === -1) return { rest };
  const login = authority.slice(0, at);
  const colon = login.indexOf(":");
  const after = rest.slice(at + 1);
  if (colon === -1) return { user: login, rest: after };
  return { user: login.slice(0, colon), password: login.slice(colon + 1), rest: after };
}

function splitAuthority(authority: string): [string[], string[]] {
  const hosts: string[] = [];
  const ports: string[] = [];
  for (const item of authority.split(",")) {
    const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(item);
    if (match === null) throw badRequest("connection_url has an invalid host or port");
    hosts.push(match[1] ?? match[2] ?? "");
    ports.push(match[3] ?? "");
  }
  return [hosts, ports];
}

/** Parses `key=value` pairs; values may stand in single quotes, and a backslash takes the next character as it is. */
function parseKeyValues(text: string): Map<string, string> {
  const values = new Map<string, string>();
  const pair =
    /\s*([A-Za-z_][\w.]*)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*)?)(?=\s|$)/suy;
  let end = 0;
  const trimmed = text.trimEnd();
  while (end < trimmed.length) {
    pair.lastIndex = end;
    const match = pair.exec(trimmed);
    if (match === null)
      throw badRequest("connection_url is neither a postgresql:// URL nor a list of key=value pairs");
    const name = match[1] ?? "";
    values.set(name === "database" ? "dbname" : name, (match[2] ?? match[3] ?? "").replace(/\\(.)/gsu, "$1"));
    end = pair.lastIndex;
  }
  if (values.size === 0) throw badRequest("connection_url cannot be empty");
  return values;
}

function hostList(hostText: string | undefined, portText: string | undefined): Host[] {
  const hosts = (hostText ?? "").split(",");
  const ports = (portText ?? "").split(",");
  if (hosts.length > HOSTS_MAX) throw badRequest(`connection_url names more than ${HOSTS_MAX} hosts`);
  if (ports.length !== 1 && ports.length !== hosts.length) {
    throw badRequest("connection_url must give one port, or one for each host");
  }
  return hosts.map((host, index) => {
    const text = (ports.length === 1 ? ports[0] : ports[index]) ?? "";
    const port = text.trim() === "" ? PORT_DEFAULT : Number(text);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw badRequest("connection_url has an invalid host or port");
    }
    return { host: host === "" ? HOST_DEFAULT : host, port };
  });
}
