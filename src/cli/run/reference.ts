import { messageOf } from "../../base/errors.ts";

/** Where a value is: a path of the API, and a field of what is read there. `database/creds/app#password`. */
export interface Reference {
  readonly path: string;
  /** Absent: all of the data. */
  readonly field?: string;
}

/** A part of a template: text, or a value to be put in. */
export type Part = { readonly text: string } | { readonly reference: Reference };

/** `path` or `path#field`. @throws SyntaxError for one without a path, or with an empty field. */
export function parseReference(text: string): Reference {
  const trimmed = text.trim();
  const hash = trimmed.indexOf("#");
  const path = (hash === -1 ? trimmed : trimmed.slice(0, hash)).trim().replace(/^\/+|\/+$/g, "");
  const field = hash === -1 ? undefined : trimmed.slice(hash + 1).trim();
  if (path === "" || field === "" || /[\s"{}]/.test(trimmed))
    throw new SyntaxError(`"${trimmed}" is no reference; one is like database/creds/app#password`);
  return field === undefined ? { path } : { path, field };
}

/**
 * Takes a template apart. `{{ path#field }}` stands for a value; `{{{{` stands for `{{` itself.
 * @param startLine - The line number of the text's first line, for messages.
 * @throws SyntaxError that begins with line and column, as in `2:14: …`.
 */
export function parseTemplate(template: string, startLine = 1): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf("{{", at);
    if (open === -1) break;
    if (template.startsWith("{{{{", open)) {
      parts.push({ text: `${template.slice(at, open)}{{` });
      at = open + 4;
      continue;
    }
    const close = template.indexOf("}}", open);
    const place = placeOf(template, open, startLine);
    if (close === -1) throw new SyntaxError(`${place}: "{{" has no "}}" after it`);
    parts.push(
      { text: template.slice(at, open) },
      { reference: referenceAt(template.slice(open + 2, close), place) },
    );
    at = close + 2;
  }
  parts.push({ text: template.slice(at) });
  return parts.filter((part) => !("text" in part) || part.text !== "");
}

function referenceAt(text: string, place: string): Reference {
  try {
    const reference = parseReference(text);
    if (reference.field === undefined)
      throw new SyntaxError(`"${text.trim()}" names no field; say which, as in ${text.trim()}#password`);
    return reference;
  } catch (error) {
    throw new SyntaxError(`${place}: ${messageOf(error)}`, { cause: error });
  }
}

function placeOf(template: string, index: number, startLine: number): string {
  const before = template.slice(0, index).split("\n");
  return `${startLine + before.length - 1}:${(before.at(-1)?.length ?? 0) + 1}`;
}

/** Puts the values in. */
export async function renderParts(
  parts: readonly Part[],
  lookUp: (reference: Reference) => Promise<string>,
): Promise<string> {
  const texts: string[] = [];
  // One after the other: what one reads may be what the next one refers to.
  for (const part of parts) texts.push("text" in part ? part.text : await lookUp(part.reference));
  return texts.join("");
}
