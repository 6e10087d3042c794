import { badRequest } from "../../base/errors.ts";
import { ExactNumber, type Json, type JsonObject } from "../../base/json.ts";

/**
 * How deep a secret may nest. An answer holds it two levels down and is parsed by clients that count as we do, so what is
 * deeper could be written and then not be read.
 */
const DEPTH_MAX = 58;

/** @throws ApiError 400 for a secret that could not be read again. */
export function checkData(data: JsonObject): JsonObject {
  if (!isShallow(data, DEPTH_MAX)) throw badRequest(`a secret nests at most ${DEPTH_MAX} levels`);
  return data;
}

function isShallow(value: Json, depthLeft: number): boolean {
  if (typeof value !== "object" || value === null || value instanceof ExactNumber) return true;
  return depthLeft > 0 && Object.values(value as JsonObject).every((item) => isShallow(item, depthLeft - 1));
}
