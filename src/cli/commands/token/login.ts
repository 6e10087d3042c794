import { messageOf } from "../../../base/errors.ts";
import { isJsonObject, type JsonObject } from "../../../base/json.ts";
import { EXIT } from "../../../contract/exit-codes.ts";
import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { type DataSources, parseStringArguments } from "../../data-args.ts";
import { CommandFailure, localFailure, remoteFailure } from "../../failure.ts";
import { wrapText } from "../../go-text.ts";
import { type LoginMethod, type LoginSettings, mountOf, overridingVariable } from "../../login/method.ts";
import { LOGIN_METHODS, loginMethod } from "../../login/methods.ts";
import { answer, type Outcome, type Result, tableSentence } from "../../outcome.ts";
import { storeToken } from "../../token-helper.ts";

interface LoginFlags {
  readonly "no-store": boolean;
  readonly "no-print": boolean;
  readonly "token-only": boolean;
}

const TYPES = LOGIN_METHODS.map(({ type }) => type);

function methodOf(type: string): LoginMethod {
  const found = loginMethod(type);
  if (found !== undefined) return found;
  const text = `Unknown auth method: ${type}. The command line knows ${TYPES.join(", ")}; the others are reached with "vsec write auth/<path>/login", and "vsec auth list" shows what is enabled.`;
  throw localFailure(wrapText(text));
}

function settingsOf(
  method: LoginMethod,
  args: readonly string[],
  sources: DataSources,
): Promise<LoginSettings> {
  const isToken = (arg: string): boolean => !arg.includes("=") && !arg.startsWith("@");
  const pairs = args.map((arg) => (method.takesToken === true && isToken(arg) ? `token=${arg}` : arg));
  return parseStringArguments(pairs, sources, "Error parsing configuration");
}

/** How many wrapping tokens a login may be wrapped in. */
const WRAPPED_DEPTH_MAX = 4;

/** A login that came wrapped, unwrapped. */
async function unwrapped(context: CommandContext, wrapped: JsonObject): Promise<JsonObject> {
  let body = wrapped;
  for (let depth = 0; isJsonObject(body.wrap_info) && depth < WRAPPED_DEPTH_MAX; depth++) {
    const response = await context.send(
      { method: "PUT", path: "sys/wrapping/unwrap" },
      { prefix: "Error extracting token", token: String(body.wrap_info.token ?? "") },
    );
    body = bodyOf(response) ?? {};
  }
  return body;
}

const STORED = wrapText(
  'Success! You are now authenticated. The token below is remembered, and later commands use it: there is no need to run "vsec login" again.',
);
const NOT_STORED = wrapText(
  "The token was not stored in token helper. Set the VSEC_TOKEN environment variable or pass the token below with each request.",
);

async function warnOfVariable(context: CommandContext): Promise<void> {
  const name = overridingVariable(context);
  if (name === undefined || context.options.format !== "table") return;
  const text = `WARNING! The ${name} environment variable is set! It wins over the token that is stored by this command; unset it to use that one.`;
  await context.note(`${wrapText(text)}\n`);
}

/** Stores the token and shows it, as far as the flags want that. */
async function finish(context: CommandContext, body: JsonObject, flags: LoginFlags): Promise<Result> {
  const token = isJsonObject(body.auth) ? body.auth.client_token : undefined;
  if (typeof token !== "string" || token === "")
    throw remoteFailure("Error authenticating: the answer to the login holds no token");
  if (flags["token-only"]) return answer({ show: "secret", body, field: "token" });
  const outcome: Outcome = { show: "secret", body };
  if (!flags["no-store"]) {
    try {
      storeToken(context.world.env, token);
    } catch (error) {
      const text = `Error storing token: ${messageOf(error)}`;
      throw new CommandFailure(EXIT.remote.code, text, { cause: error, outcome });
    }
    await warnOfVariable(context);
  }
  if (flags["no-print"]) return answer();
  if (context.options.field !== undefined || context.options.format !== "table") return answer(outcome);
  if (!flags["no-store"]) return answer(tableSentence(`${STORED}\n`), outcome);
  await context.note(`${NOT_STORED}\n`);
  return answer(outcome);
}

export const command = defineCommand({
  usage: "[options] [AUTH K=V...]",
  description: `
Logs in, and remembers the token for later commands. Without -method it takes a token that exists already: as its argument, from standard input ("-"), or asked for on the terminal.

    $ vsec login - < token.txt

With a name and a password, which is asked for on the terminal:

    $ vsec login -method=userpass username=ada

As a machine, and in a pipeline:

    $ vsec login -method=approle role_id=59d6d1ca secret_id=@/run/secrets/id

    $ vsec login -method=jwt role=ci jwt=- <<< "$CI_JOB_JWT"

The settings of each method: vsec auth help userpass.`,
  flags: {
    method: { kind: "string", text: 'The type of the auth method. Absent: "token".', words: TYPES },
    path: { kind: "string", text: "Where the auth method is mounted, when not at its type." },
    "no-store": { kind: "bool", text: "Do not remember the token." },
    "no-print": { kind: "bool", text: "Do not print the token." },
    "token-only": { kind: "bool", text: "Print only the token, and do not remember it." },
  },
  output: { format: true, field: true },
  requests: true,
  async run(context, flags, args) {
    if (flags["no-store"] && flags["no-print"])
      throw localFailure("-no-store and -no-print cannot be used together");
    const method = methodOf((flags.method ?? "token").trim().toLowerCase());
    const settings = await settingsOf(method, args, context.sources);
    const body = await method.authenticate(context, settings, mountOf(method, settings, flags.path));
    if (isJsonObject(body.wrap_info)) {
      if (flags["token-only"]) return answer({ show: "secret", body, field: "wrapping_token" });
      if (flags["no-store"]) return answer({ show: "secret", body });
    }
    return finish(context, await unwrapped(context, body), flags);
  },
});
