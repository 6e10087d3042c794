/** What the connection details of a Microsoft SQL Server connection mean. @see reference: engines.md sections 1.8, 1.9.4. */

import { badRequest } from "../../../../base/errors.ts";
import type { JsonObject } from "../../../../base/json.ts";
import { booleanDetail, urlDetails } from "../../connection-url.ts";
import { type PoolLimits, poolLimits } from "../../pool-limits.ts";

export interface MssqlSettings {
  readonly host: string;
  /** 0: the instance's, which the server's browser service tells. */
  readonly port: number;
  /** "": the default one. */
  readonly instance: string;
  readonly username: string;
  readonly password: string;
  /** "": the login's own. */
  readonly database: string;
  /** `strict` is TDS 8: TLS first. False: not even the login is encrypted. */
  readonly encryption: boolean | "strict";
  readonly isVerified: boolean;
  /** A file with the authorities to trust; "": the system's. */
  readonly authorityFile: string;
  /** The name on the server's certificate where it is another than the host's; "": the host's. */
  readonly serverName: string;
  readonly connectTimeoutMs: number;
  readonly applicationName: string;
  readonly isContained: boolean;
  readonly limits: PoolLimits;
}

const PORT_DEFAULT = 1433;
const CONNECT_MS_DEFAULT = 15_000;
const CONNECT_MS_MAX = 20_000;

/** The parameters' several names, in one. @see the forms that Vault's driver, go-mssqldb, takes. */
const NAMES: Readonly<Record<string, string>> = {
  "data source": "server",
  address: "server",
  "network address": "server",
  addr: "server",
  uid: "user id",
  user: "user id",
  pwd: "password",
  "initial catalog": "database",
  "application name": "app name",
  "connect timeout": "connection timeout",
  timeout: "connection timeout",
  "trust server certificate": "trustservercertificate",
  "hostname in certificate": "hostnameincertificate",
};

/** Reads connection details. @throws ApiError 400 naming the parameter that is wrong, never with a password in it. */
export function mssqlSettings(details: JsonObject): MssqlSettings {
  const shared = urlDetails(details);
  // Read before it is filled in: a value can then hold whatever it likes.
  const parameters = parametersOf(shared.template);
  const fill = (text: string): string =>
    text.replace(/\{\{(username|password)\}\}/g, (_, name: "username" | "password") => shared[name]);
  const take = (name: string): string => fill(parameters.get(name) ?? "");
  const { host, instance, port } = placeOf(take("server"), take("port"));
  return {
    host,
    instance,
    port,
    username: take("user id"),
    password: take("password"),
    database: take("database"),
    ...encryptionOf(take("encrypt"), take("trustservercertificate")),
    authorityFile: take("certificate"),
    serverName: take("hostnameincertificate"),
    connectTimeoutMs: connectTimeoutMs(take("connection timeout")),
    applicationName: take("app name") || "vsec",
    isContained: booleanDetail(details, "contained_db"),
    limits: poolLimits(details),
  };
}

function parametersOf(template: string): ReadonlyMap<string, string> {
  const isUrl = /^(?:sqlserver|mssql):\/\//i.test(template);
  const pairs = isUrl ? urlPairs(template) : [...adoPairs(template.replace(/^odbc:/i, ""))];
  return new Map(
    pairs.map(([name, value]) => {
      const plain = name.trim().toLowerCase();
      return [NAMES[plain] ?? plain, value];
    }),
  );
}

/** `sqlserver://user:password@host:port/instance?database=x&encrypt=true`. */
function urlPairs(template: string): (readonly [string, string])[] {
  // The same shape under a scheme that every parser splits, with the templates as they are.
  const text = template.replace(/^[a-z]+:/i, "http:");
  if (!URL.canParse(text)) throw badRequest("connection_url is not a URL");
  const url = new URL(text);
  const instance = decodeURIComponent(url.pathname.slice(1));
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  // The scheme's own port is left out by the parser.
  const port = url.port || (/:80(?:[/?]|$)/.test(template) ? "80" : "");
  return [
    ["server", instance === "" ? host : `${host}\\${instance}`],
    ["port", port],
    ["user id", decodeURIComponent(url.username)],
    ["password", decodeURIComponent(url.password)],
    ...url.searchParams,
  ];
}

/** `server=host\instance;user id=…;password="a;b"`, also with `{…}` around a value as ODBC has it. */
function* adoPairs(template: string): Generator<readonly [string, string]> {
  const pair =
    /\s*([^=;]+?)\s*=\s*(?:"((?:[^"]|"")*)"|\{((?:[^{}]|\}\}|\{\{\w+\}\})*)\}(?=\s*(?:;|$))|([^;]*))\s*(?:;|$)/gy;
  for (const [, name = "", quoted, braced, plain] of template.matchAll(pair)) {
    const value = quoted?.replaceAll('""', '"') ?? braced ?? plain?.trim() ?? "";
    // What looks braced may be a template: {{password}}.
    yield [name, braced !== undefined && /^\{\w+\}$/.test(braced) ? `{${braced}}` : value];
  }
}

function placeOf(server: string, portText: string): Pick<MssqlSettings, "host" | "instance" | "port"> {
  const [place = "", instance = ""] = server.replace(/^tcp:/i, "").split("\\");
  const [host = "", commaPort = ""] = place.includes(",") ? place.split(",") : [place];
  if (host === "") throw badRequest("connection_url names no server");
  const text = portText || commaPort.trim();
  const port = text === "" ? (instance === "" ? PORT_DEFAULT : 0) : Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw badRequest("connection_url has an invalid port");
  return { host: host === "." || host === "(local)" ? "127.0.0.1" : host, instance, port };
}

/** Without a word about it everything is encrypted, with whatever certificate the server has. */
function encryptionOf(encrypt: string, trust: string): Pick<MssqlSettings, "encryption" | "isVerified"> {
  const isTrusted = ["true", "yes", "1", "t"].includes(trust.toLowerCase());
  switch (encrypt.toLowerCase()) {
    case "":
      return { encryption: true, isVerified: trust !== "" && !isTrusted };
    case "disable":
      return { encryption: false, isVerified: false };
    case "false":
    case "optional":
    case "no":
    case "0":
    case "f":
      return { encryption: true, isVerified: false };
    case "true":
    case "mandatory":
    case "yes":
    case "1":
    case "t":
      return { encryption: true, isVerified: !isTrusted };
    case "strict":
      return { encryption: "strict", isVerified: true };
    default:
      throw badRequest("connection_url has an encrypt that is none of true, false, strict and disable");
  }
}

function connectTimeoutMs(text: string): number {
  if (text === "") return CONNECT_MS_DEFAULT;
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0)
    throw badRequest("connection timeout must be a number of seconds");
  return seconds === 0 ? CONNECT_MS_MAX : Math.min(seconds * 1000, CONNECT_MS_MAX);
}
