/** What several plugins make user names and statements of. @see reference: engines.md section 1.9.1. */

/** A moment as SQL servers read it: `2026-01-02 03:04:05+0000`. */
export function formatExpiration(expiresAtMs: number): string {
  return `${new Date(expiresAtMs).toISOString().slice(0, 19).replace("T", " ")}+0000`;
}

/** The first `bytesMax` bytes of a text, without a torn character at the end. */
export function cutBytes(text: string, bytesMax: number): string {
  return new TextDecoder().decode(Buffer.from(text, "utf8").subarray(0, bytesMax), { stream: true });
}
