import type { Delimiters } from "../config-template.ts";

/** A template that is not what it should be, and where: line and column count from 1. */
export class TemplateError extends SyntaxError {
  constructor(reason: string, { line, column }: Place) {
    super(`${line}:${column}: ${reason}`);
    this.name = "TemplateError";
  }
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Text between actions, or what stands between `{{` and `}}`, in words. */
export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly words: readonly Word[]; readonly at: Place };

/** A word of an action. `name`: a function or keyword; `field`: `.Data.x` or `.`; `variable`: `$x.y`; `mark`: ( ) | , := = */
export interface Word {
  readonly kind: "name" | "field" | "variable" | "string" | "number" | "mark";
  /** Strings are without their quotes. */
  readonly text: string;
  readonly at: Place;
}

const WORD =
  /\s+|(?<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?<number>-?\d+(?:\.\d+)?)(?![\w.])|(?<variable>\$[\w]*(?:\.\w+)*)|(?<field>\.(?:\w+(?:\.\w+)*)?)|(?<mark>:=|[()|,=])|(?<name>[A-Za-z_]\w*)/y;

const USUAL: Delimiters = { left: "{{", right: "}}" };

/**
 * Splits a template into text and actions. `{{-` and `-}}` trim the text beside them; comments are left out.
 * @param delimiters - What stands for `{{` and `}}`.
 * @throws TemplateError
 */
export function lexTemplate(source: string, { left, right }: Delimiters = USUAL): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trims = false;
  for (;;) {
    const open = source.indexOf(left, at);
    let text = source.slice(at, open === -1 ? undefined : open);
    if (trims) text = text.trimStart();
    if (open === -1) {
      pieces.push({ kind: "text", text });
      return pieces;
    }
    const inside = open + left.length;
    const trimsBefore = /^-\s/.test(source.slice(inside, inside + 2));
    pieces.push({ kind: "text", text: trimsBefore ? text.trimEnd() : text });
    const start = inside + (trimsBefore ? 1 : 0);
    const comment = commentAt(source, start, right);
    if (comment !== null) {
      at = comment.end;
      trims = comment.trims;
      continue;
    }
    const place = placeIn(source, open);
    const { words, end } = lexAction(source, start, { left, right, place });
    trims = /\s-$/.test(source.slice(0, end));
    at = end + right.length;
    pieces.push({ kind: "action", words, at: place });
  }
}

/** A comment, which has to be all there is between the delimiters; null: none. */
function commentAt(source: string, start: number, right: string): { end: number; trims: boolean } | null {
  const comment = /^\s*\/\*[\s\S]*?\*\/\s*(-?)/.exec(source.slice(start));
  if (comment === null || !source.startsWith(right, start + comment[0].length)) return null;
  return { end: start + comment[0].length + right.length, trims: comment[1] === "-" };
}

function lexAction(
  source: string,
  start: number,
  { left, right, place: open }: Delimiters & { readonly place: Place },
): { words: readonly Word[]; end: number } {
  const words: Word[] = [];
  let at = start;
  while (at < source.length) {
    if (source.startsWith(right, at)) return { words, end: at };
    if (source.startsWith(`-${right}`, at)) return { words, end: at + 1 };
    WORD.lastIndex = at;
    const match = WORD.exec(source);
    const place = placeIn(source, at);
    if (match === null) throw new TemplateError(`"${source.charAt(at)}" does not belong here`, place);
    const [kind, text] = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined) ?? [];
    if (kind !== undefined && text !== undefined)
      words.push({
        kind: kind as Word["kind"],
        text: kind === "string" ? unquote(text, place) : text,
        at: place,
      });
    at += match[0].length;
  }
  throw new TemplateError(`"${left}" has no "${right}" after it`, open);
}

function unquote(text: string, place: Place): string {
  if (text.startsWith("`")) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    throw new TemplateError("a string has an escape that is not known", place);
  }
}

function placeIn(source: string, index: number): Place {
  const lines = source.slice(0, index).split("\n");
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}
