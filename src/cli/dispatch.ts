import type { Catalogue, CommandEntry, GroupEntry } from "./command.ts";

/** What the first words of an invocation name. */
export type Dispatch =
  | { readonly kind: "command"; readonly entry: CommandEntry; readonly rest: readonly string[] }
  /** A group without a subcommand, or with one that does not exist. */
  | { readonly kind: "group"; readonly group: GroupEntry; readonly rest: readonly string[] }
  | { readonly kind: "unknown"; readonly word: string };

/** Matches the longest command or group over the leading words; a flag, a blank or a word with a blank ends them. */
export function dispatch(catalogue: Catalogue, args: readonly string[]): Dispatch {
  const end = args.findIndex((arg) => arg === "" || arg.startsWith("-") || arg.includes(" "));
  const words = end === -1 ? args : args.slice(0, end);
  for (let count = words.length; count > 0; count--) {
    const name = words.slice(0, count).join(" ");
    const rest = args.slice(count);
    const entry = catalogue.commands.find((candidate) => candidate.words === name);
    if (entry !== undefined) return { kind: "command", entry, rest };
    const group = catalogue.groups.find((candidate) => candidate.words === name);
    if (group !== undefined) return { kind: "group", group, rest };
  }
  return { kind: "unknown", word: words[0] ?? "" };
}

/** The commands directly under a group. */
export function commandsOf(catalogue: Catalogue, group: GroupEntry): readonly CommandEntry[] {
  return catalogue.commands.filter((entry) => entry.words.startsWith(`${group.words} `));
}

/** What bare `vsec` lists: commands of one word, and groups. */
export function topLevel(catalogue: Catalogue): readonly { words: string; synopsis: string }[] {
  const single = catalogue.commands.filter((entry) => !entry.words.includes(" ") && entry.hidden !== true);
  return [...single, ...catalogue.groups].sort((a, b) => (a.words < b.words ? -1 : 1));
}

/** The words that may have been meant: a few letters away from what was typed. */
export function suggestions(typed: string, known: readonly string[]): readonly string[] {
  const allowed = typed.length <= 3 ? 1 : 2;
  return known
    .map((word) => ({ word, distance: editDistance(typed, word) }))
    .filter(({ distance }) => distance <= allowed)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ word }) => word);
}

/** `Did you mean …?`, or the empty string where nothing comes close. */
export function didYouMean(typed: string, known: readonly string[]): string {
  const found = suggestions(typed, known);
  return found.length === 0 ? "" : `Did you mean ${found.map((word) => `"${word}"`).join(" or ")}?`;
}

const TYPED_LENGTH_MAX = 64;

/** Letters to insert, remove, replace, or swap with their neighbour, to get from one word to the other. */
function editDistance(a: string, b: string): number {
  if (a.length > TYPED_LENGTH_MAX) return TYPED_LENGTH_MAX;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : replaced;
      row.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replaced, swapped));
    }
  }
  return at(a.length, b.length);
}
