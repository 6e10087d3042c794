/** Where something stands in a text; both count from 1, columns in UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A text that is not what it should be, and where. The only error that the readers of HCL throw. */
export class HclError extends SyntaxError {
  readonly line: number;
  readonly column: number;
  /** What is wrong, without the place. */
  readonly reason: string;

  constructor(reason: string, { line, column }: Position) {
    super(`${reason} on line ${line}, column ${column}`);
    this.name = "HclError";
    this.reason = reason;
    this.line = line;
    this.column = column;
  }
}

const QUOTED_CHARS_MAX = 80;

/** Quotes a piece of the text for a message, cut when it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > QUOTED_CHARS_MAX ? `${text.slice(0, QUOTED_CHARS_MAX)}…` : text);
}
