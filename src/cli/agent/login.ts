import { rmSync } from "node:fs";
import { messageOf } from "../../base/errors.ts";
import { isJsonObject } from "../../base/json.ts";
import { bodyOf, dataOf } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { localFailure } from "../failure.ts";
import { loginMethod } from "../login/methods.ts";
import { writeRendered } from "../render/target.ts";
import type { AgentConfig } from "./config.ts";
import type { AgentAuth } from "./config-auth.ts";

/** The token that the agent works with. */
export interface AgentToken {
  readonly token: string;
  /** 0: it does not expire. */
  readonly ttlSeconds: number;
  readonly renewable: boolean;
}

/** Logs in with what lies in the files. @throws CommandFailure, also for a file that cannot be read. */
export async function logIn(context: CommandContext, auth: AgentAuth): Promise<AgentToken> {
  if (auth.tokenFile !== undefined) return tokenFrom(context, auth.tokenFile);
  const method = loginMethod(auth.type);
  if (method === undefined) throw localFailure(`there is no way to log in by ${auth.type}`);
  const body = await method.authenticate(context, await settingsOf(context, auth), auth.mount);
  const secretFile = auth.type === "approle" ? auth.secretIdFile : auth.jwtFile;
  if (auth.removesSecret && secretFile !== undefined) rmSync(secretFile, { force: true });
  const found = tokenOf(body.auth);
  if (found === null) throw localFailure("the login gave no token");
  return found;
}

/** A token that somebody else has put there, and that is not ours to revoke. */
async function tokenFrom(context: CommandContext, path: string): Promise<AgentToken> {
  const token = (await readText(context, path, "token_file")) ?? "";
  if (token === "") throw localFailure(`token_file: ${path} is empty`);
  const response = await context.send(
    { method: "GET", path: "auth/token/lookup-self" },
    { prefix: "token_file", token },
  );
  const { ttl, renewable } = dataOf(response);
  return { token, ttlSeconds: Number(ttl ?? 0), renewable: renewable === true };
}

async function readText(
  { world }: CommandContext,
  path: string | undefined,
  method: string,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return (await world.readFile(path)).trim();
  } catch (error) {
    throw localFailure(`${method}: ${messageOf(error)}`, error);
  }
}

async function settingsOf(context: CommandContext, auth: AgentAuth): Promise<Record<string, string>> {
  const read = (path: string | undefined) => readText(context, path, auth.type);
  const pairs = {
    role: auth.role,
    role_id: await read(auth.roleIdFile),
    secret_id: await read(auth.secretIdFile),
    jwt: await read(auth.jwtFile),
  };
  return Object.fromEntries(
    Object.entries(pairs).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

function tokenOf(auth: unknown): AgentToken | null {
  if (!isJsonObject(auth as never)) return null;
  const { client_token, lease_duration, renewable } = auth as Record<string, unknown>;
  if (typeof client_token !== "string" || client_token === "") return null;
  return { token: client_token, ttlSeconds: Number(lease_duration ?? 0), renewable: renewable === true };
}

/** Renews the token. Null: that is refused, or gives it no more time to speak of; a new login has to follow. */
export async function renewToken(context: CommandContext, token: AgentToken): Promise<AgentToken | null> {
  if (!token.renewable) return null;
  const response = await context
    .send({ method: "PUT", path: "auth/token/renew-self", body: {} }, { prefix: "", token: token.token })
    .catch(() => null);
  const renewed = response === null ? null : tokenOf(bodyOf(response)?.auth ?? null);
  return renewed === null || renewed.ttlSeconds < token.ttlSeconds / 2
    ? null
    : { ...token, ttlSeconds: renewed.ttlSeconds };
}

/** Puts the token where others look for it. */
export async function fillSinks({ sinks }: AgentConfig, token: string): Promise<void> {
  for (const { path, mode } of sinks) await writeRendered(path, token, mode);
}
