import { VsecError } from "../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { httpMethod, queryText, scalarText } from "../contract/http-form.ts";
import type { ApiRequest, ApiResponse } from "../contract/wire.ts";
import { remoteFailure } from "./failure.ts";

/** The parts of a request that a command chooses. */
export type CommandRequest = Pick<ApiRequest, "method" | "path" | "query" | "body" | "leaseFor">;

/** The `errors` of an answer; undefined when its body is not of that shape. */
export function errorsOf(body: Json): readonly string[] | undefined {
  if (!isJsonObject(body) || !Array.isArray(body.errors)) return undefined;
  return (body.errors as readonly Json[]).map(scalarText);
}

/** The block that describes a refusal, with Vault's layout: several errors follow each other without a newline. */
export function errorBlock(request: CommandRequest, url: string, response: ApiResponse): string {
  // An object without errors has none to show; what else it says is shown beside them.
  const errors = errorsOf(response.body) ?? (isJsonObject(response.body) ? [] : undefined);
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

/** The body of a refusal when it carries data or warnings to be shown beside the error. */
export function answerBeside({ body }: ApiResponse): JsonObject | undefined {
  if (!isJsonObject(body)) return undefined;
  return isJsonObject(body.data) || Array.isArray(body.warnings) ? body : undefined;
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
