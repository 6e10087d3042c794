import { allFlags, type Catalogue } from "../command.ts";
import { flagSignature, isBoolean } from "../flags.ts";

/** A flag as completion scripts need it. */
export interface FlagWord {
  /** `-field=`, or `-force` for one that stands alone. */
  readonly text: string;
  readonly description: string;
  /** What the flag takes, where that is known. */
  readonly values: readonly string[];
}

/** A command or group as completion scripts need it. */
export interface CommandWords {
  readonly words: string;
  readonly synopsis: string;
  /** The words that may follow. */
  readonly next: readonly { readonly word: string; readonly synopsis: string }[];
  readonly flags: readonly FlagWord[];
}

/** The arguments that are one of a few words, for commands that have such. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  completion: ["bash", "zsh", "fish"],
};

/** Everything to be completed, from the declarations; the first entry is bare `vsec`. */
export async function collectWords(catalogue: Catalogue): Promise<readonly CommandWords[]> {
  const entries = [...catalogue.groups, ...catalogue.commands];
  const under = (words: string) =>
    entries
      .filter((entry) => entry.words.split(" ").slice(0, -1).join(" ") === words)
      .map((entry) => ({ word: entry.words.split(" ").pop() ?? "", synopsis: entry.synopsis }))
      .sort((a, b) => (a.word < b.word ? -1 : 1));
  const commands = await Promise.all(
    catalogue.commands.map(async (entry): Promise<CommandWords> => {
      const { command } = await entry.load();
      const flags = Object.entries(allFlags(command)).map(([name, flag]) => ({
        text: isBoolean(flag) ? `-${name}` : `${flagSignature(name, flag).split("=")[0]}=`,
        description: flag.text,
        values: flag.kind === "string" ? (flag.words ?? []) : [],
      }));
      const next = (ARGUMENTS[entry.words] ?? []).map((word) => ({ word, synopsis: "" }));
      return { words: entry.words, synopsis: entry.synopsis, next, flags };
    }),
  );
  const groups = catalogue.groups.map((group) => ({ ...group, next: under(group.words), flags: [] }));
  return [{ words: "", synopsis: "", next: under(""), flags: [] }, ...groups, ...commands];
}
