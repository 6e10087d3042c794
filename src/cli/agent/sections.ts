import { parseDurationSeconds } from "../../base/duration.ts";
import { messageOf } from "../../base/errors.ts";
import { type Body, elementsOf, type Item, type Value } from "../../base/hcl/ast.ts";
import { HclError, type Position } from "../../base/hcl/error.ts";

/** A block of a configuration file, whose settings are read one by one; what nobody has asked for is refused at the end. */
export class Section {
  readonly label: string | null;
  readonly #name: string;
  readonly #at: Position;
  readonly #items: readonly Item[];
  readonly #read = new Set<string>();

  constructor(name: string, body: Body, at: Position, label: string | null = null) {
    this.label = label;
    this.#name = name;
    this.#at = at;
    this.#items = elementsOf(body.entries);
  }

  /** The blocks of this name, in order. `name "label" { … }` and, as JSON has it, lists and objects of objects. */
  blocks(name: string): readonly Section[] {
    return this.#named(name).flatMap((item) => {
      const label = item.keys[1]?.text ?? null;
      return objectsIn(item.value).map(
        (value) => new Section(name, value.body, item.keys[0]?.at ?? this.#at, label),
      );
    });
  }

  /** The block of this name, if any. @throws HclError for more than one. */
  block(name: string): Section | undefined {
    const [first, second] = this.blocks(name);
    if (second !== undefined) throw new HclError(`there may be one "${name}" only`, second.#at);
    return first;
  }

  text(name: string): string | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (value.kind === "string" || value.kind === "heredoc") return value.text;
    if (value.kind === "number" || value.kind === "bool") return value.raw;
    throw new HclError(`"${name}" must be a string`, value.at);
  }

  required(name: string): string {
    const text = this.text(name);
    if (text === undefined || text === "") throw new HclError(`"${this.#name}" needs "${name}"`, this.#at);
    return text;
  }

  flag(name: string, absent = false): boolean {
    const value = this.#value(name);
    if (value === undefined) return absent;
    if (value.kind === "bool") return value.bool;
    if (value.kind === "string" && /^(?:true|false)$/.test(value.text)) return value.text === "true";
    throw new HclError(`"${name}" must be true or false`, value.at);
  }

  texts(name: string): readonly string[] | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (value.kind === "string") return [value.text];
    if (value.kind !== "list") throw new HclError(`"${name}" must be a list of strings`, value.at);
    return elementsOf(value.entries).map((element) => {
      if (element.kind === "string") return element.text;
      throw new HclError(`"${name}" must be a list of strings`, element.at);
    });
  }

  /** Seconds. */
  duration(name: string): number | undefined {
    return this.parsed(name, parseDurationSeconds);
  }

  /** A text that means something. @param parse - Throws SyntaxError. */
  parsed<T>(name: string, parse: (text: string) => T): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      throw new HclError(`"${name}": ${messageOf(error)}`, this.#value(name)?.at ?? this.#at);
    }
  }

  /** Takes note of settings that change nothing here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** @throws HclError for the first setting that was not read. */
  end(): void {
    const extra = this.#items.find((item) => !this.#read.has(item.keys[0]?.text ?? ""));
    if (extra === undefined) return;
    const where = this.#name === "" ? "" : ` in "${this.#name}"`;
    throw new HclError(`"${extra.keys[0]?.text}" is not supported${where}`, extra.keys[0]?.at ?? this.#at);
  }

  fail(reason: string): HclError {
    return new HclError(reason, this.#at);
  }

  #named(name: string): readonly Item[] {
    this.#read.add(name);
    return this.#items.filter((item) => item.keys[0]?.text === name);
  }

  #value(name: string): Value | undefined {
    const [first, second] = this.#named(name);
    if (second !== undefined) throw new HclError(`"${name}" is given twice`, second.keys[0]?.at ?? this.#at);
    return first?.value;
  }
}

function objectsIn(value: Value): readonly (Value & { kind: "object" })[] {
  if (value.kind === "object") return [value];
  if (value.kind === "list") return elementsOf(value.entries).flatMap(objectsIn);
  throw new HclError("a block in braces belongs here", value.at);
}
