/** One line of an environment file. */
export interface Assignment {
  readonly name: string;
  /** Without its quotes, escapes undone. */
  readonly value: string;
  /** The line it is on, from 1. */
  readonly line: number;
}

export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Reads `NAME=value` lines as programs that read `.env` files do: blank lines and lines that begin with `#` are left out, a
 * leading `export` is allowed, a value in single quotes is taken as it is, one in double quotes knows `\n`, `\t`, `\r`, `\"`,
 * `\\` and `\$`, and one without quotes ends at ` #`. A value in quotes may go over several lines. Variables in values are not
 * expanded.
 * @throws SyntaxError that begins with the line number.
 */
export function parseDotenv(text: string): readonly Assignment[] {
  const lines = text.split(/\r?\n/);
  const found: Assignment[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (/^\s*(?:#|$)/.test(line)) continue;
    const [, name, rest = ""] = /^\s*(?:export\s+)?([^=\s]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || !VARIABLE_NAME.test(name))
      throw new SyntaxError(`${index + 1}: this is no NAME=value line`);
    const quote = rest[0];
    if (quote !== '"' && quote !== "'") {
      found.push({ name, value: rest.replace(/\s+#.*$/, "").trimEnd(), line: index + 1 });
      continue;
    }
    const quoted = readQuoted([rest, ...lines.slice(index + 1)].join("\n"), quote);
    if (quoted === null) throw new SyntaxError(`${index + 1}: the value of ${name} has no closing ${quote}`);
    found.push({ name, value: quoted.value, line: index + 1 });
    index += quoted.lines;
  }
  return found;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function readQuoted(text: string, quote: string): { value: string; lines: number } | null {
  let value = "";
  for (let at = 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === quote) return { value, lines: text.slice(0, at).split("\n").length - 1 };
    if (char === "\\" && quote === '"') {
      at += 1;
      const escaped = text.charAt(at);
      value += ESCAPES[escaped] ?? ('"\\$'.includes(escaped) ? escaped : `\\${escaped}`);
    } else value += char;
  }
  return null;
}

/** A value for a shell that reads `NAME=value`: in single quotes unless it has only characters that mean nothing there. */
export function shellQuote(value: string): string {
  if (/^[A-Za-z0-9_./:@%+,=-]+$/.test(value)) return value;
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/**
 * A value for an environment file. What needs no quotes gets none; single quotes keep all but themselves as it is; else double
 * quotes with the escapes that {@link parseDotenv} knows.
 */
export function dotenvQuote(value: string): string {
  if (/^[A-Za-z0-9_./:@%+,=-]*$/.test(value)) return value;
  if (!/['\r\n]/.test(value)) return `'${value}'`;
  const escaped = value
    .replace(/["\\$]/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
  return `"${escaped}"`;
}
