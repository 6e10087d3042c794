import { VsecError } from "../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import type { ApiRequest, ApiResponse, Method } from "../contract/wire.ts";
import { remoteFailure } from "./failure.ts";

/** The parts of a request that a command chooses. */
export type CommandRequest = Pick<ApiRequest, "method" | "path" | "query" | "body">;

/** The verb that goes over HTTP: a list and a help request are reads with a parameter. */
export function httpMethod(method: Method): string {
  return method === "LIST" || method === "HELP" ? "GET" : method;
}

/** A request's query with what its verb adds, keys sorted: `?list=true`; empty for none. */
export function queryText(request: CommandRequest): string {
  const pairs: [string, string][] = [];
  if (request.method === "LIST") pairs.push(["list", "true"]);
  if (request.method === "HELP") pairs.push(["help", "1"]);
  for (const [key, value] of Object.entries(request.query ?? {})) {
    for (const item of Array.isArray(value) ? (value as readonly Json[]) : [value])
      pairs.push([key, scalarText(item)]);
  }
  if (pairs.length === 0) return "";
  const encode = (text: string): string => encodeURIComponent(text).replaceAll("%20", "+");
  const sorted = pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `?${sorted.map(([key, value]) => `${encode(key)}=${encode(value)}`).join("&")}`;
}

function scalarText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The `errors` of an answer; undefined when its body is not of that shape. */
export function errorsOf(body: Json): readonly string[] | undefined {
  if (!isJsonObject(body) || !Array.isArray(body.errors)) return undefined;
  return (body.errors as readonly Json[]).map(scalarText);
}

/** The block that describes a refusal, with Vault's layout: several errors follow each other without a newline. */
export function errorBlock(request: CommandRequest, url: string, response: ApiResponse): string {
  const errors = errorsOf(response.body);
  const head = `Error making API request.\n\nURL: ${httpMethod(request.method)} ${url}${queryText(request)}\n`;
  if (errors === undefined) {
    const raw = typeof response.body === "string" ? response.body : JSON.stringify(response.body);
    return `${head}Code: ${response.status}. Raw Message:\n\n${raw}`;
  }
  return `${head}Code: ${response.status}. Errors:\n\n${errors.map((error) => `* ${error}`).join("")}`;
}

/** True for a 404 that says nothing but that there is nothing: no value, rather than an error. */
export function isNothing(response: ApiResponse): boolean {
  if (response.status !== 404) return false;
  const body = response.body;
  if (!isJsonObject(body)) return body === null;
  return Object.keys(body).every((key) => key === "errors");
}

/** True for a 404 that a read takes as its answer: nothing there, or something that is no more (data or warnings). */
export function isNotFoundAnswer(response: ApiResponse): boolean {
  if (response.status !== 404) return false;
  if (isNothing(response)) return true;
  return (
    isJsonObject(response.body) && (isJsonObject(response.body.data) || Array.isArray(response.body.warnings))
  );
}

/** The body of a refusal when it carries data to be shown beside the error. */
export function dataBeside(response: ApiResponse): JsonObject | undefined {
  const body = response.body;
  return isJsonObject(body) && isJsonObject(body.data) ? body : undefined;
}

/** The failure of a request that got no answer: one line, without a block. */
export function unreachable(prefix: string, error: VsecError): Error {
  return error.code === "USAGE"
    ? error
    : remoteFailure(prefix === "" ? error.message : `${prefix}: ${error.message}`, { cause: error });
}

/** True for the failures that a client reports when the API cannot be reached. */
export function isUnreachable(error: unknown): error is VsecError {
  return error instanceof VsecError;
}
