import type { Delimiters } from "../config-template.ts";
import { lexTemplate, type Piece, type Place, TemplateError, type Word } from "./lex.ts";

/** A template as a tree. */
export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "show"; readonly pipe: Pipe }
  | { readonly kind: "set"; readonly name: string; readonly pipe: Pipe }
  | {
      readonly kind: "if" | "with";
      readonly pipe: Pipe;
      readonly variable: string | null;
      readonly then: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | {
      readonly kind: "range";
      readonly pipe: Pipe;
      readonly variables: readonly string[];
      readonly then: readonly Node[];
      readonly otherwise: readonly Node[];
    };

/** Commands, each of which gets the value before it as its last argument. */
export type Pipe = readonly Call[];

/** A function with its arguments, or one value alone. */
export interface Call {
  readonly function: string | null;
  readonly arguments: readonly Argument[];
  readonly at: Place;
}

export type Argument =
  | { readonly kind: "literal"; readonly value: string | number | boolean }
  /** Null: the value of the innermost `with` or `range`; else a variable, `$` being the outermost value. */
  | { readonly kind: "value"; readonly variable: string | null; readonly fields: readonly string[] }
  /** A pipe in parentheses, and fields of what it gives. */
  | { readonly kind: "pipe"; readonly pipe: Pipe; readonly fields: readonly string[] };

const DEPTH_MAX = 50;

/** @throws TemplateError for anything that is not in the subset, with its place. */
export function parseTemplate(source: string, delimiters?: Delimiters): readonly Node[] {
  const parser = new Parser(lexTemplate(source, delimiters));
  return parser.all();
}

/** Reads the words of one action. */
class Words {
  readonly #words: readonly Word[];
  readonly #at: Place;
  #index = 0;

  constructor(words: readonly Word[], at: Place) {
    this.#words = words;
    this.#at = at;
  }

  get next(): Word | undefined {
    return this.#words[this.#index];
  }

  get place(): Place {
    return this.next?.at ?? this.#at;
  }

  take(): Word | undefined {
    const word = this.next;
    this.#index += 1;
    return word;
  }

  /** Takes the word if it is this one. */
  takes(kind: Word["kind"], text: string): boolean {
    if (this.next?.kind !== kind || this.next.text !== text) return false;
    this.#index += 1;
    return true;
  }

  /** `$a :=` or `$a, $b :=` at the front. */
  takeVariables(): readonly string[] {
    const names: string[] = [];
    const start = this.#index;
    while (this.next?.kind === "variable" && !this.next.text.includes(".")) {
      names.push(this.take()?.text ?? "");
      if (this.takes("mark", ":=") || this.takes("mark", "=")) return names;
      if (!this.takes("mark", ",")) break;
    }
    this.#index = start;
    return [];
  }

  end(): void {
    const extra = this.next;
    if (extra !== undefined) throw new TemplateError(`"${extra.text}" does not belong here`, extra.at);
  }

  pipe(depth = 0): Pipe {
    if (depth > DEPTH_MAX) throw new TemplateError("nested too deeply", this.place);
    const calls = [this.#call(depth)];
    while (this.takes("mark", "|")) calls.push(this.#call(depth));
    return calls;
  }

  #call(depth: number): Call {
    const at = this.place;
    const name = this.next?.kind === "name" && !isLiteral(this.next.text) ? this.take() : undefined;
    const found: Argument[] = [];
    for (let argument = this.#argument(depth); argument !== null; argument = this.#argument(depth))
      found.push(argument);
    if (name === undefined && found.length !== 1)
      throw new TemplateError(found.length === 0 ? "a value is missing" : "a value takes no arguments", at);
    return { function: name?.text ?? null, arguments: found, at };
  }

  /** Fields that stand right behind a parenthesis; with a blank between, they are an argument of their own. */
  #fieldsAfter(close: Word | undefined): readonly string[] {
    const word = this.next;
    const isBehind =
      word?.kind === "field" && word.at.line === close?.at.line && word.at.column === close.at.column + 1;
    if (!isBehind) return [];
    this.take();
    return fieldsOf(word);
  }

  #argument(depth: number): Argument | null {
    const word = this.next;
    if (word === undefined) return null;
    if (word.kind === "mark" && word.text !== "(") return null;
    this.take();
    switch (word.kind) {
      case "mark": {
        const pipe = this.pipe(depth + 1);
        const close = this.next;
        if (!this.takes("mark", ")")) throw new TemplateError('"(" has no ")" after it', word.at);
        return { kind: "pipe", pipe, fields: this.#fieldsAfter(close) };
      }
      case "string":
        return { kind: "literal", value: word.text };
      case "number":
        return { kind: "literal", value: Number(word.text) };
      case "field":
        return { kind: "value", variable: null, fields: fieldsOf(word) };
      case "variable": {
        const [variable = "", ...fields] = word.text.split(".");
        return { kind: "value", variable, fields };
      }
      case "name":
        if (isLiteral(word.text)) return { kind: "literal", value: word.text === "true" };
        throw new TemplateError(`put ${word.text} and its arguments in parentheses`, word.at);
    }
  }
}

/** `.a.b` is `a`, `b`; a lone dot is nothing. */
function fieldsOf(word: Word): readonly string[] {
  return word.text.split(".").filter((it) => it !== "");
}

function isLiteral(text: string): boolean {
  return text === "true" || text === "false";
}

const BLOCKS: ReadonlySet<string> = new Set(["if", "with", "range"]);
const UNKNOWN_ACTIONS: ReadonlySet<string> = new Set(["define", "template", "block", "break", "continue"]);

class Parser {
  readonly #pieces: readonly Piece[];
  #index = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  all(): readonly Node[] {
    const { nodes, end } = this.#nodes(0);
    if (end !== null) throw new TemplateError(`"${end.words[0]?.text}" ends nothing`, end.at);
    return nodes;
  }

  /** Nodes up to an `else` or `end`, which is taken, or to the template's end. */
  #nodes(depth: number): { nodes: Node[]; end: (Piece & { kind: "action" }) | null } {
    const nodes: Node[] = [];
    for (let piece = this.#pieces[this.#index]; piece !== undefined; piece = this.#pieces[this.#index]) {
      this.#index += 1;
      if (piece.kind === "text") {
        if (piece.text !== "") nodes.push(piece);
        continue;
      }
      const [first] = piece.words;
      if (first?.kind === "name" && (first.text === "end" || first.text === "else"))
        return { nodes, end: piece };
      nodes.push(this.#action(piece, depth));
    }
    return { nodes, end: null };
  }

  #action({ words: list, at }: Piece & { kind: "action" }, depth: number): Node {
    const words = new Words(list, at);
    const first = words.next;
    if (first?.kind === "name" && UNKNOWN_ACTIONS.has(first.text))
      throw new TemplateError(`"${first.text}" is not supported here`, first.at);
    if (first?.kind === "name" && BLOCKS.has(first.text)) return this.#block(first.text, words, at, depth);
    const [name, more] = words.takeVariables();
    const pipe = words.pipe();
    words.end();
    if (more !== undefined) throw new TemplateError("two variables are for range", at);
    return name === undefined ? { kind: "show", pipe } : { kind: "set", name, pipe };
  }

  #block(kind: string, words: Words, at: Place, depth: number): Node {
    if (depth > DEPTH_MAX) throw new TemplateError("nested too deeply", at);
    words.take();
    const variables = words.takeVariables();
    const pipe = words.pipe();
    words.end();
    const { nodes: then, end } = this.#nodes(depth + 1);
    if (end === null) throw new TemplateError(`"${kind}" has no "end"`, at);
    const otherwise = end.words[0]?.text === "else" ? this.#otherwise(end, kind, at, depth) : [];
    if (kind === "range") return { kind, pipe, variables, then, otherwise };
    return { kind: kind === "if" ? "if" : "with", pipe, variable: variables[0] ?? null, then, otherwise };
  }

  #otherwise(
    { words: list, at }: Piece & { kind: "action" },
    kind: string,
    opened: Place,
    depth: number,
  ): readonly Node[] {
    const [, second] = list;
    if (second !== undefined) {
      // `else if` is an `if` in the `else`, which has the same end.
      if (second.kind !== "name" || (second.text !== "if" && second.text !== "with"))
        throw new TemplateError(`"${second.text}" does not belong here`, second.at);
      return [this.#block(second.text, new Words(list.slice(1), at), at, depth + 1)];
    }
    const { nodes, end } = this.#nodes(depth + 1);
    if (end?.words[0]?.text !== "end") throw new TemplateError(`"${kind}" has no "end"`, opened);
    return nodes;
  }
}
