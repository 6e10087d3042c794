import type { ApiError } from "../base/errors.ts";

/** What goes back over the wire. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Empty: no body. Texts are sent as UTF-8. */
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export const JSON_TYPE = "application/json";

/** Names of the statuses that are sent here; those that only clients of `sys/health` know have none. */
const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  412: "Precondition Failed",
  413: "Request Entity Too Large",
  415: "Unsupported Media Type",
  417: "Expectation Failed",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

/** The answer to a request that is refused before it reaches the API. */
export function refusal(error: Pick<ApiError, "status" | "errors">): HttpAnswer {
  const errors = error.errors.filter((text) => text !== "");
  return { status: error.status, contentType: JSON_TYPE, body: `${JSON.stringify({ errors })}\n` };
}

/** How an answer is to be written. */
export interface Framed {
  readonly nowMs: number;
  readonly keepsAlive: boolean;
  /** An answer to HEAD tells the length of a body that it does not carry. */
  readonly withBody: boolean;
}

/** @see RFC 9110, sections 15.3.5 and 15.4.5. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/** A header that could not be sent as one is left out: what a path sets may hold what a client said. */
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

/** The answer's message: head and body in one piece. @see reference: HTTP layer, response headers. */
export function answerMessage(answer: HttpAnswer, { nowMs, keepsAlive, withBody }: Framed): string | Buffer {
  const { status } = answer;
  // A caller of sys/health may choose these statuses, and what came after their head would be taken for the next answer.
  const body = BODILESS.has(status) ? "" : answer.body;
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`,
    "Cache-Control: no-store",
    "Strict-Transport-Security: max-age=31536000; includeSubDomains",
    "X-Content-Type-Options: nosniff",
    `Date: ${dateText(nowMs)}`,
  ];
  if (!BODILESS.has(status)) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  if (body.length > 0) lines.push(`Content-Type: ${answer.contentType}`);
  for (const [name, value] of Object.entries(answer.headers ?? {}))
    if (HEADER_VALUE.test(value)) lines.push(`${name}: ${value}`);
  if (!keepsAlive) lines.push("Connection: close");
  const head = `${lines.join("\r\n")}\r\n\r\n`;
  if (!withBody) return head;
  return typeof body === "string" ? `${head}${body}` : Buffer.concat([Buffer.from(head, "latin1"), body]);
}

const SECOND_MS = 1000;
let dated = { second: -1, text: "" };

/** HTTP's date (RFC 9110, section 5.6.7), made once a second. */
function dateText(nowMs: number): string {
  const second = Math.floor(nowMs / SECOND_MS);
  if (second !== dated.second) dated = { second, text: new Date(nowMs).toUTCString() };
  return dated.text;
}
