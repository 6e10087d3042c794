import type { Env } from "../../contract/environment.ts";
import { localFailure } from "../failure.ts";
import { type Credentials, textOf } from "./credentials.ts";
import { giveMysql } from "./mysql-login.ts";
import { givePostgres } from "./postgres-login.ts";
import { renderParts } from "./reference.ts";
import type { Wishes } from "./wishes.ts";

/** What a command gets. */
export interface Gifts {
  /** Variables by name; undefined takes one away. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Files by name, for a private directory. */
  readonly files: Readonly<Record<string, string>>;
  /** Programs by name, which the command is to find before others of their name. */
  readonly programs: Readonly<Record<string, string>>;
  /** An option file that the command, should it be a client of MySQL's, has to be told of. */
  readonly optionFile?: string;
}

/** Gifts while they are gathered. */
export interface Gathered {
  readonly variables: Record<string, string | undefined>;
  readonly files: Record<string, string>;
  readonly programs: Record<string, string>;
  optionFile?: string;
  /** The command's environment as it would be without gifts. */
  readonly env: Env;
  /** The path of the directory that the files will be in. @throws CommandFailure where there can be none. */
  directory(): string;
}

/** The variable that names the directory of files. @see systemd.exec(5), CREDENTIALS: the same name, for the same thing. */
export const DIRECTORY_VARIABLE = "CREDENTIALS_DIRECTORY";

/**
 * Reads everything that is wished for.
 * @param directory - The path of the directory that the files will be in.
 * @throws CommandFailure; what was leased by then stays with `credentials`.
 */
export async function fulfil(
  env: Env,
  wishes: Wishes,
  credentials: Credentials,
  directory: () => string,
): Promise<Gifts> {
  const gathered: Gathered = { variables: {}, files: {}, programs: {}, env, directory };
  const { variables, files } = gathered;
  // First, since whoever asks for their paths without the connection is to get the same credential.
  for (const path of [wishes.pg, wishes.mysql]) if (path !== undefined) await credentials.readLogin(path);
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
  if (wishes.pg !== undefined) await givePostgres(wishes.pg, credentials, gathered);
  if (wishes.mysql !== undefined) await giveMysql(wishes.mysql, credentials, gathered);
  if (wishes.aws !== undefined) Object.assign(variables, await awsVariables(wishes.aws, credentials));
  requireHoldable(variables);
  return gathered;
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

/** MAX_ARG_STRLEN of execve(2), with the name, the `=` and the zero at the end. */
const VARIABLE_BYTES_MAX = 131_072;

function requireHoldable(variables: Gifts["variables"]): void {
  for (const [name, value = ""] of Object.entries(variables)) {
    if (value.includes("\0"))
      throw localFailure(
        `the value of ${name} has a zero byte, which no variable can hold; use -file for it`,
      );
    if (process.platform === "linux" && Buffer.byteLength(`${name}=${value}`) >= VARIABLE_BYTES_MAX)
      throw localFailure(`the value of ${name} is too long for a variable; use -file for it`);
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
