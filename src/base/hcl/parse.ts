import type { Body, Comment, Entry, Item, Key, Value } from "./ast.ts";
import { HclError, quoted } from "./error.ts";
import { Lexer, type Token, type TokenKind } from "./lex.ts";
import { checkLength, DEPTH_MAX } from "./limits.ts";
import { parseJsonBody } from "./parse-json.ts";

/** True when the text is the JSON form: its first character is a brace. */
export function isJsonForm(text: string): boolean {
  return /^[\s\ufeff]*\{/.test(text);
}

/**
 * Reads HCL 1, or the JSON form of it (a text whose first character is `{`).
 * @throws HclError, which names line and column; nothing else, whatever the text.
 */
export function parseHcl(text: string): Body {
  checkLength(text);
  const clean = text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
  return isJsonForm(clean) ? parseJsonBody(clean) : new Parser(clean).file();
}

/** Gathers what stands between two delimiters: elements, the comments around them, and where blank lines are. */
class Entries<T> {
  readonly list: Entry<T>[] = [];
  /** The line on which the last entry, or the opening delimiter, ends. */
  #endLine: number;
  #trailing: Comment[] | undefined;

  constructor(openingLine: number) {
    this.#endLine = openingLine;
  }

  /** A comment on the line of the element before it belongs to that element. */
  comment(token: Token): void {
    const comment = { raw: token.raw };
    const last = this.#trailing?.at(-1);
    // Nothing can follow a comment that ends with its line.
    const canFollow = last === undefined || last.raw.startsWith("/*");
    if (this.#trailing !== undefined && canFollow && token.at.line === this.#endLine) {
      this.#trailing.push(comment);
    } else {
      this.list.push({ comment, blankBefore: this.#isBlankBefore(token) });
      this.#trailing = undefined;
    }
    this.#endLine = token.endLine;
  }

  element(element: T, first: Token, endLine: number): void {
    this.#trailing = [];
    this.list.push({ element, blankBefore: this.#isBlankBefore(first), trailing: this.#trailing });
    this.#endLine = endLine;
  }

  /** A comma after the element; a comment on its line still belongs to the element. */
  comma(token: Token): void {
    this.#endLine = token.endLine;
  }

  #isBlankBefore(token: Token): boolean {
    return this.list.length > 0 && token.at.line > this.#endLine + 1;
  }
}

class Parser {
  readonly #lexer: Lexer;
  #token: Token;
  /** The line on which the token before {@link Parser.#token} ends. */
  #endLine = 1;
  #depth = 0;

  constructor(text: string) {
    this.#lexer = new Lexer(text);
    this.#token = this.#lexer.next();
  }

  file(): Body {
    return this.#body("end", 0);
  }

  #advance(): Token {
    const token = this.#token;
    this.#endLine = token.endLine;
    this.#token = this.#lexer.next();
    return token;
  }

  #unexpected(wanted: string): HclError {
    const { kind, raw, at } = this.#token;
    return new HclError(
      `expected ${wanted}, got ${kind === "end" ? "the end of the text" : quoted(raw)}`,
      at,
    );
  }

  /** Items up to the closing token, which is taken too. */
  #body(closing: TokenKind, openingLine: number): Body {
    const entries = new Entries<Item>(openingLine);
    for (;;) {
      const first = this.#token;
      if (first.kind === closing) {
        this.#advance();
        return { entries: entries.list };
      }
      if (first.kind === "comment") entries.comment(this.#advance());
      else {
        entries.element(
          this.#item((comment) => entries.comment(comment)),
          first,
          this.#endLine,
        );
        if (this.#token.kind === "," && closing === "}") entries.comma(this.#advance());
      }
    }
  }

  /** Comments between an item's key and its value are moved before the item. */
  #item(hoist: (comment: Token) => void): Item {
    const keys: Key[] = [];
    for (;;) {
      const token = this.#token;
      switch (token.kind) {
        case "word":
        case "string":
          keys.push({ text: token.text, raw: token.raw, at: token.at });
          this.#advance();
          continue;
        case "comment":
          hoist(this.#advance());
          continue;
        case "=":
          if (keys.length !== 1) throw this.#unexpected(keys.length === 0 ? "a key" : '"{"');
          this.#advance();
          while (this.#token.kind === "comment") hoist(this.#advance());
          return { keys, assigned: true, value: this.#value() };
        case "{":
          if (keys.length === 0) throw this.#unexpected("a key");
          return { keys, assigned: false, value: this.#value() };
        default:
          throw this.#unexpected(keys.length === 0 ? "a key" : '"=" or "{"');
      }
    }
  }

  #value(): Value {
    const token = this.#token;
    const { raw, text, at } = token;
    switch (token.kind) {
      case "string":
      case "heredoc":
        this.#advance();
        return { kind: token.kind, text, raw, at };
      case "number":
        this.#advance();
        return { kind: "number", number: readNumber(token), raw, at };
      case "word":
        if (text !== "true" && text !== "false") throw this.#unexpected("a value");
        this.#advance();
        return { kind: "bool", bool: text === "true", raw, at };
      case "[":
        return this.#nested(() => this.#list());
      case "{":
        return this.#nested(() => {
          this.#advance();
          return { kind: "object", body: this.#body("}", at.line), at };
        });
      default:
        throw this.#unexpected("a value");
    }
  }

  #nested(read: () => Value): Value {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) {
      throw new HclError(`nested deeper than ${DEPTH_MAX} levels`, this.#token.at);
    }
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #list(): Value {
    const opening = this.#advance();
    const entries = new Entries<Value>(opening.at.line);
    for (let needsComma = false; ; ) {
      const first = this.#token;
      if (first.kind === "]") {
        this.#advance();
        const isOneLine = this.#endLine === opening.at.line;
        return { kind: "list", entries: entries.list, isOneLine, at: opening.at };
      }
      if (first.kind === "comment") entries.comment(this.#advance());
      else if (needsComma) {
        if (first.kind !== ",") throw this.#unexpected('"," or "]"');
        entries.comma(this.#advance());
        needsComma = false;
      } else {
        entries.element(this.#value(), first, this.#endLine);
        needsComma = true;
      }
    }
  }
}

/** @throws HclError for a number that is too large. */
function readNumber({ raw, at }: Token): number {
  const magnitude = raw.replace(/^[+-]/, "");
  // As in HCL 1, a leading zero means octal.
  const number = Number(/^0[0-7]+$/.test(magnitude) ? `0o${magnitude}` : magnitude);
  if (!Number.isFinite(number)) throw new HclError(`number ${quoted(raw)} is too large`, at);
  return raw.startsWith("-") ? -number : number;
}
