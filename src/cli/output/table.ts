import type { Cell } from "../outcome.ts";

/** Stands for a line break while cells are laid out, as Vault prints breaks raw; a private-use character. */
const BREAK = "\ue000";

const GAP = "    ";

const PLAIN_BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: GAP,
} as const;

const LAYOUT = {
  chars: PLAIN_BORDERS,
  style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
};

const cellText = (cell: Cell): string => (cell ?? "").trim() || "n/a";

/**
 * Lays rows out as Vault does: columns 4 blanks apart and as wide as their widest cell, the last one not padded, under the
 * header a line of dashes as long as each of its words, `n/a` for an empty cell. Without rows or header: the empty string.
 */
export async function plainTable(
  header: readonly string[] | undefined,
  rows: readonly (readonly Cell[])[],
): Promise<string> {
  const lines = rows.map((row) => row.map(cellText));
  const all =
    header === undefined ? lines : [[...header], header.map((word) => "-".repeat(word.length)), ...lines];
  if (all.length === 0) return "";
  if (all.every((row) => row.length === 1)) return `${all.map(([cell]) => cell).join("\n")}\n`;
  if (all.every((row) => row.every(isNarrow))) return layOut(all);
  const { default: Table } = await import("cli-table3");
  const ruler = widestCells(all);
  const parts: string[] = [];
  for (let start = 0; start < all.length; start += ROWS_AT_ONCE) {
    const table = new Table(LAYOUT);
    const rows = all.slice(start, start + ROWS_AT_ONCE);
    table.push(...[ruler, ...rows].map((row) => row.map((cell) => cell.replaceAll("\n", BREAK))));
    const drawn = table.toString().split("\n").slice(1);
    parts.push(...drawn.map((line) => line.trimEnd()));
  }
  return `${parts.join("\n").replaceAll(BREAK, "\n")}\n`;
}

/** Every character takes one column, and none breaks the line. */
function isNarrow(cell: string): boolean {
  return /^[\x20-\x7e]*$/.test(cell);
}

/**
 * What the library would draw. Measuring characters that can only take one column costs it more, the first time, than all
 * that a command does before.
 */
function layOut(rows: readonly (readonly string[])[]): string {
  const widths = widestCells(rows).map((cell) => cell.length);
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  return `${lines.map((row) => row.join(GAP).trimEnd()).join("\n")}\n`;
}

/**
 * The table library's time grows with the square of the rows, so long tables are laid out in pieces. Each piece begins with
 * the widest cells of all, which is then dropped: so every piece has the same columns.
 */
const ROWS_AT_ONCE = 20;

/** Characters that take two columns on a terminal: scripts of East Asia, and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|\p{Emoji_Presentation}/gu;

/** The columns a cell takes, near enough to find the widest; the library measures exactly. */
function roughWidth(cell: string): number {
  return cell.length + (cell.match(WIDE)?.filter((char) => char.length === 1).length ?? 0);
}

function widestCells(rows: readonly (readonly string[])[]): readonly string[] {
  const widest: string[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      if (roughWidth(cell) > roughWidth(widest[column] ?? "")) widest[column] = cell;
    });
  }
  return widest;
}
