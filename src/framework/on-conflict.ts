import { hasCode } from "../base/errors.ts";

/** Whoever loses a race knows that another one went forward; so many losses in a row mean that something is wrong. */
const ATTEMPTS_MAX = 200;

/**
 * Does work that reads, decides and commits; when somebody else's commit came first, again from the start.
 * @throws What the work throws; STORE_CONFLICT after many lost races.
 */
export async function retryOnConflict<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT") || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}
