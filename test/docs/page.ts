/** What a page of the documentation shows: its commands, its files, and everything else in a fence. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../binary/built.ts";

/** A command that a page shows, as a person would type it: continued lines are one command. */
export interface Command {
  readonly kind: "command";
  /** The line of the page on which it begins. */
  readonly line: number;
  readonly command: string;
  /** The lines that are shown below it; none where the page does not say what it prints. */
  readonly shown: readonly string[];
}

/** A file that a page shows. Its name is what the text above it ends with: "… with `name`:". */
export interface ShownFile {
  readonly kind: "file";
  readonly line: number;
  readonly name: string;
  readonly text: string;
}

/** A fence that holds neither commands nor a file. */
export interface Figure {
  readonly kind: "figure";
  readonly line: number;
  readonly text: string;
}

export type Piece = Command | ShownFile | Figure;

interface Fence {
  readonly line: number;
  readonly language: string;
  readonly lines: readonly string[];
  /** The paragraph above it, as one line. */
  readonly above: string;
}

const PROMPT = /^[$#] /;
/** The name of a file at the end of the paragraph above it. */
const NAMES_FILE = /`([\w.~/-]+)`:$/;
/** A command in running text or in a table; it may go on in the next line. */
const CODE_SPAN = /(?<!`)`(vsec [^`]+)`(?!`)/g;
/** An argument that stands for something: `FILE`, `roles/NAME`, `roles/<name>`, `…`. */
const PLACEHOLDER = /(?:^|\/)[A-Z]+$|<|…/;

/** The pieces of a page in the order of reading. @param page - Its path in the repository. */
export function piecesOf(page: string): readonly Piece[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  const pieces = [...fencesOf(text).flatMap(piecesOfFence), ...commandsInText(text)];
  return pieces.sort((a, b) => a.line - b.line);
}

/** Everything that begins with `vsec` in running text or a table, whole commands or not. */
export function mentionsOf(page: string): readonly { readonly line: number; readonly command: string }[] {
  const text = withoutFences(readFileSync(join(ROOT, page), "utf8"));
  return [...text.matchAll(CODE_SPAN)].map(({ 1: span = "", index }) => ({
    line: text.slice(0, index).split("\n").length,
    command: span.replaceAll(/\s+/g, " "),
  }));
}

/** The words of a command, apart from its flags; quotes hold a word together. */
export function wordsOf(command: string): readonly string[] {
  const words = command.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) => word.replaceAll(/["']/g, ""));
}

function fencesOf(text: string): readonly Fence[] {
  const fences: Fence[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const language = /^```(.*)$/.exec(lines[index] ?? "")?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf("```", index + 1);
    fences.push({
      line: index + 1,
      language,
      lines: lines.slice(index + 1, end),
      above: paragraphAbove(lines, index),
    });
    index = end;
  }
  return fences;
}

function paragraphAbove(lines: readonly string[], index: number): string {
  let last = index - 1;
  while (last >= 0 && lines[last]?.trim() === "") last -= 1;
  let first = last;
  while (first > 0 && lines[first - 1]?.trim() !== "") first -= 1;
  return lines.slice(first, last + 1).join(" ");
}

function withoutFences(text: string): string {
  return text.replaceAll(/^```.*\n[\s\S]*?^```$/gm, (fence) => fence.replaceAll(/[^\n]/g, ""));
}

function piecesOfFence({ line, language, lines, above }: Fence): readonly Piece[] {
  if (language === "console") return commandsOf(lines, line + 1);
  const text = `${lines.join("\n")}\n`;
  const name = NAMES_FILE.exec(above)?.[1];
  return [name === undefined ? { kind: "figure", line, text } : { kind: "file", line, name, text }];
}

function commandsOf(lines: readonly string[], firstLine: number): readonly Command[] {
  const commands: Command[] = [];
  for (let index = 0; index < lines.length; ) {
    const typed = [lines[index]?.replace(PROMPT, "") ?? ""];
    const line = firstLine + index;
    index += 1;
    while (!isWhole(typed) && index < lines.length) typed.push(lines[index++] ?? "");
    const shown: string[] = [];
    while (index < lines.length && !PROMPT.test(lines[index] ?? "")) shown.push(lines[index++] ?? "");
    while (shown.at(-1) === "") shown.pop();
    commands.push({ kind: "command", line, command: typed.join("\n"), shown });
  }
  return commands;
}

/** Whether what has been typed up to now is a whole command: no line to continue, no here-document to end. */
function isWhole(typed: readonly string[]): boolean {
  const ending = /<<'?(\w+)'?/.exec(typed[0] ?? "")?.[1];
  if (ending !== undefined) return typed.at(-1) === ending;
  return typed.at(-1)?.endsWith("\\") !== true;
}

/** Commands in running text and tables that could be typed as they are: those that name what they are about. */
function commandsInText(page: string): readonly Command[] {
  const text = withoutFences(page);
  return [...text.matchAll(CODE_SPAN)].flatMap(({ 1: span = "", index }): Command[] => {
    const command = span.replaceAll(/\s+/g, " ");
    const named = wordsOf(command).filter((word) => !word.startsWith("-"));
    const isExample =
      named.some((word) => /[/@=]/.test(word)) && !named.some((word) => PLACEHOLDER.test(word));
    const line = text.slice(0, index).split("\n").length;
    return isExample ? [{ kind: "command", line, command, shown: [] }] : [];
  });
}
