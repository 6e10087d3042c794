import { ApiError, aggregate, VsecError } from "../../base/errors.ts";
import { DatabaseError } from "./plugin.ts";

/**
 * The answer to a failure of the database, or of the store, while a request is handled.
 * @param what - What failed, up to the colon: `error setting credentials`.
 * @returns The error itself where it is an answer already, or nothing that was foreseen.
 */
export function refusal(what: string, error: unknown): unknown {
  if (!(error instanceof DatabaseError) && !(error instanceof VsecError)) return error;
  return new ApiError(500, aggregate(`${what}: ${error.message}`), { cause: error });
}

/** Does the work; what it throws becomes a {@link refusal}. */
export async function refusing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw refusal(what, error);
  }
}
