/** Whether a command has printed what a page shows below it. */

/** What differs from run to run, by what it looks like on the page, and what may stand in its place. */
const VARIES: readonly (readonly [shown: RegExp, printed: string])[] = [
  // Anything, where the page says so itself.
  [/…/, "[^\\n]*"],
  // Points in time, with or without a zone.
  [
    /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?/,
    "\\d{4}-\\d\\d-\\d\\d[T ][\\d:.]+(?:Z|[+-]\\d\\d:?\\d\\d)?",
  ],
  // What is left of a time.
  [/\b(?:\d+h)?\d+m\d+s\b/, "(?:\\d+h)?(?:\\d+m)?(?:\\d+s)?"],
  [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/, "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"],
  [/\b[0-9a-f]{32,}\b/, "[0-9a-f]{32,}"],
  [/(?:[0-9a-f]{2}:){7,}[0-9a-f]{2}/, "(?:[0-9a-f]{2}:){7,}[0-9a-f]{2}"],
  // What of a user's name is chance and time.
  [/(?<=\bv-[\w-]+-)[A-Za-z0-9]{20}-\d{10}\b/, "[A-Za-z0-9]{20}-\\d{10}"],
  // Ids, tokens, passwords, keys: long, with a capital and a digit in them.
  [
    /(?<![\w+/-])(?!v-)(?=[\w+/-]*[A-Z])(?=[\w+/-]*\d)-?[A-Za-z0-9][A-Za-z0-9-]{17,38}[A-Za-z0-9](?![\w+/])/,
    "[A-Za-z0-9-]{16,40}",
  ],
  [/(?<=[/.-])(?=[A-Za-z]*\d)(?=[a-z0-9]*[A-Z])[A-Za-z0-9]{20,24}(?!\w)/, "[A-Za-z0-9]{20,24}"],
  [/(?<![\w+/-])(?=[a-z]*\d)[a-z0-9]{20,40}(?![\w+/-])/, "[a-z0-9]{20,40}"],
  [/(?<=\bv\d:)[A-Za-z0-9+/]{16,}=*/, "[A-Za-z0-9+/]{16,}=*"],
];

/** One expression for all of the kinds, each in a group of its own. */
const ANY = new RegExp(VARIES.map(([shown]) => `(${shown.source})`).join("|"), "g");

function escaped(literal: string): string {
  return (
    literal
      .replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
      // How wide a column is depends on what is in it.
      .replaceAll(/ {2,}/g, " {2,}")
      .replaceAll(/-{3,}/g, "-{3,}")
  );
}

function patternOf(line: string): string {
  let pattern = "";
  let done = 0;
  for (const match of line.matchAll(ANY)) {
    const kind = match.slice(1).findIndex((group) => group !== undefined);
    pattern += escaped(line.slice(done, match.index)) + (VARIES[kind]?.[1] ?? "");
    done = match.index + match[0].length;
  }
  return pattern + escaped(line.slice(done));
}

/**
 * An expression that fits what a command prints, given what a page shows. A line of nothing but `…` stands for any number of
 * lines; ids, times, passwords and widths of columns are free.
 */
export function expressionFor(shown: readonly string[]): RegExp {
  const lines = shown.map((line) =>
    line.trim() === "…" ? "(?:[^\\n]*\\n)*?" : `${patternOf(line.trimEnd())}\\n`,
  );
  return new RegExp(`^${lines.join("")}$`);
}

/** Printed text as it is held against the page: without blanks at the ends of lines, and with one line break at its end. */
export function normalised(printed: string): string {
  const lines = printed.split("\n").map((line) => line.trimEnd());
  return `${lines.join("\n").trimEnd()}\n`;
}
