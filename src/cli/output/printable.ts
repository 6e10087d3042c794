import { isJsonObject, type Json } from "../../base/json.ts";
import type { Outcome } from "../outcome.ts";

/** What would do something to a terminal, apart from line ends and tabs: C0, DEL and C1 of ECMA-48. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const CONTROLS = /\r(?!\n)|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

/** A text that a terminal shows as it is: control characters are written as `\x1b`. */
export function printableText(text: string): string {
  return text.replace(CONTROLS, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** An outcome for a person's eyes: what somebody has stored must not move the cursor, retitle the window or hide itself. */
export function printable(outcome: Outcome): Outcome {
  return outcome.show === "bytes"
    ? outcome
    : (printableDeep(outcome as unknown as Json) as unknown as Outcome);
}

function printableDeep(value: Json): Json {
  if (typeof value === "string") return printableText(value);
  if (Array.isArray(value)) return (value as readonly Json[]).map(printableDeep);
  if (!isJsonObject(value)) return value;
  const pairs = Object.entries(value).map(([key, item]) => [printableText(key), printableDeep(item)]);
  return Object.fromEntries(pairs) as Json;
}
