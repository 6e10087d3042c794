import { ENVIRONMENT_VARIABLES } from "../contract/environment.ts";
import {
  type AnyCommand,
  type Catalogue,
  type CommandEntry,
  flagGroups,
  type GroupEntry,
} from "./command.ts";
import { commandsOf, topLevel } from "./dispatch.ts";
import { type Flag, flagSignature } from "./flags.ts";
import { wrapText } from "./go-text.ts";

const COMMON = ["read", "write", "delete", "list", "login", "daemon", "status", "unwrap"] as const;

function rows(entries: readonly { words: string; synopsis: string }[]): string {
  const width = Math.max(...entries.map((entry) => entry.words.length)) + 4;
  return entries.map((entry) => `    ${entry.words.padEnd(width)}${entry.synopsis}\n`).join("");
}

/** What bare `vsec` prints. */
export function rootHelp(catalogue: Catalogue): string {
  const all = topLevel(catalogue);
  const common = COMMON.flatMap((name) => all.filter((entry) => entry.words === name));
  const others = all.filter((entry) => !COMMON.some((name) => name === entry.words));
  return `Usage: vsec <command> [args]\n\nCommon commands:\n${rows(common)}\nOther commands:\n${rows(others)}`;
}

/** Help of a group: what it is, and its commands. */
export function groupHelp(catalogue: Catalogue, group: GroupEntry): string {
  const entries = commandsOf(catalogue, group).map((entry) => ({
    words: entry.words.slice(group.words.length + 1),
    synopsis: entry.synopsis,
  }));
  const text = paragraphs(group.description);
  return `Usage: vsec ${group.words} <subcommand> [options] [args]\n\n${text}\nSubcommands:\n${rows(entries)}`;
}

/** Help of a command: usage, text, and its flags by group. */
export function commandHelp(entry: CommandEntry, command: AnyCommand): string {
  const usage = `Usage: vsec ${entry.words}${command.usage === "" ? "" : ` ${command.usage}`}`;
  const groups = flagGroups(command).map((group) => {
    const flags = Object.entries(group.flags).map(([name, flag]) => flagHelp(name, flag));
    return `\n${group.title}:\n\n${flags.join("\n")}`;
  });
  return `${usage}\n\n${paragraphs(command.description)}${groups.join("")}`;
}

function flagHelp(name: string, flag: Flag): string {
  return `  ${flagSignature(name, flag)}\n${wrapText(flagText(flag), 6)}\n`;
}

/** A flag's text with what else is to be said: further names, the variable that gives its default. */
export function flagText(flag: Flag): string {
  const aliases = flag.aliases?.map((alias) => `-${alias}`).join(", ");
  const fallback = ENVIRONMENT_VARIABLES.find((variable) => variable.name === flag.env)?.fallback;
  const variable = fallback === undefined ? flag.env : `${flag.env} or ${fallback}`;
  return [
    flag.text,
    aliases === undefined ? "" : `This is the same as ${aliases}.`,
    flag.kind === "bool" && flag.default === true ? "On by default." : "",
    variable === undefined ? "" : `The default comes from ${variable}.`,
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

/** Folds the paragraphs of a description; lines that begin with four blanks stay as they are. */
function paragraphs(text: string): string {
  const blocks = text.trim().split(/\n\n+/);
  return blocks
    .map((block) => (block.startsWith("    ") ? block : wrapText(block.replaceAll("\n", " "), 2)))
    .map((block) => `${block}\n`)
    .join("\n");
}
