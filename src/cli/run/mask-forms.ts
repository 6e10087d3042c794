/** Shorter values stand in ordinary text everywhere; they are not masked. */
export const MASKED_CHARS_MIN = 5;
/** Of a value's base64 inside a longer one, at least so much has to be its own. */
const BASE64_CHARS_MIN = 8;
/** A line of a value with several lines is masked by itself from this length on. */
const LINE_CHARS_MIN = 8;
/** Longer values are whole files: they are masked piece by piece, as they are. */
const WHOLE_CHARS_MAX = 65_536;
const PIECE_CHARS_MAX = 1024;
/** Where base64(1), and PEM, break their lines. */
const BASE64_WIDTHS = [76, 64] as const;

/**
 * The byte sequences that give a secret away: itself, each of its longer lines, as it stands in JSON, in a URL, in a form, in a
 * shell's quotes and in XML, and in base64 (of both alphabets), by itself as well as anywhere inside the base64 of something
 * longer, such as `user:password`, and with its lines broken.
 */
export function maskForms(secret: string): readonly Uint8Array[] {
  if (secret.length < MASKED_CHARS_MIN) return [];
  const lines = secret.split(/\r?\n/);
  const long = lines.filter((line) => line.length >= LINE_CHARS_MIN);
  if (secret.length > WHOLE_CHARS_MAX) return bytesOf(long.flatMap(piecesOf));
  const texts = lines.length === 1 ? [secret] : [secret, ...long];
  return bytesOf(texts.flatMap((text) => [text, ...writtenForms(text), ...base64Forms(text)]));
}

function bytesOf(forms: readonly string[]): readonly Uint8Array[] {
  return [...new Set(forms)]
    .filter((form) => form.length >= MASKED_CHARS_MIN)
    .map((form) => Buffer.from(form, "utf8"));
}

function piecesOf(line: string): readonly string[] {
  const count = Math.ceil(line.length / PIECE_CHARS_MAX);
  return Array.from({ length: count }, (_, at) =>
    line.slice(at * PIECE_CHARS_MAX, (at + 1) * PIECE_CHARS_MAX),
  );
}

/** As other kinds of text write it. */
function writtenForms(text: string): readonly string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const url = encodeURIComponent(toWellFormed(text));
  const strictUrl = url.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  return [
    // A terminal shows a line's end as CR LF.
    text.replace(/\r?\n/g, "\r\n"),
    json,
    // Go's writer of JSON, and writers that keep to ASCII.
    json.replace(/[<>&\u2028\u2029]/g, unicodeEscape),
    json.replace(/[^\x20-\x7e]/g, unicodeEscape),
    ...[url, strictUrl].flatMap((form) => [
      form,
      form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
      form.replaceAll("%20", "+"),
    ]),
    text.replaceAll("'", "'\\''"),
    text.replace(/[&<>"']/g, (char) => XML[char] ?? char),
    text.replace(/[&<>"]/g, (char) => XML[char] ?? char),
  ];
}

const XML: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function unicodeEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function toWellFormed(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}

/** Base64 takes three bytes at a time, so what a text looks like inside a longer one depends on where it begins in it. */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text, "utf8");
  const inner = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    // Characters that other bytes have a part in are left out.
    return encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  });
  return [...inner, ...brokenLines(inner[0] ?? "")]
    .filter((form) => form.length >= BASE64_CHARS_MIN)
    .flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]);
}

function brokenLines(encoded: string): readonly string[] {
  return BASE64_WIDTHS.filter((width) => encoded.length > width).flatMap((width) =>
    Array.from({ length: Math.ceil(encoded.length / width) }, (_, at) =>
      encoded.slice(at * width, (at + 1) * width),
    ),
  );
}
