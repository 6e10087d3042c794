import type { Barrier, Write } from "../../barrier/port.ts";
import { badRequest, hasCode, messageOf, VsecError } from "../../base/errors.ts";
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

/** How often another process may change the mounts while an entry is committed that needs one to stand. */
const RACE_ATTEMPTS_MAX = 20;

/**
 * A mount's part of the store, as its engine sees it.
 * @param standing - A precondition that the mount stands, which fails also when another one was changed; asked again then.
 */
export function engineStorage(
  barrier: Barrier,
  prefix: string,
  standing: (isFirst: boolean) => Promise<Write>,
): EngineStorage {
  const within = (write: EngineWrite): Write => {
    const key = prefix + write.key;
    return write.op === "put" ? { ...write, key, value: encodeEntry(write.value) } : { ...write, key };
  };
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
      return barrier.commit(writes.map(within));
    },
    async commitWhileMounted(writes): Promise<readonly number[]> {
      const own = writes.map(within);
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await barrier.commit([...own, await standing(attempt === 1)]);
        } catch (error) {
          if (!hasCode(error, "STORE_CONFLICT") || attempt === RACE_ATTEMPTS_MAX) throw error;
        }
      }
    },
  };
}
