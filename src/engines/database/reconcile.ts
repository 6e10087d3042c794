import { badRequest, messageOf } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { MountContext } from "../../framework/backend.ts";
import { type ConnectionConfig, detail, readConfig } from "./config.ts";
import type { Connections } from "./connections.ts";
import { isProbe } from "./probe-user.ts";
import { managerOf } from "./static-role.ts";
import { usernameMark } from "./username.ts";

/** Users of one deletion. */
const BATCH_MAX = 500;

interface Found {
  readonly config: ConnectionConfig;
  /** Users that carry the mark and that no lease knows, sorted. */
  readonly unknown: readonly string[];
  /** How many carry the mark. */
  readonly marked: number;
}

/**
 * Compares what the server has with what the store knows: lists the users whose names were built as this connection builds them,
 * and that no lease of any mount, no static role and no preflight knows.
 * @throws ApiError 400 when there is no such connection, or its users cannot be told from others; DatabaseError.
 */
export async function findUnknown(
  context: MountContext,
  connections: Connections,
  name: string,
): Promise<Found> {
  const stored = await readConfig(context.storage, name);
  if (stored === null) throw badRequest(`failed to find entry for connection with name: "${name}"`);
  const { config } = stored;
  // Users first: one that is made after this has had its lease before it.
  const users = await connections.use(name, async (plugin) => {
    if (plugin.listUsers === undefined) {
      throw badRequest(`plugin "${config.pluginName}" cannot list its users`);
    }
    return plugin.listUsers();
  });
  const mark = usernameMark(await connections.typeOf(config), config, context);
  const marked = users.filter((user) => mark.test(user) && user !== detail(config.details, "username"));
  const unknown: string[] = [];
  for (const user of marked) {
    if (!(await isKnown(context, name, user))) unknown.push(user);
  }
  return { config, unknown: unknown.sort(), marked: marked.length };
}

async function isKnown(context: MountContext, connection: string, user: string): Promise<boolean> {
  return (
    (await context.hasLease(user)) ||
    (await managerOf(context.storage, connection, user)) !== null ||
    (await isProbe(context.storage, connection, user))
  );
}

/**
 * Removes users that no lease knows, by the plugin's own plan.
 * @param only - Remove no others than these; empty: all that were found.
 * @returns What was removed, and why the rest was not.
 */
export async function removeUnknown(
  context: MountContext,
  connections: Connections,
  name: string,
  only: readonly string[],
): Promise<JsonObject> {
  const { unknown } = await findUnknown(context, connections, name);
  const doomed = only.length === 0 ? unknown : unknown.filter((user) => only.includes(user));
  const removed: string[] = [];
  const failed: Record<string, string> = {};
  for (const user of only) {
    if (!unknown.includes(user)) failed[user] = "it is not among the users that no lease knows";
  }
  for (let start = 0; start < doomed.length; start += BATCH_MAX) {
    const users = doomed.slice(start, start + BATCH_MAX);
    const outcomes = await connections.use(name, (plugin) =>
      plugin.deleteUsers(users.map((username) => ({ username, revocationStatements: [] }))),
    );
    for (const [index, user] of users.entries()) {
      const outcome = outcomes[index] ?? null;
      if (outcome === null) removed.push(user);
      else failed[user] = messageOf(outcome);
    }
  }
  context.log.info("users that no lease knew were removed", {
    mount: context.mountPath,
    connection: name,
    removed: removed.length,
    failed: Object.keys(failed).length,
  });
  return { failed, removed };
}
