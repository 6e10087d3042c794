const SHORT: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  '"': '\\"',
  "\\": "\\\\",
};

/** Text in double quotes as Go's `%q` writes it, which Vault's messages are made with. */
export function goQuote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what has to be escaped.
  const escaped = text.replace(/[\u0000-\u001f\u007f"\\]/g, (char) => {
    return SHORT[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return `"${escaped}"`;
}

const TRUE_WORDS = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE_WORDS = new Set(["0", "f", "F", "FALSE", "false", "False"]);

/** A boolean as Go parses it; undefined for any other word. */
export function parseBool(text: string): boolean | undefined {
  if (TRUE_WORDS.has(text)) return true;
  return FALSE_WORDS.has(text) ? false : undefined;
}

/**
 * Folds text at blanks so that no line is longer than `width`, and puts `indent` blanks before each line.
 * Words longer than that stay whole; line breaks in the text are kept.
 */
export function wrapText(text: string, indent = 0, width = 78): string {
  const pad = " ".repeat(indent);
  return text
    .split("\n")
    .map((line) =>
      wrapLine(line, width - indent)
        .map((part) => `${pad}${part}`.trimEnd())
        .join("\n"),
    )
    .join("\n");
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  const lead = /^ */.exec(line)?.[0] ?? "";
  let current = lead;
  for (const word of line.trim().split(/ +/)) {
    const joined = current.trim() === "" ? `${current}${word}` : `${current} ${word}`;
    if (joined.length > width && current.trim() !== "") {
      lines.push(current);
      current = word;
    } else {
      current = joined;
    }
  }
  lines.push(current);
  return lines;
}
