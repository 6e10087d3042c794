import { type AnyCommand, type CommandEntry, flagGroups, type GroupEntry } from "../../src/cli/command.ts";
import { type Flag, flagSignature } from "../../src/cli/flags.ts";
import { flagText } from "../../src/cli/help.ts";
import { ENVIRONMENT_VARIABLES } from "../../src/contract/environment.ts";
import { EXIT } from "../../src/contract/exit-codes.ts";

/** A command with its declaration loaded. */
export interface LoadedCommand {
  readonly entry: CommandEntry;
  readonly command: AnyCommand;
}

/** The name of a page: `vsec-lease-revoke`. */
export function pageName(words: string): string {
  return `vsec-${words.replaceAll(" ", "-")}`;
}

/** Escapes text for roff: backslashes, dashes that people copy, and control characters at the start of a line. */
function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1");
}

function heading(name: string, synopsis: string): string {
  return `.TH ${name.toUpperCase().replaceAll("-", "\\-")} 1 "" "vsec" "User Commands"\n.SH NAME\n${roff(name)} \\- ${roff(lowerFirst(synopsis))}\n`;
}

const lowerFirst = (text: string): string => `${text.charAt(0).toLowerCase()}${text.slice(1)}`;

function description(text: string): string {
  const blocks = text.trim().split(/\n\n+/);
  const parts = blocks.map((block) =>
    block.startsWith("    ")
      ? `.PP\n.nf\n.RS 4\n${roff(block.replace(/^ {4}/gm, ""))}\n.RE\n.fi\n`
      : `.PP\n${roff(block)}\n`,
  );
  return `.SH DESCRIPTION\n${parts.join("").replace(/^\.PP\n/, "")}`;
}

function tagged(tag: string, text: string): string {
  return `.TP\n.B ${roff(tag)}\n${roff(text)}\n`;
}

function flagList(flags: Readonly<Record<string, Flag>>): string {
  return Object.entries(flags)
    .map(([name, flag]) => tagged(flagSignature(name, flag), flagText(flag)))
    .join("");
}

/** The exit codes and variables; the full list stands in vsec(1). */
const EXIT_SECTION = `.SH EXIT STATUS\n${Object.values(EXIT)
  .map(({ code, meaning }) => tagged(String(code), `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}.`))
  .join("")}`;

/** The manual page of one command. */
export function commandPage({ entry, command }: LoadedCommand): string {
  const usage = `.SH SYNOPSIS\n.B vsec ${roff(entry.words)}\n${command.usage === "" ? "" : `${roff(command.usage)}\n`}`;
  const groups = flagGroups(command).map(
    (group) => `.SH ${group.title.toUpperCase()}\n${flagList(group.flags)}`,
  );
  return `${heading(pageName(entry.words), entry.synopsis)}${usage}${description(command.description)}${groups.join("")}.SH SEE ALSO\n.BR vsec (1)\n`;
}

/** The manual page of the program: its commands, variables and exit codes. */
export function programPage(commands: readonly LoadedCommand[], groups: readonly GroupEntry[]): string {
  const text =
    "vsec issues dynamic secrets: database users and other credentials that live under a lease and are revoked when it ends. " +
    "It needs no server: the engines run inside the command, against an encrypted store on disk, and vsec daemon revokes what has expired.";
  const list = commands.map(({ entry }) =>
    tagged(`vsec ${entry.words}`, `${entry.synopsis}. See ${pageName(entry.words)}(1).`),
  );
  const grouped = groups.map((group) => tagged(`vsec ${group.words}`, `${group.synopsis}.`));
  const variables = ENVIRONMENT_VARIABLES.map(({ name, fallback, meaning }) =>
    tagged(fallback === undefined ? name : `${name}, ${fallback}`, meaning),
  );
  return [
    heading("vsec", "dynamic secrets with leases, without a server"),
    ".SH SYNOPSIS\n.B vsec\n<command> [options] [args]\n",
    `.SH DESCRIPTION\n${roff(text)}\n`,
    `.SH COMMANDS\n${list.join("")}`,
    `.SH COMMAND GROUPS\n${grouped.join("")}`,
    `.SH ENVIRONMENT\n${variables.join("")}`,
    EXIT_SECTION,
  ].join("");
}
