import type { Body, Entry, Item, Value } from "./ast.ts";
import { HclError, type Position, quoted } from "./error.ts";
import { DEPTH_MAX } from "./limits.ts";

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[a-z]+/y;

/**
 * Reads the JSON form of a document into the same tree, with positions, and with every member of an object that names a key
 * twice.
 * @throws HclError, and nothing else.
 */
export function parseJsonBody(text: string): Body {
  return new JsonParser(text).file();
}

function entry<T>(element: T): Entry<T> {
  return { element, blankBefore: false, trailing: [] };
}

class JsonParser {
  readonly #text: string;
  #offset = 0;
  /** Positions are asked for in the order of the text, so lines are counted once. */
  #line = 1;
  #lineStart = 0;
  #counted = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  file(): Body {
    this.#space();
    const value = this.#value();
    this.#space();
    if (this.#offset < this.#text.length) throw this.#unexpected("the end of the text");
    if (value.kind !== "object") throw new HclError("expected an object", value.at);
    return value.body;
  }

  #at(): Position {
    for (;;) {
      const newline = this.#text.indexOf("\n", this.#counted);
      if (newline === -1 || newline >= this.#offset) break;
      this.#line += 1;
      this.#counted = this.#lineStart = newline + 1;
    }
    return { line: this.#line, column: this.#offset - this.#lineStart + 1 };
  }

  #unexpected(wanted: string): HclError {
    const code = this.#text.codePointAt(this.#offset);
    const got = code === undefined ? "the end of the text" : quoted(String.fromCodePoint(code));
    return new HclError(`expected ${wanted}, got ${got}`, this.#at());
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#offset;
    return pattern.exec(this.#text)?.[0] ?? "";
  }

  #space(): void {
    this.#offset += this.#match(SPACE).length;
  }

  /** Takes one character after white space, if it is there. */
  #take(char: string): boolean {
    this.#space();
    if (this.#text[this.#offset] !== char) return false;
    this.#offset += 1;
    return true;
  }

  #value(): Value {
    this.#space();
    const at = this.#at();
    const char = this.#text[this.#offset];
    if (char === "{") return this.#nested(at, () => this.#object(at));
    if (char === "[") return this.#nested(at, () => this.#list(at));
    if (char === '"') return { kind: "string", ...this.#string(at), at };
    const word = this.#match(WORD);
    if (word === "true" || word === "false") {
      this.#offset += word.length;
      return { kind: "bool", bool: word === "true", raw: word, at };
    }
    if (word === "null") {
      this.#offset += word.length;
      return { kind: "null", raw: word, at };
    }
    const raw = this.#match(NUMBER);
    if (raw === "") throw this.#unexpected("a value");
    this.#offset += raw.length;
    if (!Number.isFinite(Number(raw))) throw new HclError(`number ${quoted(raw)} is too large`, at);
    return { kind: "number", number: Number(raw), raw, at };
  }

  #nested(at: Position, read: () => Value): Value {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new HclError(`nested deeper than ${DEPTH_MAX} levels`, at);
    this.#offset += 1;
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #object(at: Position): Value {
    const entries: Entry<Item>[] = [];
    if (this.#take("}")) return { kind: "object", body: { entries }, at };
    do {
      this.#space();
      const keyAt = this.#at();
      if (this.#text[this.#offset] !== '"') throw this.#unexpected("a key in quotes");
      const key = { ...this.#string(keyAt), at: keyAt };
      if (!this.#take(":")) throw this.#unexpected('":"');
      entries.push(entry({ keys: [key], assigned: true, value: this.#value() }));
    } while (this.#take(","));
    if (!this.#take("}")) throw this.#unexpected('"," or "}"');
    return { kind: "object", body: { entries }, at };
  }

  #list(at: Position): Value {
    const entries: Entry<Value>[] = [];
    if (this.#take("]")) return { kind: "list", entries, isOneLine: true, at };
    do entries.push(entry(this.#value()));
    while (this.#take(","));
    if (!this.#take("]")) throw this.#unexpected('"," or "]"');
    return { kind: "list", entries, isOneLine: this.#at().line === at.line, at };
  }

  #string(at: Position): { text: string; raw: string } {
    let end = this.#offset + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === "\\" ? 2 : 1;
    if (end >= this.#text.length) throw new HclError("string not terminated", at);
    const raw = this.#text.slice(this.#offset, end + 1);
    this.#offset = end + 1;
    try {
      return { text: String(JSON.parse(raw)), raw };
    } catch {
      // The runtime's text would name offsets within the string; ours names where the string begins.
      throw new HclError("malformed string", at);
    }
  }
}
