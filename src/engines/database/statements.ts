/**
 * How the statements of a role or a connection become queries.
 * @see reference: engines.md sections 1.7 and 1.9.8.
 */

/** Standard base64 with padding, line breaks allowed, as Go's `base64.StdEncoding` takes it. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decodeBase64(text: string): string {
  const compact = text.replace(/[\r\n]/g, "");
  return BASE64.test(compact) ? Buffer.from(compact, "base64").toString("utf8") : text;
}

function parseStringArray(text: string): readonly string[] | undefined {
  if (!text.trimStart().startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isList = Array.isArray(value) && value.every((item) => typeof item === "string");
    return isList ? (value as string[]) : undefined;
  } catch {
    // Not JSON, so it is plain SQL that happens to start with a bracket.
    return undefined;
  }
}

function nonEmpty(pieces: readonly string[]): string[] {
  return pieces.map((piece) => piece.trim()).filter((piece) => piece !== "");
}

/**
 * Splits one element of a statement list into queries: base64 is decoded, a JSON array of strings gives its elements, and
 * anything else is cut at every `;`, quoted or not.
 */
export function splitStatement(element: string): string[] {
  const trimmed = element.trim();
  if (trimmed === "") return [];
  const text = decodeBase64(trimmed);
  return nonEmpty(parseStringArray(text) ?? text.split(";"));
}

/**
 * True for an element that is sent whole because it holds a block: the upper-case word `END` is in it. Only the quoted
 * text found last (double quotes are looked for before single ones) is left out of the search; that is how Vault does it.
 */
export function isBlock(element: string): boolean {
  const quoted = [...(element.match(/".*?"/g) ?? []), ...(element.match(/'.*?'/g) ?? [])];
  const last = quoted.at(-1);
  return /\bEND\b/.test(last === undefined ? element : element.replaceAll(last, ""));
}

/**
 * Splits a whole list of statements into queries.
 * @param options - `keepBlocks`: an element with a block in it is one query, as it stands (PostgreSQL's creation and
 * revocation statements; see {@link isBlock}).
 */
export function splitStatements(
  elements: readonly string[],
  options: { readonly keepBlocks?: boolean } = {},
): string[] {
  // Most roles have none, and are asked for each of their users.
  if (elements.length === 0) return [];
  return elements.flatMap((element) =>
    options.keepBlocks === true && isBlock(element) ? nonEmpty([element]) : splitStatement(element),
  );
}

/**
 * Puts values in the place of `{{key}}`, as plain text: nothing is quoted or escaped, unknown keys stay as they are, and a
 * value that itself looks like a key is not looked at again.
 */
export function fillStatement(query: string, values: Readonly<Record<string, string>>): string {
  return query.replace(/\{\{([^{}]*)\}\}/g, (whole, key: string) =>
    Object.hasOwn(values, key) ? (values[key] ?? whole) : whole,
  );
}
