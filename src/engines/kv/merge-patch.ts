import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";

/**
 * Applies a merge patch: what is null goes, objects are merged, anything else replaces what was there.
 * @see RFC 7396 section 2.
 */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map<string, Json>(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, isJsonObject(value) ? mergePatch(objectOr(merged.get(key)), value) : value);
  }
  return Object.fromEntries(merged);
}

/** A patch of what is no object is a patch of an empty one. */
function objectOr(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
