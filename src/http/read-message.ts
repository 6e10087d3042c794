import { ApiError } from "../base/errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { malformed, parseHead, type RequestHead } from "./head.ts";
import type { HttpLimits } from "./limits.ts";

const CRLF = Buffer.from("\r\n");
const END_OF_HEAD = Buffer.from("\r\n\r\n");
/** A chunk's length in hex, with its extensions. */
const CHUNK_LINE_BYTES_MAX = 256;
const TRAILER_BYTES_MAX = 8192;

/** How many bytes of bodies the connections of a server hold at one time. */
export interface BodyBudget {
  bytes: number;
}

function tooSlow(): ApiError {
  return new ApiError(408, "the request did not arrive in time");
}

/** True when the client has nothing more to say: a clean end between two requests, or a connection that stays unused. */
async function isOver(source: ByteSource): Promise<boolean> {
  return !source.hasBytes && !(await source.more());
}

const LETTER_A = 0x41;
const CARRIAGE_RETURN = 0x0d;

/** What a method, or the empty line before it, may begin with. */
function isTokenByte(byte: number): boolean {
  return byte === CARRIAGE_RETURN || (byte > 0x20 && byte < 0x7f);
}

/** Empty lines before a request are skipped (RFC 9112, section 2.2). */
function skipEmptyLines(source: ByteSource): void {
  while (source.peek().subarray(0, 2).equals(CRLF)) source.take(2);
}

/**
 * Reads the head of the next request.
 * @param idleMsMax - How long to wait for its first byte.
 * @returns Null: the client has ended the connection, or sends nothing.
 * @throws ApiError for what is no HTTP, too large or too slow; ConnectionLost.
 */
export async function readHead(
  source: ByteSource,
  idleMsMax: number,
  limits: HttpLimits,
): Promise<RequestHead | null> {
  source.within(idleMsMax);
  if (await isOver(source)) return null;
  source.within(limits.headMsMax);
  for (let searched = 0; ; ) {
    skipEmptyLines(source);
    const bytes = source.peek();
    const [byte = LETTER_A] = bytes;
    // A handshake of TLS or another protocol's greeting may have no line's end that is worth waiting for.
    if (!isTokenByte(byte)) throw malformed("bad request line");
    const end = bytes.indexOf(END_OF_HEAD, Math.max(0, searched - END_OF_HEAD.length));
    if (end !== -1 && end <= limits.headBytesMax) {
      const text = source.take(end + END_OF_HEAD.length).toString("latin1", 0, end);
      return parseHead(text, limits.headersMax);
    }
    if (bytes.length > limits.headBytesMax) throw new ApiError(431, "request headers are too large");
    searched = bytes.length;
    if (await source.more()) continue;
    if (source.isLate) throw tooSlow();
    if (bytes.length === 0) return null;
    throw malformed("it ends within its headers");
  }
}

/**
 * Reads a request's body whole.
 * @param budget - Counts its bytes until it is whole.
 * @throws ApiError 413 above the limit, 503 when too much is being received at once; as {@link readHead} else.
 */
export async function readBody(
  source: ByteSource,
  { framing }: RequestHead,
  limits: HttpLimits,
  budget: BodyBudget,
): Promise<Buffer> {
  if (framing.kind === "none") return Buffer.alloc(0);
  source.within(limits.bodyMsMax);
  const parts = new BodyParts(limits, budget);
  try {
    if (framing.kind === "length") {
      parts.announce(framing.bytes);
      await readExactly(source, framing.bytes, parts);
    } else {
      await readChunks(source, parts);
    }
    return parts.whole();
  } finally {
    parts.release();
    source.unhurried();
  }
}

/** A body as it comes in. It grows by doubling: many tiny chunks cost no more than few large ones, and what is only announced costs nothing. */
class BodyParts {
  readonly #limits: HttpLimits;
  readonly #budget: BodyBudget;
  #buffer: Buffer = Buffer.alloc(0);
  #bytes = 0;

  constructor(limits: HttpLimits, budget: BodyBudget) {
    this.#limits = limits;
    this.#budget = budget;
  }

  /** @throws ApiError 413 when a body of that many more bytes is too large. */
  announce(bytes: number): void {
    if (this.#bytes + bytes > this.#limits.bodyBytesMax) {
      throw new ApiError(413, "http: request body too large");
    }
  }

  add(part: Buffer): void {
    this.announce(part.length);
    if (this.#budget.bytes + part.length > this.#limits.bodiesBytesMax) {
      throw new ApiError(503, "too many large requests at once");
    }
    this.#budget.bytes += part.length;
    const end = this.#bytes + part.length;
    if (this.#bytes === 0) {
      this.#buffer = part;
    } else {
      if (end > this.#buffer.length) this.#grow(end);
      part.copy(this.#buffer, this.#bytes);
    }
    this.#bytes = end;
  }

  #grow(bytesMin: number): void {
    const larger = Buffer.allocUnsafe(Math.max(bytesMin, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#bytes);
    this.#buffer = larger;
  }

  whole(): Buffer {
    return this.#buffer.subarray(0, this.#bytes);
  }

  release(): void {
    this.#budget.bytes -= this.#bytes;
  }
}

async function need(source: ByteSource): Promise<void> {
  if (await source.more()) return;
  throw source.isLate ? tooSlow() : malformed("it ends within its body");
}

async function readExactly(source: ByteSource, bytes: number, parts: BodyParts): Promise<void> {
  for (let left = bytes; left > 0; ) {
    if (!source.hasBytes) await need(source);
    const part = source.take(left);
    parts.add(part);
    left -= part.length;
  }
}

async function readLine(source: ByteSource, bytesMax: number): Promise<string> {
  for (;;) {
    const bytes = source.peek();
    const end = bytes.indexOf(CRLF);
    // The last byte may be the first half of the line's end.
    if (end > bytesMax || (end === -1 && bytes.length > bytesMax + 1)) throw malformed("a line is too long");
    if (end !== -1) return source.take(end + CRLF.length).toString("latin1", 0, end);
    await need(source);
  }
}

/** @see RFC 9112, section 7.1. Extensions and trailers are passed over. */
async function readChunks(source: ByteSource, parts: BodyParts): Promise<void> {
  for (;;) {
    const line = await readLine(source, CHUNK_LINE_BYTES_MAX);
    const [, hex] = /^([0-9a-fA-F]{1,8})(?:[ \t]*;[\t\x20-\x7e]*)?$/.exec(line) ?? [];
    if (hex === undefined) throw malformed("bad chunk");
    const bytes = Number.parseInt(hex, 16);
    if (bytes === 0) break;
    parts.announce(bytes);
    await readExactly(source, bytes, parts);
    if ((await readLine(source, 0)) !== "") throw malformed("bad chunk");
  }
  for (let left = TRAILER_BYTES_MAX; ; ) {
    const line = await readLine(source, left);
    if (line === "") return;
    left -= line.length;
  }
}
