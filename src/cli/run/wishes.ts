import { messageOf } from "../../base/errors.ts";
import type { Env } from "../../contract/environment.ts";
import { dataOf } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { localFailure } from "../failure.ts";
import { type Credentials, textOf } from "./credentials.ts";
import {
  type DatabasePlace,
  databasePlace,
  mysqlOptions,
  mysqlVariables,
  postgresVariables,
} from "./database-settings.ts";
import { parseDotenv, VARIABLE_NAME } from "./dotenv.ts";
import { type Part, parseReference, parseTemplate, type Reference, renderParts } from "./reference.ts";

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

/** What the command gets. */
export interface Gifts {
  /** Variables by name; undefined takes one away. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Files by name, for a private directory. */
  readonly files: Readonly<Record<string, string>>;
}

/** The variable that names the directory of files. @see systemd.exec(5), CREDENTIALS: the same name, for the same thing. */
export const DIRECTORY_VARIABLE = "CREDENTIALS_DIRECTORY";

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

/** Reads everything that is wished for. @throws CommandFailure; what was leased by then stays with `credentials`. */
export async function fulfil(
  context: CommandContext,
  wishes: Wishes,
  credentials: Credentials,
): Promise<Gifts> {
  const variables: Record<string, string | undefined> = {};
  const files: Record<string, string> = {};
  for (const { name, parts } of wishes.templates)
    variables[name] = await renderParts(parts, (reference) => credentials.value(reference));
  for (const { name, reference } of wishes.env) {
    if (reference.field !== undefined) variables[name] = await credentials.value(reference);
    else Object.assign(variables, await fieldVariables(name, reference.path, credentials));
  }
  for (const { name, reference } of wishes.files)
    files[name] =
      reference.field === undefined
        ? `${JSON.stringify((await credentials.read(reference.path)).data, null, 2)}\n`
        : await credentials.value(reference);
  await addDatabases(context, wishes, credentials, { variables, files });
  if (wishes.aws !== undefined) Object.assign(variables, await awsVariables(wishes.aws, credentials));
  requireNoZero(variables);
  return { variables, files };
}

/** `-env DB=path` gives `DB_USERNAME`, `DB_PASSWORD` and whatever else is read there. */
async function fieldVariables(name: string, path: string, credentials: Credentials) {
  const { data } = await credentials.read(path);
  const pairs = Object.entries(data).filter(([, value]) => value !== null);
  return Object.fromEntries(
    pairs.map(([field, value]) => [
      `${name}_${field.toUpperCase().replace(/[^A-Z0-9_]/g, "_")}`,
      textOf(value),
    ]),
  );
}

async function addDatabases(
  context: CommandContext,
  wishes: Wishes,
  credentials: Credentials,
  { variables, files }: { variables: Record<string, string | undefined>; files: Record<string, string> },
): Promise<void> {
  if (wishes.pg !== undefined) {
    const login = await loginAt(wishes.pg, credentials);
    Object.assign(variables, postgresVariables(login, await placeAt(context, wishes.pg)));
  }
  if (wishes.mysql !== undefined) {
    const login = await loginAt(wishes.mysql, credentials);
    const place = await placeAt(context, wishes.mysql);
    Object.assign(variables, mysqlVariables(login, place));
    files["my.cnf"] = mysqlOptions(login, place);
  }
}

async function loginAt(
  path: string,
  credentials: Credentials,
): Promise<{ username: string; password: string }> {
  const username = await credentials.value({ path, field: "username" });
  return { username, password: await credentials.value({ path, field: "password" }) };
}

/**
 * The place of the database that a role's users are made in, from the role and its connection. Who may not read these has to
 * know the place: then nothing is said about it.
 */
async function placeAt(context: CommandContext, path: string): Promise<DatabasePlace> {
  const [, mount, kind, role] = /^(.+)\/(creds|static-creds)\/([^/]+)$/.exec(path) ?? [];
  if (mount === undefined) return {};
  try {
    const read = async (at: string) =>
      dataOf(await context.send({ method: "GET", path: at }, { prefix: "" }));
    const { db_name } = await read(`${mount}/${kind === "creds" ? "roles" : "static-roles"}/${role}`);
    const { connection_details } = await read(`${mount}/config/${String(db_name)}`);
    const { connection_url } = connection_details as { connection_url?: unknown };
    return typeof connection_url === "string" ? databasePlace(connection_url) : {};
  } catch {
    // The credential is good without its place.
    return {};
  }
}

/** What AWS's own tools read. A profile, or the token of another session, would win over the keys or spoil them. */
async function awsVariables(
  path: string,
  credentials: Credentials,
): Promise<Record<string, string | undefined>> {
  const { data } = await credentials.read(path);
  const token = data.session_token ?? data.security_token;
  return {
    AWS_ACCESS_KEY_ID: await credentials.value({ path, field: "access_key" }),
    AWS_SECRET_ACCESS_KEY: await credentials.value({ path, field: "secret_key" }),
    AWS_SESSION_TOKEN: typeof token === "string" && token !== "" ? token : undefined,
    AWS_SECURITY_TOKEN: undefined,
    AWS_PROFILE: undefined,
    AWS_DEFAULT_PROFILE: undefined,
    AWS_CREDENTIAL_EXPIRATION: typeof data.expiration === "string" ? data.expiration : undefined,
  };
}

function requireNoZero(variables: Gifts["variables"]): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value?.includes("\0") === true)
      throw localFailure(
        `the value of ${name} has a zero byte, which no variable can hold; use -file for it`,
      );
  }
}

/**
 * The environment of the command: this one, without what is vsec's own (its token, its keys, its passphrase, where its store
 * is), and with the gifts.
 */
export function commandEnvironment(env: Env, gifts: Gifts["variables"]): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith("VSEC_") && name !== "VAULT_TOKEN");
  const merged = { ...Object.fromEntries(kept), ...gifts };
  return Object.fromEntries(
    Object.entries(merged).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
