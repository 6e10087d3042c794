/*
 * Standard base64 as Go reads it: `Buffer.from` takes whatever it is given and skips what it does not know, which would turn a
 * damaged value into other bytes instead of an error.
 */

const LINE_BREAKS = /[\r\n]/g;
const FOREIGN = /[^A-Za-z0-9+/]/;

/**
 * Decodes standard base64 with padding (RFC 4648 section 4); line breaks are skipped.
 * @throws SyntaxError with Go's text, which names the place and no part of the value.
 */
export function decodeBase64(text: string): Buffer {
  const packed = text.includes("\n") || text.includes("\r") ? text.replace(LINE_BREAKS, "") : text;
  const padding = packed.endsWith("==") ? 2 : packed.endsWith("=") ? 1 : 0;
  const body = packed.slice(0, packed.length - padding);
  const foreignAt = body.search(FOREIGN);
  if (foreignAt !== -1) throw illegalAt(foreignAt);
  if (packed.length % 4 !== 0) {
    throw illegalAt(padding === 0 ? packed.length - (packed.length % 4) : body.length);
  }
  return Buffer.from(body, "base64");
}

/**
 * Decodes URL-safe base64 without padding (RFC 4648 section 5).
 * @throws SyntaxError as {@link decodeBase64}.
 */
export function decodeBase64Url(text: string): Buffer {
  const foreignAt = text.search(/[^A-Za-z0-9_-]/);
  if (foreignAt !== -1) throw illegalAt(foreignAt);
  if (text.length % 4 === 1) throw illegalAt(text.length - 1);
  return Buffer.from(text, "base64url");
}

function illegalAt(index: number): SyntaxError {
  return new SyntaxError(`illegal base64 data at input byte ${index}`);
}

/** The text that another text is the base64 of; undefined when it is none, or not of any text. */
export function decodeBase64Text(text: string): string | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64");
  const decoded = bytes.toString("utf8");
  return Buffer.from(decoded).equals(bytes) ? decoded : undefined;
}
