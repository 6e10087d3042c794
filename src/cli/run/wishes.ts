import { messageOf } from "../../base/errors.ts";
import type { CommandContext } from "../command-context.ts";
import { localFailure } from "../failure.ts";
import { parseDotenv, VARIABLE_NAME } from "./dotenv.ts";
import { type Part, parseReference, parseTemplate, type Reference } from "./reference.ts";

/** What a command is to be given, as the flags say it. */
export interface Wishes {
  readonly env: readonly { readonly name: string; readonly reference: Reference }[];
  readonly templates: readonly { readonly name: string; readonly parts: readonly Part[] }[];
  readonly files: readonly { readonly name: string; readonly reference: Reference }[];
  readonly pg?: string;
  readonly mysql?: string;
  readonly aws?: string;
}

export interface WishFlags {
  readonly env: readonly string[];
  readonly template: readonly string[];
  readonly file: readonly string[];
  readonly pg: string | undefined;
  readonly mysql: string | undefined;
  readonly aws: string | undefined;
}

/** Reads the flags, and the templates they name. Nothing is asked of the API yet. @throws CommandFailure (exit 1). */
export async function wishesOf(context: CommandContext, flags: WishFlags): Promise<Wishes> {
  const templates = await Promise.all(flags.template.map((path) => readTemplate(context, path)));
  return {
    env: flags.env.map((text) => namedReference("env", text, (name) => VARIABLE_NAME.test(name))),
    templates: templates.flat(),
    files: flags.file.map((text) => namedReference("file", text, isFileName)),
    ...(flags.pg === undefined ? {} : { pg: pathOf("pg", flags.pg) }),
    ...(flags.mysql === undefined ? {} : { mysql: pathOf("mysql", flags.mysql) }),
    ...(flags.aws === undefined ? {} : { aws: pathOf("aws", flags.aws) }),
  };
}

function namedReference(
  flag: string,
  text: string,
  isName: (name: string) => boolean,
): { name: string; reference: Reference } {
  const equals = text.indexOf("=");
  const name = text.slice(0, Math.max(0, equals)).trim();
  if (equals === -1 || !isName(name))
    throw localFailure(`-${flag} takes NAME=path or NAME=path#field, and "${text}" is none`);
  return { name, reference: referenceOf(flag, text.slice(equals + 1)) };
}

function isFileName(name: string): boolean {
  return /^[\w.@+-]+$/.test(name) && name !== "." && name !== "..";
}

function referenceOf(flag: string, text: string): Reference {
  try {
    return parseReference(text);
  } catch (error) {
    throw localFailure(`-${flag}: ${messageOf(error)}`, error);
  }
}

function pathOf(flag: string, text: string): string {
  const { path, field } = referenceOf(flag, text);
  if (field !== undefined) throw localFailure(`-${flag} takes a path without a field, and "${text}" has one`);
  return path;
}

async function readTemplate(context: CommandContext, path: string) {
  try {
    const text = await context.world.readFile(path);
    return parseDotenv(text).map(({ name, value, line }) => ({ name, parts: parseTemplate(value, line) }));
  } catch (error) {
    if (error instanceof SyntaxError) {
      const text = messageOf(error);
      throw localFailure(text.startsWith("open ") ? text : `${path}:${text}`, error);
    }
    throw error;
  }
}
