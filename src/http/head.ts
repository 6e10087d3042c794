import { ApiError } from "../base/errors.ts";

/** How the end of a body is told. */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" };

/** A request's line and headers, checked. */
export interface RequestHead {
  readonly method: string;
  /** As it was sent: `/v1/sys/mounts?x=1`. */
  readonly target: string;
  /** Values by lower-case name, in the order in which they came. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly framing: Framing;
  /** The client wants to send more requests over this connection. */
  readonly keepsAlive: boolean;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
}

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const REQUEST_LINE = /^(\S+) ([\x21-\x7e]+) HTTP\/(\d)\.(\d)$/;
const HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/;
/** Tab, and everything that is no control character (RFC 9110, section 5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const METHOD_CHARS_MAX = 32;

/** A 400 for a message that is no HTTP. */
export function malformed(what: string): ApiError {
  return new ApiError(400, `malformed HTTP request: ${what}`);
}

/**
 * Parses a request's head. It is strict where leniency lets two parsers disagree about where a request ends: only CRLF,
 * no folded lines, no blank before a colon, one length or one `chunked`, never both.
 * @param text - The head as Latin-1, without the empty line that ends it.
 * @throws ApiError 400, 417 (an expectation we do not know), 431, 501 (a transfer encoding), 505 (a version).
 * @see RFC 9112, sections 3, 5 and 6.
 */
export function parseHead(text: string, headersMax: number): RequestHead {
  const [requestLine = "", ...lines] = text.split("\r\n");
  const [, method = "", target = "", major, minor] = REQUEST_LINE.exec(requestLine) ?? [];
  if (!TOKEN.test(method) || method.length > METHOD_CHARS_MAX) throw malformed("bad request line");
  if (major !== "1") throw new ApiError(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  const isOld = minor === "0";
  const headers = parseHeaders(lines, headersMax);
  if (!isOld && headers.get("host")?.length !== 1) throw malformed("exactly one Host header is required");
  const expectation = one(headers, "expect")?.toLowerCase();
  if (expectation !== undefined && expectation !== "100-continue")
    throw new ApiError(417, "the only expectation known is 100-continue");
  const connection = (headers.get("connection") ?? []).flatMap((value) =>
    value.split(",").map((word) => word.trim().toLowerCase()),
  );
  return {
    method,
    target,
    headers,
    framing: framingOf(headers, isOld),
    keepsAlive: isOld ? connection.includes("keep-alive") : !connection.includes("close"),
    expectsContinue: expectation !== undefined && !isOld,
  };
}

function parseHeaders(lines: readonly string[], headersMax: number): Map<string, string[]> {
  if (lines.length > headersMax) throw new ApiError(431, `more than ${headersMax} headers`);
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const [, name, value = ""] = HEADER.exec(line) ?? [];
    if (name === undefined || !VALUE.test(value)) throw malformed("bad header line");
    const key = name.toLowerCase();
    const values = headers.get(key);
    if (values === undefined) headers.set(key, [value]);
    else values.push(value);
  }
  return headers;
}

/** The value of a header that may come once. */
function one(headers: ReadonlyMap<string, readonly string[]>, name: string): string | undefined {
  const values = headers.get(name);
  if (values !== undefined && values.length > 1) throw malformed(`more than one ${name} header`);
  return values?.[0];
}

function framingOf(headers: ReadonlyMap<string, readonly string[]>, isOld: boolean): Framing {
  const length = one(headers, "content-length");
  const encoding = one(headers, "transfer-encoding");
  if (encoding !== undefined) {
    if (length !== undefined || isOld) throw malformed("Transfer-Encoding beside a length, or in HTTP/1.0");
    if (encoding.toLowerCase() !== "chunked")
      throw new ApiError(501, "the only transfer encoding known is chunked");
    return { kind: "chunked" };
  }
  if (length === undefined) return { kind: "none" };
  if (!/^\d{1,15}$/.test(length)) throw malformed("bad Content-Length");
  return length === "0" ? { kind: "none" } : { kind: "length", bytes: Number(length) };
}
