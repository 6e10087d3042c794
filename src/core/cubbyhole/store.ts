import type { Write } from "../../barrier/port.ts";
import { badRequest, VsecError } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../base/json.ts";
import type { Services } from "../services.ts";
import { cubbyholePrefix } from "../tokens/record.ts";

/** So that a key stays storable when its segments are encrypted. */
const PATH_CHARS_MAX = 512;
const PATH_SEGMENTS_MAX = 32;

/** @throws ApiError 400 for a path that could not be stored. */
export function cubbyholeKey(tokenHash: string, path: string): string {
  if (path.length > PATH_CHARS_MAX || path.split("/").length > PATH_SEGMENTS_MAX) {
    throw badRequest(
      `a path in the cubbyhole has at most ${PATH_CHARS_MAX} characters and ${PATH_SEGMENTS_MAX} segments`,
    );
  }
  return cubbyholePrefix(tokenHash) + path;
}

/** What a token keeps at a path. Null: nothing. */
export async function readCubbyhole(
  { barrier }: Pick<Services, "barrier">,
  tokenHash: string,
  path: string,
): Promise<JsonObject | null> {
  const entry = await barrier.get(cubbyholeKey(tokenHash, path));
  if (entry === null) return null;
  const value = parseJson(Buffer.from(entry.value).toString("utf8"));
  if (!isJsonObject(value)) throw new VsecError("BARRIER_DAMAGED", "a cubbyhole's entry is not an object");
  return value;
}

/** The write that keeps data at a path of a token's own store. */
export function putCubbyhole(tokenHash: string, path: string, data: JsonObject): Write {
  const value = new TextEncoder().encode(JSON.stringify(data));
  return { op: "put", key: cubbyholeKey(tokenHash, path), value };
}
