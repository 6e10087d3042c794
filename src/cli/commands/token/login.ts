import { messageOf } from "../../../base/errors.ts";
import type { Json, JsonObject } from "../../../base/json.ts";
import { findVariable } from "../../../contract/environment.ts";
import { EXIT } from "../../../contract/exit-codes.ts";
import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { parseDataArguments } from "../../data-args.ts";
import { CommandFailure, localFailure, remoteFailure } from "../../failure.ts";
import { wrapText } from "../../go-text.ts";
import { answer, type Outcome, type Result, tableSentence } from "../../outcome.ts";
import { STDIN_BYTES_MAX } from "../../streams.ts";
import { storeToken } from "../../token-helper.ts";

interface Given {
  readonly token: string;
  readonly lookup: boolean;
}

async function givenToken(context: CommandContext, args: readonly string[]): Promise<Given> {
  const { world, options } = context;
  const [first] = args;
  if (first === "-" && args.length === 1) {
    const text = options.nonInteractive ? "" : await world.stdin.readAll(STDIN_BYTES_MAX);
    return { token: text.trim(), lookup: true };
  }
  const pairs = args.map((arg) => (arg.includes("=") || arg.startsWith("@") ? arg : `token=${arg}`));
  const data = await parseDataArguments(pairs, context.sources).catch((error: unknown) => {
    throw localFailure(`Error parsing configuration: ${messageOf(error)}`, error);
  });
  const lookup = data.lookup !== "false" && data.lookup !== false;
  if (typeof data.token === "string") return { token: data.token.trim(), lookup };
  const typed = options.nonInteractive ? null : await world.promptHidden("Token (will be hidden): ");
  if (typed === null)
    throw remoteFailure("Error authenticating: there is no terminal to ask for the token on");
  return { token: typed.trim(), lookup };
}

/** The auth block that a login method would have answered, from what the token says of itself. */
async function authOf(context: CommandContext, { token, lookup }: Given): Promise<JsonObject> {
  if (!lookup) return { client_token: token };
  const response = await context.send(
    { method: "GET", path: "auth/token/lookup-self" },
    { prefix: "Error authenticating: error looking up token", token },
  );
  const data = dataOf(response);
  const names = (value: Json | undefined): readonly Json[] =>
    Array.isArray(value) ? (value as readonly Json[]) : [];
  return {
    client_token: token,
    accessor: data.accessor ?? "",
    policies: [...names(data.policies), ...names(data.identity_policies)],
    token_policies: names(data.policies),
    identity_policies: names(data.identity_policies),
    metadata: data.meta ?? null,
    orphan: data.orphan ?? false,
    entity_id: data.entity_id ?? "",
    lease_duration: data.ttl ?? 0,
    renewable: data.renewable ?? false,
    mfa_requirement: null,
  };
}

const STORED = wrapText(
  'Success! You are now authenticated. The token below is remembered, and later commands use it: there is no need to run "vsec login" again.',
);
const NOT_STORED = wrapText(
  "The token was not stored in token helper. Set the VSEC_TOKEN environment variable or pass the token below with each request.",
);

async function warnOfVariable(context: CommandContext): Promise<void> {
  const variable = findVariable(context.world.env, "VSEC_TOKEN");
  if (variable === undefined || context.options.format !== "table") return;
  const text = `WARNING! The ${variable.name} environment variable is set! It wins over the token that is stored by this command; unset it to use that one.`;
  await context.note(`${wrapText(text)}\n`);
}

async function finish(context: CommandContext, auth: JsonObject, flags: LoginFlags): Promise<Result> {
  const isSilent = flags["no-print"];
  const outcome: Outcome = { show: "secret", body: { auth } };
  if (!flags["no-store"]) {
    try {
      storeToken(context.world.env, String(auth.client_token));
    } catch (error) {
      const text = `Error storing token: ${messageOf(error)}`;
      throw new CommandFailure(EXIT.remote.code, text, { cause: error, outcome });
    }
    await warnOfVariable(context);
  }
  if (isSilent) return answer();
  if (context.options.field !== undefined || context.options.format !== "table") return answer(outcome);
  if (!flags["no-store"]) return answer(tableSentence(`${STORED}\n`), outcome);
  await context.note(`${NOT_STORED}\n`);
  return answer(outcome);
}

interface LoginFlags {
  readonly "no-store": boolean;
  readonly "no-print": boolean;
}

export const command = defineCommand({
  usage: "[options] [AUTH K=V...]",
  description: `
Verifies a token and remembers it for later commands. Without an argument the token is asked for on the terminal; "-" reads it from standard input, which keeps it out of the argument list.

    $ vsec login - < token.txt`,
  flags: {
    method: { kind: "string", text: 'The auth method. Absent: "token", which is the only one so far.' },
    path: { kind: "string", text: "Where the auth method is mounted, when not at its own name." },
    "no-store": { kind: "bool", text: "Do not remember the token." },
    "no-print": { kind: "bool", text: "Do not print the token." },
    "token-only": { kind: "bool", text: "Print only the token, and do not remember it." },
  },
  output: { format: true, field: true },
  requests: true,
  async run(context, flags, args) {
    const method = flags.method ?? "token";
    if (flags["no-store"] && flags["no-print"])
      throw localFailure("-no-store and -no-print cannot be used together");
    if (method !== "token")
      throw localFailure(`Unknown auth method: ${method}. This version of vsec knows: token.`);
    const given = await givenToken(context, args);
    if (given.token === "") throw remoteFailure("Error authenticating: 'token' must be specified");
    const auth = await authOf(context, given);
    if (flags["token-only"]) return answer({ show: "text", text: given.token, data: given.token });
    return finish(context, auth, flags);
  },
});
