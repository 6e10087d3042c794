import type { Barrier, Write } from "../../barrier/port.ts";
import { badRequest, messageOf, VsecError } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../base/json.ts";
import type { EngineEntry, EngineStorage, EngineWrite } from "../../framework/storage.ts";

const PAGE = 1000;

/** Where a mount's own entries lie. */
export function mountPrefix(uuid: string): string {
  return `mount/${uuid}/`;
}

/**
 * An entry as it is stored. What a caller sent nests as deep as parsing allows, and its entry deeper: one that could not be
 * read again is not written.
 * @throws ApiError 400 for such a one.
 */
function encodeEntry(value: JsonObject): Uint8Array {
  const text = JSON.stringify(value);
  try {
    parseJson(text);
  } catch (error) {
    throw badRequest(`the data cannot be stored: ${messageOf(error)}`, error);
  }
  return new TextEncoder().encode(text);
}

/** A mount's part of the store, as its engine sees it. */
export function engineStorage(barrier: Barrier, prefix: string): EngineStorage {
  return {
    async get(key): Promise<EngineEntry | null> {
      const entry = await barrier.get(prefix + key);
      if (entry === null) return null;
      const value = parseJson(Buffer.from(entry.value).toString("utf8"));
      if (!isJsonObject(value)) throw new VsecError("BARRIER_DAMAGED", "an engine's entry is not an object");
      return { value, version: entry.version };
    },
    async list(below): Promise<readonly string[]> {
      const names: string[] = [];
      let after: string | undefined;
      do {
        const page = await barrier.list(prefix + below, {
          limit: PAGE,
          ...(after === undefined ? {} : { after }),
        });
        names.push(...page.names);
        after = page.next ?? undefined;
      } while (after !== undefined);
      return names.sort();
    },
    async commit(writes): Promise<readonly number[]> {
      return barrier.commit(
        writes.map((write: EngineWrite): Write => {
          const key = prefix + write.key;
          if (write.op !== "put") return { ...write, key };
          return { ...write, key, value: encodeEntry(write.value) };
        }),
      );
    },
  };
}
