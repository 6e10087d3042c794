import { setImmediate } from "node:timers/promises";
import { ApiError, badRequest } from "../../base/errors.ts";
import { ExactNumber, isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import type { Reply } from "../../framework/backend.ts";

/** An item of a batch, or the one item of a request without. What an operation does not know it does not look at. */
export interface Item {
  readonly plaintext?: string;
  readonly ciphertext?: string;
  readonly input?: string;
  readonly signature?: string;
  readonly hmac?: string;
  readonly context?: string;
  readonly associated_data?: string;
  readonly nonce?: string;
  readonly padding_scheme?: string;
  readonly decrypt_padding_scheme?: string;
  readonly encrypt_padding_scheme?: string;
  readonly key_version?: number;
  /** The caller's own mark, given back as it was. */
  readonly reference?: string;
}

const TEXTS = [
  "plaintext",
  "ciphertext",
  "input",
  "signature",
  "hmac",
  "context",
  "associated_data",
  "nonce",
  "padding_scheme",
  "decrypt_padding_scheme",
  "encrypt_padding_scheme",
  "reference",
] as const satisfies readonly (keyof Item)[];

/** What every item has to have. */
export interface RequiredPart {
  readonly name: "plaintext" | "ciphertext";
  /** Said when it is missing. */
  readonly missing: string;
}

/**
 * Reads the items of a batch.
 * @throws ApiError 400 for an empty batch, an item that is no map, a part of the wrong type or a missing one, and for contexts
 *   that only some items have. The texts name places, never values.
 */
export function readItems(list: readonly Json[], required: RequiredPart | null): readonly Item[] {
  if (list.length === 0) throw badRequest("missing batch input to process");
  const wrong: string[] = [];
  const items = list.map((item, index) => readItem(item, index, required, wrong));
  if (wrong.length > 0) {
    const shown = wrong.slice(0, SHOWN_MAX).map((text) => `* ${text}`);
    throw badRequest(
      `failed to parse batch input: ${wrong.length} error(s) decoding:\n\n${shown.join("\n")}`,
    );
  }
  const withContext = items.filter(({ context }) => context !== undefined && context !== "").length;
  if (withContext !== 0 && withContext !== items.length) {
    throw badRequest("context should be set either in all the request blocks or in none");
  }
  return items;
}

const SHOWN_MAX = 20;

function readItem(item: Json, index: number, required: RequiredPart | null, wrong: string[]): Item {
  if (!isJsonObject(item)) {
    wrong.push(`'[${index}]' expected a map, got '${goType(item)}'`);
    return {};
  }
  const read: Record<string, string | number> = {};
  for (const name of TEXTS) {
    const value = own(item, name);
    if (value === undefined || value === null) continue;
    if (typeof value === "string") read[name] = value;
    else wrong.push(`'[${index}].${name}' expected type 'string', got unconvertible type '${goType(value)}'`);
  }
  const given = own(item, "key_version") ?? 0;
  const version = given instanceof ExactNumber ? given.plain() : given;
  const number = typeof version === "string" && /^-?\d{1,15}$/.test(version) ? Number(version) : version;
  if (typeof number === "number" && Number.isSafeInteger(number)) read.key_version = number;
  else {
    wrong.push(`'[${index}].key_version' expected type 'int', got unconvertible type '${goType(version)}'`);
  }
  if (required !== null && own(item, required.name) === undefined) {
    wrong.push(`'[${index}].${required.name}' ${required.missing}`);
  }
  return read;
}

function own(item: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(item, name) ? item[name] : undefined;
}

/** The type of a value as Go's decoder names it. */
function goType(value: Json): string {
  if (value === null) return "nil";
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  return isJsonObject(value) ? "map[string]interface {}" : "json.Number";
}

/** After so many items whoever else waits for this process has a turn. */
const ITEMS_AT_ONCE = 64;

/**
 * Works on the items of a batch, one after the other. An item that is refused says why in its own result; the answer is then a
 * 400 with all results, or `partialStatus` when other items succeeded.
 * @param partialStatus - 0: not set.
 */
export async function runBatch(
  items: readonly Item[],
  partialStatus: number,
  work: (item: Item, index: number) => Promise<JsonObject>,
): Promise<Reply> {
  if (partialStatus !== 0 && (partialStatus < 200 || partialStatus > 599)) {
    throw badRequest("partial_failure_response_code must be a status from 200 to 599");
  }
  const results: JsonObject[] = [];
  let failed = 0;
  for (const [index, item] of items.entries()) {
    if (index % ITEMS_AT_ONCE === ITEMS_AT_ONCE - 1) await setImmediate();
    const reference =
      item.reference === undefined || item.reference === "" ? {} : { reference: item.reference };
    try {
      results.push({ ...(await work(item, index)), ...reference });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status >= 500) throw error;
      failed += 1;
      results.push({ error: error.errors.join("; "), ...reference });
    }
  }
  const data = { batch_results: results };
  if (failed === 0) return { data };
  return { data, status: partialStatus !== 0 && failed < items.length ? partialStatus : 400 };
}
