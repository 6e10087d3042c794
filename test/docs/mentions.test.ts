/** Whatever is called `vsec …` in running text, a table or the help is a command that there is, with flags that it has. */

import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { CATALOGUE } from "../../src/cli/commands/index.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import { parseLine } from "../../src/cli/parse-line.ts";
import { ROOT } from "../binary/built.ts";
import { mentionsOf, wordsOf } from "./page.ts";

const PAGES = readdirSync(join(ROOT, "docs")).flatMap((name) =>
  name.endsWith(".md") ? [`docs/${name}`] : [],
);

/** What is wrong with a mention; a wrong number of arguments is not, since it need not be whole. */
async function mistakeIn(mention: string): Promise<string | undefined> {
  const [, ...words] = wordsOf(mention.replace(/ [<>|&].*$/, "")).filter((word) => word !== "…");
  const found = dispatch(CATALOGUE, words);
  if (found.kind === "group") return undefined;
  if (found.kind === "unknown") return words.length === 0 ? undefined : `no command "${found.word}"`;
  const { command } = await found.entry.load();
  try {
    parseLine(command, found.rest);
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return /arguments/i.test(message) ? undefined : message;
  }
}

/** What keys are derived with; the texts begin with the program's name. */
const LABEL = /^vsec [a-z ]+ v1$|^vsec root key of /;

test.each([...PAGES, "README.md"])("%s", async (page) => {
  const mistakes: string[] = [];
  for (const { line, command } of mentionsOf(page)) {
    const mistake = LABEL.test(command) ? undefined : await mistakeIn(command);
    if (mistake !== undefined) mistakes.push(`${page}:${line}: ${command}: ${mistake}`);
  }
  expect(mistakes).toEqual([]);
});

test("the examples of the help, which are those of the manual pages", async () => {
  const mistakes: string[] = [];
  for (const { words, load } of CATALOGUE.commands) {
    const { command } = await load();
    for (const [, example = ""] of command.description.matchAll(/^ {4}\$ (vsec .*)$/gm)) {
      const mistake = await mistakeIn(example);
      if (mistake !== undefined) mistakes.push(`${words}: ${example}: ${mistake}`);
    }
  }
  expect(mistakes).toEqual([]);
});
