import { HclError } from "./error.ts";

/** Characters of a document. */
export const TEXT_CHARS_MAX = 4 * 1024 * 1024;

/** Braces and brackets within each other. */
export const DEPTH_MAX = 32;

/** @throws HclError for a text that is longer than {@link TEXT_CHARS_MAX}. */
export function checkLength(text: string): void {
  if (text.length > TEXT_CHARS_MAX) {
    throw new HclError(`more than ${TEXT_CHARS_MAX} characters, which is too long`, { line: 1, column: 1 });
  }
}
