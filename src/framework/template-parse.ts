import type { TemplateValue } from "./go-format.ts";
import { lexTemplate, type Piece, TemplateSyntaxError, type Token } from "./template-lex.ts";

/** What a template computes with. A pipeline is a call whose last argument is the stage before it. */
export type Expression =
  | { readonly type: "value"; readonly value: TemplateValue }
  | { readonly type: "field"; readonly name: string; readonly at: number }
  | {
      readonly type: "call";
      readonly name: string;
      readonly args: readonly Expression[];
      readonly at: number;
    };

export type TemplateNode =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "output"; readonly value: Expression }
  | {
      readonly type: "if";
      readonly condition: Expression;
      readonly then: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
    };

const NESTING_MAX = 50;

/** Words of the language that names of accounts have no use for. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "range",
  "with",
  "define",
  "template",
  "block",
  "break",
  "continue",
  "nil",
]);

/**
 * Parses a template.
 * @param isFunction - Tells the names that may be called.
 * @throws TemplateSyntaxError
 */
export function parseTemplate(
  source: string,
  isFunction: (name: string) => boolean,
): readonly TemplateNode[] {
  const state: State = { pieces: lexTemplate(source), next: 0, isFunction };
  const { nodes, stop } = parseNodes(state, 0);
  if (stop !== undefined) throw unexpected(stop.at, `{{${stop.word}}}`);
  return nodes;
}

interface State {
  readonly pieces: readonly Piece[];
  next: number;
  readonly isFunction: (name: string) => boolean;
}

/** The action that ended a run of nodes. */
interface Stop {
  readonly word: "else" | "end";
  readonly at: number;
  /** What follows the word: the condition of an `else if`. */
  readonly tokens: readonly Token[];
}

function parseNodes(state: State, depth: number): { nodes: TemplateNode[]; stop?: Stop } {
  const nodes: TemplateNode[] = [];
  for (;;) {
    const piece = state.pieces[state.next++];
    if (piece === undefined) return { nodes };
    if (piece.type === "text") {
      nodes.push(piece);
      continue;
    }
    const [first, ...rest] = piece.tokens;
    const word = first?.type === "word" ? first.text : undefined;
    if (word === "end" && rest[0] !== undefined) throw unexpected(rest[0].at, "operand after end");
    if (word === "end" || word === "else") return { nodes, stop: { word, at: piece.at, tokens: rest } };
    if (word === "if") nodes.push(parseIf(state, rest, piece.at, depth + 1));
    else nodes.push({ type: "output", value: parseAction(state, piece.tokens, piece.at, "command") });
  }
}

function parseIf(state: State, tokens: readonly Token[], at: number, depth: number): TemplateNode {
  if (depth > NESTING_MAX) throw new TemplateSyntaxError(at, `nested deeper than ${NESTING_MAX} levels`);
  const condition = parseAction(state, tokens, at, "if");
  const { nodes: then, stop } = parseNodes(state, depth);
  if (stop === undefined) throw new TemplateSyntaxError(at, "unexpected EOF");
  if (stop.word === "end") return { type: "if", condition, then, otherwise: [] };
  const [first, ...rest] = stop.tokens;
  if (first?.type === "word" && first.text === "if") {
    return { type: "if", condition, then, otherwise: [parseIf(state, rest, stop.at, depth + 1)] };
  }
  if (first !== undefined) throw unexpected(first.at, "operand after else");
  const { nodes: otherwise, stop: end } = parseNodes(state, depth);
  if (end === undefined) throw new TemplateSyntaxError(stop.at, "unexpected EOF");
  if (end.word !== "end") throw unexpected(end.at, "{{else}}");
  return { type: "if", condition, then, otherwise };
}

function unexpected(at: number, what: string): TemplateSyntaxError {
  return new TemplateSyntaxError(at, `unexpected ${what}`);
}

interface Cursor {
  readonly tokens: readonly Token[];
  next: number;
  readonly at: number;
  readonly isFunction: (name: string) => boolean;
}

function parseAction(state: State, tokens: readonly Token[], at: number, context: string): Expression {
  const cursor: Cursor = { tokens, next: 0, at, isFunction: state.isFunction };
  const value = parsePipeline(cursor, context, 0);
  if (cursor.next < tokens.length) throw unexpected(at, "right paren");
  return value;
}

/** Commands joined by `|`, up to a right paren or the end of the action. */
function parsePipeline(cursor: Cursor, context: string, depth: number): Expression {
  if (depth > NESTING_MAX) {
    throw new TemplateSyntaxError(cursor.at, `nested deeper than ${NESTING_MAX} levels`);
  }
  let value: Expression | undefined;
  for (let stage = 1; ; stage++) {
    const operands = parseOperands(cursor, depth);
    const [head, ...args] = operands;
    if (head === undefined) {
      throw new TemplateSyntaxError(
        cursor.at,
        value === undefined ? `missing value for ${context}` : "missing command after |",
      );
    }
    value = command(head, value === undefined ? args : [...args, value], stage);
    if (cursor.tokens[cursor.next]?.type !== "|") return value;
    cursor.next++;
  }
}

/** An operand and, for the head of a command, whether it may take arguments. */
interface Operand {
  readonly value: Expression;
  /** A function named as such; the call in parens is a value already. */
  readonly callable: boolean;
  readonly at: number;
}

function command(head: Operand, args: readonly (Operand | Expression)[], stage: number): Expression {
  const values = args.map((arg) => ("callable" in arg ? arg.value : arg));
  if (head.callable && head.value.type === "call") return { ...head.value, args: values };
  if (stage > 1 && head.value.type === "value") {
    throw new TemplateSyntaxError(head.at, `non executable command in pipeline stage ${stage}`);
  }
  if (values.length > 0) throw new TemplateSyntaxError(head.at, "can't give argument to non-function");
  return head.value;
}

function parseOperands(cursor: Cursor, depth: number): Operand[] {
  const operands: Operand[] = [];
  for (;;) {
    const token = cursor.tokens[cursor.next];
    if (token === undefined || token.type === "|" || token.type === ")") return operands;
    cursor.next++;
    operands.push(operand(cursor, token, depth));
  }
}

function operand(cursor: Cursor, token: Token, depth: number): Operand {
  const { at } = token;
  switch (token.type) {
    case "string":
      return { value: { type: "value", value: token.text }, callable: false, at };
    case "int":
      return { value: { type: "value", value: token.value }, callable: false, at };
    case "field":
      return { value: { type: "field", name: token.text, at }, callable: false, at };
    case "word":
      return wordOperand(cursor, token.text, at);
    default: {
      const value = parsePipeline(cursor, "parenthesized pipeline", depth + 1);
      if (cursor.tokens[cursor.next++]?.type !== ")")
        throw new TemplateSyntaxError(at, "unclosed left paren");
      return { value, callable: false, at };
    }
  }
}

function wordOperand(cursor: Cursor, word: string, at: number): Operand {
  if (word === "true" || word === "false") {
    return { value: { type: "value", value: word === "true" }, callable: false, at };
  }
  if (LEFT_OUT.has(word)) throw new TemplateSyntaxError(at, `"${word}" is not supported`);
  if (word === "if" || word === "else" || word === "end") throw unexpected(at, `<${word}>`);
  if (!cursor.isFunction(word)) throw new TemplateSyntaxError(at, `function "${word}" not defined`);
  return { value: { type: "call", name: word, args: [], at }, callable: true, at };
}
