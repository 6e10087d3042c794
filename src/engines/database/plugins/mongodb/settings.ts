/** What the connection details of a MongoDB connection mean. @see reference: engines.md section 1.9.6. */

import { badRequest } from "../../../../base/errors.ts";
import { isJsonObject, type JsonObject, parseInput } from "../../../../base/json.ts";
import { textDetail } from "../../connection-url.ts";
import { durationDetail, pemDetail } from "../../details.ts";

export interface MongoSettings {
  /** User name and password are in it. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Where the users are whose password is changed: the URL's database. */
  readonly database: string;
  readonly tls: { readonly ca: string | undefined; readonly certificateKey: string | undefined } | undefined;
  readonly writeConcern: JsonObject;
  readonly socketTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly selectionTimeoutMs: number;
}

const SELECTION_MS_DEFAULT = 10_000;
const WAIT_MS_MAX = 20_000;
const SOCKET_MS_DEFAULT = 15_000;
const SOCKET_MS_MAX = 30_000;
const MAJORITY: JsonObject = { w: "majority" };

/** Reads connection details. @throws ApiError 400 naming the parameter that is wrong. */
export function mongoSettings(details: JsonObject): MongoSettings {
  const template = textDetail(details, "connection_url");
  if (template === "") throw badRequest("connection_url cannot be empty");
  if (!/^mongodb(?:\+srv)?:\/\//.test(template)) {
    throw badRequest("connection_url must begin with mongodb:// or mongodb+srv://");
  }
  const password = textDetail(details, "password");
  const username = textDetail(details, "username");
  const values: Readonly<Record<string, string>> = { username, password };
  const fill = (_: string, name: string) => encodeURIComponent(values[name] ?? "");
  return {
    url: template.replace(/\{\{(username|password)\}\}/g, fill),
    username,
    password,
    database: databaseOf(template),
    tls: tlsOf(details),
    writeConcern: writeConcernOf(textDetail(details, "write_concern")),
    socketTimeoutMs: durationDetail(details, "socket_timeout", {
      max: SOCKET_MS_MAX,
      fallback: SOCKET_MS_DEFAULT,
    }),
    connectTimeoutMs: wait(details, "connect_timeout"),
    selectionTimeoutMs: wait(details, "server_selection_timeout"),
  };
}

function wait(details: JsonObject, name: string): number {
  return durationDetail(details, name, { max: WAIT_MS_MAX, fallback: SELECTION_MS_DEFAULT });
}

/** The path of the URL, before its parameters. */
function databaseOf(template: string): string {
  const path = /^mongodb(?:\+srv)?:\/\/(?:[^/@]*@)?[^/?]*\/([^?]*)/.exec(
    template.replace(/\{\{\w+\}\}/g, "x"),
  )?.[1];
  return path === undefined || path === "" ? "admin" : decodeURIComponent(path);
}

function tlsOf(details: JsonObject): MongoSettings["tls"] {
  const ca = pemDetail(details, "tls_ca");
  const certificateKey = pemDetail(details, "tls_certificate_key");
  return ca === undefined && certificateKey === undefined ? undefined : { ca, certificateKey };
}

/** JSON, or base64 of JSON, of the fields `w` (or `wmode`), `wtimeout`, `j` and `fsync`. */
function writeConcernOf(text: string): JsonObject {
  if (text === "") return MAJORITY;
  const plain = text.trimStart().startsWith("{") ? text : Buffer.from(text, "base64").toString("utf8");
  let value: unknown;
  try {
    value = parseInput(plain);
  } catch (error) {
    throw badRequest("error unmarshalling write_concern: it is neither JSON nor base64 of JSON", error);
  }
  if (!isJsonObject(value)) throw badRequest("error unmarshalling write_concern: it is not a JSON object");
  const { w, wmode, wtimeout, j, journal } = value;
  const level = w ?? wmode ?? "majority";
  return {
    w: level,
    ...(wtimeout === undefined ? {} : { wtimeout }),
    ...(j === undefined && journal === undefined ? {} : { j: j ?? journal ?? false }),
  };
}
