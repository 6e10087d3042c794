/**
 * What a byte is part of: text, the text inside a control string (a link's address, a window's title), or a control sequence,
 * which shows nothing.
 */
export type Layer = "text" | "string" | "control";

const ESCAPE = 0x1b;
const BELL = 0x07;
const CSI = 0x5b;
/** What begins a control string after ESC: DCS, SOS, OSC, PM, APC. */
const STRING_BEGINNINGS: ReadonlySet<number> = new Set([0x50, 0x58, 0x5d, 0x5e, 0x5f]);

type State = "none" | "escape" | "charset" | "csi";

/** Follows the control sequences of a stream, byte by byte. @see ECMA-48 sections 5.3 to 5.6 */
export class EscapeSequences {
  #state: State = "none";
  #isInString = false;

  /** Whether the next byte begins text, unless it is ESC. */
  get isAtText(): boolean {
    return this.#state === "none" && !this.#isInString;
  }

  /** What this byte is part of. */
  take(byte: number): Layer {
    if (byte === ESCAPE) {
      this.#state = "escape";
      return "control";
    }
    return this.#isControl(byte) ? "control" : this.#isInString ? "string" : "text";
  }

  #isControl(byte: number): boolean {
    const state = this.#state;
    const isIntermediate = byte >= 0x20 && byte <= 0x2f;
    switch (state) {
      case "none": {
        const isEnd = this.#isInString && byte === BELL;
        if (isEnd) this.#isInString = false;
        return isEnd;
      }
      case "csi":
        // What belongs in no sequence ends it, as terminals have it.
        if (byte < 0x20 || byte > 0x3f) this.#state = "none";
        return byte >= 0x20 && byte <= 0x7e;
      default:
        this.#state = byte === CSI && state === "escape" ? "csi" : isIntermediate ? "charset" : "none";
        // ESC and `\` end a string; any other sequence does as well, since it cannot be in one.
        if (state === "escape") this.#isInString = STRING_BEGINNINGS.has(byte);
        return byte >= 0x20 && byte <= 0x7e;
    }
  }
}
