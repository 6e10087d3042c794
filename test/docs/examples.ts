import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../binary/built.ts";

/** Commands of one `console` block of a page, as a person would type them: continued lines are one command. */
export interface Example {
  /** The line of the page on which it begins. */
  readonly line: number;
  readonly command: string;
}

/** Whether what has been typed up to now is a whole command: no line to continue, no here-document to end. */
function isWhole(typed: readonly string[]): boolean {
  const ending = /<<'?(\w+)'?/.exec(typed[0] ?? "")?.[1];
  if (ending !== undefined) return typed.at(-1) === ending;
  return typed.at(-1)?.endsWith("\\") !== true;
}

/** The commands of a page's `console` blocks, in order: what follows `$ `, with continuations and here-documents. */
export function examplesOf(page: string): readonly Example[] {
  const examples: Example[] = [];
  let isConsole = false;
  let begun: { readonly line: number; readonly typed: readonly string[] } | undefined;
  for (const [index, text] of readFileSync(join(ROOT, "docs", page), "utf8")
    .split("\n")
    .entries()) {
    if (text.startsWith("```")) isConsole = text === "```console";
    else if (begun !== undefined) begun = { ...begun, typed: [...begun.typed, text] };
    else if (isConsole && text.startsWith("$ ")) begun = { line: index + 1, typed: [text.slice(2)] };
    if (begun === undefined || !isWhole(begun.typed)) continue;
    examples.push({ line: begun.line, command: begun.typed.join("\n") });
    begun = undefined;
  }
  return examples;
}
