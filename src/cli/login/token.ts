import type { Json, JsonObject } from "../../base/json.ts";
import { dataOf } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { goQuote, parseBool } from "../go-text.ts";
import { LOGIN_PREFIX, type LoginMethod, type LoginSettings, loginRefused } from "./method.ts";

const HELP = `
Usage: vsec login [TOKEN] [CONFIG K=V...]

  Takes a token that exists already, verifies it, and remembers it. Without
  one it is asked for on the terminal; "-" reads it from standard input.

      $ vsec login - < token.txt

Configuration:

  token=<string>
      The token.

  lookup=<bool>
      Whether to verify the token and ask what it may do. On by default.`;

async function tokenFrom(context: CommandContext, settings: LoginSettings): Promise<string> {
  const { world, options } = context;
  if (settings.token !== undefined) return settings.token.trim();
  const typed = options.nonInteractive ? null : await world.promptHidden("Token (will be hidden): ");
  if (typed === null) throw loginRefused("there is no terminal to ask for the token on");
  return typed.trim();
}

function wantsLookup({ lookup }: LoginSettings): boolean {
  if (lookup === undefined) return true;
  const parsed = parseBool(lookup);
  if (parsed !== undefined) return parsed;
  const quoted = goQuote(lookup);
  throw loginRefused(
    `Failed to parse "lookup" as boolean: strconv.ParseBool: parsing ${quoted}: invalid syntax`,
  );
}

/** The auth block that a login would have answered, from what the token says of itself. */
function authOf(token: string, self: JsonObject): JsonObject {
  const names = (value: Json | undefined): readonly Json[] =>
    Array.isArray(value) ? (value as readonly Json[]) : [];
  return {
    client_token: token,
    accessor: self.accessor ?? "",
    policies: [...names(self.policies), ...names(self.identity_policies)],
    token_policies: names(self.policies),
    identity_policies: names(self.identity_policies),
    metadata: self.meta ?? null,
    orphan: self.orphan ?? false,
    entity_id: self.entity_id ?? "",
    lease_duration: self.ttl ?? 0,
    renewable: self.renewable ?? false,
    mfa_requirement: null,
  };
}

export const tokenMethod: LoginMethod = {
  type: "token",
  help: HELP,
  takesToken: true,
  async authenticate(context, settings) {
    const isVerified = wantsLookup(settings);
    const token = await tokenFrom(context, settings);
    if (token === "") throw loginRefused("'token' must be specified");
    if (!isVerified) return { auth: authOf(token, {}) };
    const response = await context.send(
      { method: "GET", path: "auth/token/lookup-self" },
      { prefix: `${LOGIN_PREFIX}: error looking up token`, token },
    );
    return { auth: authOf(token, dataOf(response)) };
  },
};
