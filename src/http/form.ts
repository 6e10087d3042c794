import { badRequest } from "../base/errors.ts";
import type { Json, JsonObject } from "../base/json.ts";

const PAIRS_MAX = 1000;

/**
 * Parses a query or a form: one value is a string, several of one name are an array.
 * @throws ApiError 400 above 1,000 pairs, and for one that is called `__proto__`.
 */
export function parsePairs(text: string): JsonObject {
  if (text === "") return {};
  const data: Record<string, Json> = {};
  let count = 0;
  for (const [name, value] of new URLSearchParams(text)) {
    count += 1;
    if (count > PAIRS_MAX) throw badRequest(`more than ${PAIRS_MAX} parameters`);
    if (name === "__proto__") throw badRequest(`"${name}" cannot be a parameter`);
    const before = Object.hasOwn(data, name) ? data[name] : undefined;
    data[name] =
      before === undefined
        ? value
        : Array.isArray(before)
          ? [...(before as readonly Json[]), value]
          : [before, value];
  }
  return data;
}
