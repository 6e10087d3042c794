import { parseGoInt } from "./weak-decode.ts";

/** A piece of an action: `{{ … }}`. `at` is its offset in the template. */
export type Token =
  | { readonly type: "string"; readonly text: string; readonly at: number }
  | { readonly type: "int"; readonly value: number; readonly at: number }
  /** A function or a keyword. */
  | { readonly type: "word"; readonly text: string; readonly at: number }
  /** `.DisplayName`, without the dot. */
  | { readonly type: "field"; readonly text: string; readonly at: number }
  | { readonly type: "(" | ")" | "|"; readonly at: number };

/** A template cut into its texts and actions. */
export type Piece =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "action"; readonly tokens: readonly Token[]; readonly at: number };

/** A template that is not one, with the offset where that shows. */
export class TemplateSyntaxError extends SyntaxError {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

const LEFT_SPACE = /^[ \t\r\n]+/;
const RIGHT_SPACE = /[ \t\r\n]+$/;

/**
 * Cuts a template into texts and actions, trim markers (`{{- ` and ` -}}`) applied and comments dropped.
 * @throws TemplateSyntaxError
 */
export function lexTemplate(source: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = source.indexOf("{{", at);
    let text = source.slice(at, open === -1 ? undefined : open);
    if (trimNext) text = text.replace(LEFT_SPACE, "");
    const trimThis = open !== -1 && /^-[ \t\r\n]/.test(source.slice(open + 2, open + 4));
    if (trimThis) text = text.replace(RIGHT_SPACE, "");
    if (text !== "") pieces.push({ type: "text", text });
    if (open === -1) return pieces;
    const action = lexAction(source, open + (trimThis ? 3 : 2), open);
    if (action.tokens !== undefined) pieces.push({ type: "action", tokens: action.tokens, at: open });
    at = action.end;
    trimNext = action.trim;
  }
}

interface Action {
  /** Undefined for a comment. */
  readonly tokens: readonly Token[] | undefined;
  /** Just past the closing braces. */
  readonly end: number;
  /** Whether the text after it loses its leading white space. */
  readonly trim: boolean;
}

const COMMENT = /[ \t\r\n]*\/\*/y;
const COMMENT_CLOSE = /(?:[ \t\r\n]+-)?\}\}/y;
const CLOSE = /[ \t\r\n]*(?:[ \t\r\n]-)?\}\}/y;
const SPACE = /[ \t\r\n]*/y;

function lexAction(source: string, start: number, open: number): Action {
  const comment = matchAt(COMMENT, source, start);
  if (comment !== undefined) return lexComment(source, start + comment.length, open);
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    const close = matchAt(CLOSE, source, at);
    if (close !== undefined) return { tokens, end: at + close.length, trim: close.endsWith("-}}") };
    const space = matchAt(SPACE, source, at) ?? "";
    at += space.length;
    if (at >= source.length) throw new TemplateSyntaxError(open, "unclosed action");
    const { token, end } = lexToken(source, at);
    const before = tokens.at(-1);
    if (token.type === "field" && space === "" && before !== undefined && !"(|".includes(before.type)) {
      throw new TemplateSyntaxError(at, "fields have no fields of their own");
    }
    tokens.push(token);
    at = end;
  }
}

function lexComment(source: string, start: number, open: number): Action {
  const end = source.indexOf("*/", start);
  if (end === -1) throw new TemplateSyntaxError(open, "unclosed comment");
  const close = matchAt(COMMENT_CLOSE, source, end + 2);
  if (close === undefined) throw new TemplateSyntaxError(open, "comment ends before closing delimiter");
  return { tokens: undefined, end: end + 2 + close.length, trim: close.endsWith("-}}") };
}

function matchAt(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

const TOKENS = {
  quoted: /"(?:[^"\\\n]|\\.)*"/y,
  raw: /`[^`]*`/y,
  number: /[+-]?\d[\w.]*/y,
  word: /[A-Za-z_]\w*/y,
  field: /\.[A-Za-z_]\w*/y,
  mark: /[()|]/y,
} as const;

function lexToken(source: string, at: number): { readonly token: Token; readonly end: number } {
  for (const [kind, pattern] of Object.entries(TOKENS)) {
    const text = matchAt(pattern, source, at);
    if (text !== undefined)
      return { token: tokenOf(kind as keyof typeof TOKENS, text, at), end: at + text.length };
  }
  const char = String.fromCodePoint(source.codePointAt(at) ?? 0);
  if (char === '"') throw new TemplateSyntaxError(at, "unterminated quoted string");
  if (char === "`") throw new TemplateSyntaxError(at, "unterminated raw quoted string");
  throw new TemplateSyntaxError(at, `unexpected ${JSON.stringify(char)} in command`);
}

function tokenOf(kind: keyof typeof TOKENS, text: string, at: number): Token {
  switch (kind) {
    case "quoted":
      return { type: "string", text: unquote(text, at), at };
    case "raw":
      return { type: "string", text: text.slice(1, -1), at };
    case "number": {
      const value = parseGoInt(text);
      if (value === undefined)
        throw new TemplateSyntaxError(at, `bad number syntax: ${JSON.stringify(text)}`);
      return { type: "int", value, at };
    }
    case "word":
      return { type: "word", text, at };
    case "field":
      return { type: "field", text: text.slice(1), at };
    case "mark":
      return { type: text as "(" | ")" | "|", at };
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};

/** Reads a quoted string of Go's. Bytes (`\x41`, `\101`) are taken for characters below 128 only. */
function unquote(quoted: string, at: number): string {
  const body = quoted.slice(1, -1);
  return body.replace(
    /\\(?:x([0-7][0-9a-fA-F])|([01][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g,
    (whole, hex?: string, octal?: string, short?: string, long?: string, char?: string) => {
      const code = hex ?? short ?? long;
      const point = code !== undefined ? Number.parseInt(code, 16) : Number.parseInt(octal ?? "", 8);
      if (point <= 0x10ffff && (point < 0xd800 || point > 0xdfff)) return String.fromCodePoint(point);
      const plain = char !== undefined && Object.hasOwn(ESCAPES, char) ? ESCAPES[char] : undefined;
      if (plain === undefined) throw new TemplateSyntaxError(at, `bad escape ${whole} in a string`);
      return plain;
    },
  );
}
