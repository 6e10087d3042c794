import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";

/** Keys as an answer shows them, once. */
export function keysBody(keys: readonly Uint8Array[]): JsonObject {
  return {
    keys: keys.map((key) => Buffer.from(key).toString("hex")),
    keys_base64: keys.map((key) => Buffer.from(key).toString("base64")),
  };
}

/**
 * Keys are not encrypted with PGP here: better no answer than one that shows what was to be hidden.
 * @param values - By parameter, what the caller gave for it.
 * @throws ApiError 400 naming the first parameter that was given.
 */
export function refusePgp(values: Readonly<Record<string, string | readonly string[]>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value.length === 0) continue;
    throw badRequest(
      `${name} is not supported: keys and tokens are not encrypted with PGP here; leave it out`,
    );
  }
}
