import { parseDurationMs } from "../../../base/duration.ts";
import { badRequest } from "../../../base/errors.ts";
import type { TidyTerms } from "./fields.ts";

/** @throws ApiError 400 for a duration that is none. */
export function checkTerms(terms: TidyTerms): void {
  if (terms.safety_buffer < 1) throw badRequest("safety_buffer must be greater than zero");
  if (terms.issuer_safety_buffer < 1) throw badRequest("issuer_safety_buffer must be greater than zero");
  if (terms.acme_account_safety_buffer < 1) {
    throw badRequest("acme_account_safety_buffer must be greater than zero");
  }
  let pauseMs = -1;
  try {
    pauseMs = parseDurationMs(terms.pause_duration);
  } catch {
    // Refused below, like a negative one.
  }
  if (pauseMs < 0)
    throw badRequest(`pause_duration ${JSON.stringify(terms.pause_duration)} is not a duration`);
}
