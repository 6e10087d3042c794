import { HclError, type Position, quoted } from "./error.ts";
import { readEscape } from "./escape.ts";

export type Punctuation = "{" | "}" | "[" | "]" | "=" | ",";

export type TokenKind = "word" | "string" | "heredoc" | "number" | "comment" | "end" | Punctuation;

export interface Token {
  readonly kind: TokenKind;
  /** As written. */
  readonly raw: string;
  /** What it stands for: a string without quotes and escapes, a heredoc's lines; else as written. */
  readonly text: string;
  readonly at: Position;
  /** The line it ends on. */
  readonly endLine: number;
}

const WORD = /[\p{L}_][\p{L}\p{Nd}_.-]*/uy;
const NUMBER = /[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\p{L}\p{Nd}_.])/uy;
const LINE_COMMENT = /(?:#|\/\/)[^\n]*/y;
const HEREDOC_HEAD = /<<(-?)([\p{L}\p{Nd}_]+)\n/uy;
const SPACE = /[ \t\r\n\f\v]*/y;

/** Takes HCL 1 apart, one token at a time. Comments are tokens; white space is not. Lines end with `\n`. */
export class Lexer {
  readonly #text: string;
  #offset = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** @throws HclError for what begins no token. After the end it goes on answering the end. */
  next(): Token {
    this.#skip(this.#match(SPACE) ?? "");
    const at = { line: this.#line, column: this.#offset - this.#lineStart + 1 };
    const char = this.#text[this.#offset];
    if (char === undefined) return { kind: "end", raw: "", text: "", at, endLine: at.line };
    if (isPunctuation(char)) return this.#token(char, char, char, at);
    if (char === '"') return this.#string(at);
    if (char === "<") return this.#heredoc(at);
    if (char === "#" || char === "/") return this.#comment(at);
    const word = this.#match(WORD);
    if (word !== undefined) return this.#token("word", word, word, at);
    const number = this.#match(NUMBER);
    if (number !== undefined) return this.#token("number", number, number, at);
    const shown = String.fromCodePoint(this.#text.codePointAt(this.#offset) ?? 0);
    throw new HclError(`unexpected character ${quoted(shown)}`, at);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    return pattern.exec(this.#text)?.[0];
  }

  #skip(raw: string): void {
    for (let index = raw.indexOf("\n"); index !== -1; index = raw.indexOf("\n", index + 1)) {
      this.#line += 1;
      this.#lineStart = this.#offset + index + 1;
    }
    this.#offset += raw.length;
  }

  #token(kind: TokenKind, raw: string, text: string, at: Position): Token {
    this.#skip(raw);
    return { kind, raw, text, at, endLine: this.#line };
  }

  #comment(at: Position): Token {
    const line = this.#match(LINE_COMMENT);
    if (line !== undefined) return this.#token("comment", line.trimEnd(), line, at);
    if (!this.#text.startsWith("/*", this.#offset)) throw new HclError('unexpected character "/"', at);
    const end = this.#text.indexOf("*/", this.#offset + 2);
    if (end === -1) throw new HclError("comment not terminated", at);
    const raw = this.#text.slice(this.#offset, end + 2);
    return this.#token("comment", raw, raw, at);
  }

  /** A quoted string ends on its line. What stands in `${ … }` is taken as it is, quotes too. */
  #string(at: Position): Token {
    const text = this.#text;
    let value = "";
    let depth = 0;
    for (let index = this.#offset + 1; ; ) {
      const char = text[index];
      if (char === undefined || char === "\n") throw new HclError("string not terminated", at);
      if (depth === 0 && char === '"') {
        return this.#token("string", text.slice(this.#offset, index + 1), value, at);
      }
      if (depth === 0 && char === "\\") {
        const escaped = readEscape(text, index);
        if (escaped === null) {
          const column = index - this.#lineStart + 1;
          throw new HclError(`unknown escape ${quoted(text.slice(index, index + 2))}`, { ...at, column });
        }
        value += escaped.value;
        index += escaped.length;
        continue;
      }
      if (char === "{" && (depth > 0 || text[index - 1] === "$")) depth += 1;
      else if (char === "}" && depth > 0) depth -= 1;
      value += char;
      index += 1;
    }
  }

  /** `<<MARK` or `<<-MARK`, lines, and a line with the mark alone. Only `<<-` takes the mark's indentation off the lines. */
  #heredoc(at: Position): Token {
    HEREDOC_HEAD.lastIndex = this.#offset;
    const head = HEREDOC_HEAD.exec(this.#text);
    if (head === null) throw new HclError("a heredoc is << or <<-, a mark, and a new line", at);
    const [opening, dash = "", mark = ""] = head;
    const lines: string[] = [];
    for (let start = this.#offset + opening.length; ; ) {
      const newline = this.#text.indexOf("\n", start);
      const end = newline === -1 ? this.#text.length : newline;
      const line = this.#text.slice(start, end);
      const indent = line.slice(0, line.length - line.trimStart().length);
      if (line.slice(indent.length) === mark) {
        const canStrip = dash !== "" && lines.every((it) => it.startsWith(indent));
        const stripped = canStrip ? lines.map((it) => it.slice(indent.length)) : lines;
        const raw = this.#text.slice(this.#offset, end);
        return this.#token("heredoc", raw, stripped.map((it) => `${it}\n`).join(""), at);
      }
      if (newline === -1) throw new HclError(`heredoc not terminated: no line is ${quoted(mark)}`, at);
      lines.push(line);
      start = newline + 1;
    }
  }
}

function isPunctuation(char: string): char is Punctuation {
  return "{}[]=,".includes(char);
}
