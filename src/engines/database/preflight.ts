/**
 * A preflight: whether the administrator of a connection can do all that a user's life needs, tried on a user that never comes to
 * be, or that is made and dropped. What it finds it says; whoever configures a connection is warned by it and refused nothing,
 * since what users need is known to the roles: their statements may call what has more rights than the administrator.
 */

import { badRequest, messageOf } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { MountContext } from "../../framework/backend.ts";
import { type ConnectionConfig, detail, readConfig } from "./config.ts";
import type { Connections } from "./connections.ts";
import { newPassword } from "./new-credential.ts";
import type { DatabasePlugin, NewUser } from "./plugin.ts";
import { refusing } from "./refusal.ts";
import { type Role, readRole } from "./role.ts";
import { type Problem, problemText } from "./trial.ts";
import { tryLife } from "./try-life.ts";

const HOUR_MS = 3_600_000;

/** Who is tried, and on what. */
interface Tried {
  /** The connection's name. */
  readonly name: string;
  readonly config: ConnectionConfig;
  /** Null: a plain user. */
  readonly role: { readonly name: string; readonly terms: Role } | null;
}

/**
 * `preflight/:name`.
 * @param roleName - Whose creation statements are tried; "": a plain user's.
 * @throws ApiError 400 where there is no such connection or role, or no way to try it; 500 when the server could not be asked.
 */
export async function preflight(
  context: MountContext,
  connections: Connections,
  name: string,
  roleName: string,
): Promise<JsonObject> {
  const stored = await readConfig(context.storage, name);
  if (stored === null) throw badRequest(`failed to find entry for connection with name: "${name}"`);
  const { config } = stored;
  const role = await roleOn(context, name, roleName);
  const found = await refusing(`trying connection "${name}"`, () =>
    connections.use(name, async (plugin) => {
      if (plugin.preflight === undefined && plugin.trial === undefined) {
        throw badRequest(`plugin "${config.pluginName}" has no preflight`);
      }
      return tryAdministrator(context, connections, plugin, { name, config, role });
    }),
  );
  const problems = found.map((problem) => problemText(problem, detail(config.details, "username")));
  return { problems, ready: problems.length === 0 };
}

async function roleOn({ storage }: MountContext, connection: string, name: string): Promise<Tried["role"]> {
  if (name === "") return null;
  const terms = await readRole(storage, name);
  if (terms === null) throw badRequest(`unknown role: ${name}`);
  if (terms.dbName === connection) return { name, terms };
  throw badRequest(`role "${name}" makes its users with the connection "${terms.dbName}"`);
}

/**
 * What whoever has configured a connection should know of its administrator.
 * @param config - As it is stored by now: what is made under it can be dropped by it.
 * @param plugin - One that has logged in with it.
 * @returns Warnings, a sentence each. Never throws: a configuration that is in force must not look like one that was refused.
 */
export async function adviseOn(
  context: MountContext,
  connections: Connections,
  plugin: DatabasePlugin,
  { name, config }: Omit<Tried, "role">,
): Promise<readonly string[]> {
  try {
    if ((await plugin.trial?.())?.isOnRequestOnly === true) return [];
    const found = await tryAdministrator(context, connections, plugin, { name, config, role: null });
    return found.map((problem) => capitalised(problemText(problem, detail(config.details, "username"))));
  } catch (error) {
    return [`The administrator's privileges could not be tried: ${messageOf(error)}`];
  }
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

async function tryAdministrator(
  context: MountContext,
  connections: Connections,
  plugin: DatabasePlugin,
  { name, config, role }: Tried,
): Promise<readonly Problem[]> {
  const trial = await plugin.trial?.();
  const probe: NewUser = {
    username: await connections.probeUsername(config, role?.name ?? "probe"),
    password: await newPassword(
      context,
      role?.terms.credentialConfig.password_policy ?? "",
      config.passwordPolicy,
    ),
    expiresAt: context.clock.now() + HOUR_MS,
    creationStatements: role?.terms.creationStatements ?? trial?.plainUser ?? [],
    rollbackStatements: role?.terms.rollbackStatements ?? [],
  };
  if (plugin.preflight !== undefined) return plugin.preflight(probe);
  if (trial === undefined) return [];
  const revocationStatements = role?.terms.revocationStatements ?? [];
  return tryLife(context, plugin, trial, { probe, connection: name, revocationStatements });
}
