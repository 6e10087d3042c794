import { VsecError } from "../base/errors.ts";

/** A precondition that does not hold. Its key stays out of the message: it says nothing to a person. */
export function conflictError(): VsecError {
  return new VsecError(
    "STORE_CONFLICT",
    "another process changed the same entry at the same time; nothing was written: read it again and retry",
  );
}
