/** A backslash and what follows it. */
export interface Escape {
  readonly value: string;
  /** Characters it takes in the text, the backslash included. */
  readonly length: number;
}

const SIMPLE: ReadonlyMap<string, string> = new Map([
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
  ["\\", "\\"],
  ['"', '"'],
]);

const CODED = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/y;

/** Reads the escape at `offset`, where a backslash stands. Null: there is no such escape. */
export function readEscape(text: string, offset: number): Escape | null {
  const simple = SIMPLE.get(text[offset + 1] ?? "");
  if (simple !== undefined) return { value: simple, length: 2 };
  CODED.lastIndex = offset;
  const match = CODED.exec(text);
  if (match === null) return null;
  const [raw, byte, short, long, octal] = match;
  const code =
    octal === undefined ? Number.parseInt(byte ?? short ?? long ?? "", 16) : Number.parseInt(octal, 8);
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  return code > 0x10ffff || isSurrogate ? null : { value: String.fromCodePoint(code), length: raw.length };
}
