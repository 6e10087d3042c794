import { badRequest } from "../base/errors.ts";
import { isJsonObject, type Json, type JsonObject, RefusedJson, refusePrototypeKeys } from "../base/json.ts";
import type { ApiRequest } from "../contract/wire.ts";
import type { Operation } from "../framework/backend.ts";

/** What reaches a handler; help is answered without one. */
export type EngineOperation = Exclude<Operation, "help">;

/** A request, checked and put into the core's terms. */
export interface CoreRequest {
  readonly operation: Operation;
  /** Without leading slash; a list's ends with one. */
  readonly path: string;
  readonly data: JsonObject;
  readonly token: string;
}

const PATH_CHARS_MAX = 4096;
/** As Go's unicode.IsPrint has it: of all white space only the ASCII space can be printed. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

/**
 * Reads the wire's request.
 * @throws ApiError 400 for relative or unprintable paths, for a body that is no object, and for a key `__proto__`.
 * @see reference: HTTP layer, method to operation.
 */
export function readRequest(request: ApiRequest): CoreRequest {
  const operation = operationOf(request);
  const path = checkPath(request.path, operation);
  return { operation, path, data: checkKeys(dataOf(request)), token: request.token ?? "" };
}

/** What comes over no wire was never parsed. */
function checkKeys(data: JsonObject): JsonObject {
  try {
    refusePrototypeKeys(data);
    return data;
  } catch (error) {
    if (error instanceof RefusedJson) throw badRequest(`failed to decode JSON input: ${error.message}`);
    throw error;
  }
}

function operationOf(request: ApiRequest): Operation {
  switch (request.method) {
    case "GET":
      if (isTrue(request.query?.help)) return "help";
      return isTrue(request.query?.list) ? "list" : "read";
    case "LIST":
      return "list";
    case "PUT":
    case "POST":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return "delete";
    case "HELP":
      return "help";
  }
}

/** Go's boolean words. @throws ApiError 400 with no text, as Vault does, for any other. */
function isTrue(value: Json | undefined): boolean {
  if (value === undefined || value === "") return false;
  const word = String(value);
  if (["1", "t", "T", "TRUE", "true", "True"].includes(word)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(word)) return false;
  throw badRequest("");
}

function checkPath(raw: string, operation: Operation): string {
  const path = raw.replace(/^\/+/, "");
  if (path.length > PATH_CHARS_MAX) throw badRequest("path is too long");
  if (UNPRINTABLE.test(path)) throw badRequest("path contains non-printable characters");
  const segments = path.split("/");
  if (segments.includes(".") || segments.includes("..")) throw badRequest("relative paths not supported");
  if (segments.slice(0, -1).includes("")) throw badRequest("path has an empty segment");
  if (operation === "list") return path.endsWith("/") ? path : `${path}/`;
  return path;
}

function dataOf(request: ApiRequest): JsonObject {
  if (request.method === "GET" || request.method === "LIST" || request.method === "DELETE") {
    const body = isJsonObject(request.body) ? request.body : {};
    // What chose the operation is no parameter.
    const { list: _list, help: _help, ...query } = request.query ?? {};
    return { ...body, ...query };
  }
  if (request.body === null || request.body === undefined) return {};
  if (!isJsonObject(request.body)) throw badRequest("failed to decode JSON input: the body is not an object");
  return request.body;
}
