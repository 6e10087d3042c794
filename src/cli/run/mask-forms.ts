/** Shorter values stand in ordinary text everywhere; they are not masked. */
export const MASKED_CHARS_MIN = 5;
/** Of a value's base64 inside a longer one, at least so much has to be its own. */
const BASE64_CHARS_MIN = 8;
/** A line of a value with several lines is masked by itself from this length on. */
const LINE_CHARS_MIN = 8;

/**
 * The byte sequences that give a secret away: itself, each of its longer lines, as it stands in JSON and in a URL, and in
 * base64 (of both alphabets), by itself as well as anywhere inside the base64 of something longer, such as `user:password`.
 */
export function maskForms(secret: string): readonly Uint8Array[] {
  if (secret.length < MASKED_CHARS_MIN) return [];
  const lines = secret.split(/\r?\n/);
  const texts =
    lines.length === 1 ? [secret] : [secret, ...lines.filter((line) => line.length >= LINE_CHARS_MIN)];
  // A terminal shows a line's end as CR LF.
  const forms = texts.flatMap((text) => [
    text,
    text.replace(/\r?\n/g, "\r\n"),
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(toWellFormed(text)),
    ...base64Forms(text),
  ]);
  return [...new Set(forms)].map((form) => Buffer.from(form, "utf8"));
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
  return inner
    .filter((form) => form.length >= BASE64_CHARS_MIN)
    .flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]);
}
