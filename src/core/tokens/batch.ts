import type { Barrier } from "../../barrier/port.ts";
import { badRequest, VsecError } from "../../base/errors.ts";
import { isJsonObject, parseJson } from "../../base/json.ts";
import type { TokenRecord } from "./record.ts";

const PREFIX = "hvb.";
const PURPOSE = "batch-token";
/** A longer one would not fit into the headers that carry it. */
const ID_CHARS_MAX = 8000;

export interface OpenedBatchToken {
  readonly record: TokenRecord;
  /** Tells the parent from a later token with the same id; empty for an orphan. */
  readonly parentAccessor: string;
}

/** Whether a text claims to be a batch token. `b.` is how older clients' ones begin. */
export function isBatchToken(token: string): boolean {
  return token.startsWith(PREFIX) || token.startsWith("b.");
}

/** Makes a batch token: its record, sealed. Nothing is stored. @throws ApiError 400 when it would be too long to use. */
export function sealBatchToken(barrier: Barrier, { record, parentAccessor }: OpenedBatchToken): string {
  const bytes = new TextEncoder().encode(JSON.stringify({ record, parentAccessor }));
  const id = PREFIX + Buffer.from(barrier.seal(PURPOSE, bytes)).toString("base64url");
  if (id.length > ID_CHARS_MAX) {
    throw badRequest(
      "a batch token with this much metadata would be too long to use; give less, or use a service token",
    );
  }
  return id;
}

/** Null: not one of this store's, or changed. Whether it still lives is the caller's question. */
export async function openBatchToken(barrier: Barrier, token: string): Promise<OpenedBatchToken | null> {
  if (!token.startsWith(PREFIX)) return null;
  const text = token.slice(PREFIX.length);
  const sealed = Buffer.from(text, "base64url");
  // The decoder skips what it does not know; only one spelling of a token may be taken.
  if (sealed.toString("base64url") !== text) return null;
  const bytes = await barrier.open(PURPOSE, sealed);
  if (bytes === null) return null;
  const value = parseJson(Buffer.from(bytes).toString("utf8"));
  if (!isJsonObject(value) || !isJsonObject(value.record) || value.record.v !== 1) {
    throw new VsecError("BARRIER_DAMAGED", "a batch token is of a version that this vsec does not know");
  }
  return value as unknown as OpenedBatchToken;
}
