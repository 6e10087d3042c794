import { isJsonObject, type JsonObject } from "../base/json.ts";
import type { ApiResponse } from "../contract/wire.ts";
import { answer, type Outcome, type Result, tableSentence } from "./outcome.ts";

/** The answer's body when it is an object: an envelope, or a bare one. */
export function bodyOf(response: ApiResponse): JsonObject | undefined {
  return isJsonObject(response.body) ? response.body : undefined;
}

/** The data of an enveloped answer; the body itself where there is no envelope. */
export function dataOf(response: ApiResponse): JsonObject {
  const body = bodyOf(response) ?? {};
  return isJsonObject(body.data) ? body.data : body;
}

/** What an answer shows: its content, or for an empty one a sentence that only people see. */
export function contentOr(response: ApiResponse, text: string): Result {
  const body = bodyOf(response);
  const outcome: Outcome = body === undefined ? tableSentence(text) : { show: "secret", body };
  return answer(outcome);
}
