import { ApiError, aggregate, hasCode, VsecError } from "../base/errors.ts";
import { isJsonObject } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import type { ApiRequest, ApiResponse } from "../contract/wire.ts";
import { type HttpAnswer, JSON_TYPE, refusal } from "./answer.ts";
import { apiRequest, parseTarget, type Target, UnsupportedPatch } from "./api-request.ts";
import type { HttpHandler, HttpRequest } from "./connection.ts";

/** What answers the API: an instance. */
export interface ApiBackend {
  handle(request: ApiRequest): Promise<ApiResponse>;
}

export interface ApiHandlerDeps {
  readonly backend: ApiBackend;
  readonly log: Log;
  readonly now: () => number;
  /** The longest that a client waits for an answer, milliseconds. */
  readonly handleMsMax: number;
}

const VERBS = "DELETE, GET, HEAD, HELP, LIST, OPTIONS, PATCH, POST, PUT";

/** Vault's API over HTTP: each request is put into the API's terms, answered, and logged (at debug; never with what it carries). */
export function apiHandler(deps: ApiHandlerDeps): HttpHandler {
  return async (request) => {
    const startedAt = deps.now();
    let path = "";
    let answer: HttpAnswer;
    let requestId: string | undefined;
    try {
      const target = parseTarget(request.head.target);
      path = target.path;
      if (request.head.method === "OPTIONS") {
        answer = { status: 204, contentType: JSON_TYPE, body: "", headers: { Allow: VERBS } };
      } else {
        const response = await respond(deps, request, target);
        requestId = requestIdOf(response);
        answer = answerOf(response);
      }
    } catch (error) {
      answer = failureAnswer(error, deps.log);
    }
    deps.log.debug("request", {
      request_id: requestId,
      method: request.head.method,
      path: shownPath(path),
      status: answer.status,
      duration_ms: deps.now() - startedAt,
      remote_address: request.remoteAddress,
    });
    return answer;
  };
}

async function respond(deps: ApiHandlerDeps, request: HttpRequest, target: Target): Promise<ApiResponse> {
  const work = deps.backend.handle(apiRequest(request, target));
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new ApiError(500, aggregate("context deadline exceeded"))),
    deps.handleMsMax,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function answerOf({ status, body, contentType, bytes, headers }: ApiResponse): HttpAnswer {
  const set = headers === undefined ? {} : { headers };
  if (contentType !== undefined && bytes !== undefined) return { status, contentType, body: bytes, ...set };
  if (contentType !== undefined && typeof body === "string") return { status, contentType, body, ...set };
  return { status, contentType: JSON_TYPE, body: body === null ? "" : `${JSON.stringify(body)}\n`, ...set };
}

function failureAnswer(error: unknown, log: Log): HttpAnswer {
  if (error instanceof UnsupportedPatch)
    return { status: error.status, contentType: "text/plain; charset=utf-8", body: `${error.message}\n` };
  if (error instanceof ApiError) return refusal(error);
  if (hasCode(error, "STORE_MISSING") || hasCode(error, "SEALED"))
    return refusal({ status: 503, errors: ["Vault is sealed"] });
  if (error instanceof VsecError) {
    log.error("the store cannot answer", { error: error.message });
    return refusal({ status: 500, errors: [aggregate(error.message)] });
  }
  // What an unexpected error says may hold anything.
  log.error("internal error", { error: error instanceof Error ? error.name : typeof error });
  return refusal({ status: 500, errors: [aggregate("internal error")] });
}

function requestIdOf({ body }: ApiResponse): string | undefined {
  const id = isJsonObject(body) ? body.request_id : undefined;
  return typeof id === "string" && id !== "" ? id : undefined;
}

const LOGGED_CHARS_MAX = 512;

/** Some old paths end with a token: it is left out, and what is very long is cut. */
function shownPath(path: string): string {
  const shown = path.replace(/(?<=\/)(?:hv[sbr]|[sbr])\.[\w-]{8,}/g, "[token]");
  return shown.length > LOGGED_CHARS_MAX ? `${shown.slice(0, LOGGED_CHARS_MAX)}…` : shown;
}
