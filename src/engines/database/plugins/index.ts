import { badRequest } from "../../../base/errors.ts";
import type { DatabasePluginType, PluginFinder } from "../plugin.ts";

/** The databases, by `plugin_name`. A new one is a folder here and a line in this table; its driver loads on first use. */
const PLUGINS: Readonly<Record<string, () => Promise<DatabasePluginType>>> = {
  "mongodb-database-plugin": async () => (await import("./mongodb/plugin.ts")).mongodb,
  "postgresql-database-plugin": async () => (await import("./postgresql/plugin.ts")).postgresql,
  "cassandra-database-plugin": async () => (await import("./cassandra/plugin.ts")).cassandra,
  "exec-database-plugin": async () => (await import("./exec/plugin.ts")).exec,
  "redis-database-plugin": async () => (await import("./redis/plugin.ts")).redis,
  "valkey-database-plugin": async () => (await import("./redis/plugin.ts")).valkey,
};

/** Finds a plugin by its `plugin_name`. @throws ApiError 400 for an unknown one. */
export const findPlugin: PluginFinder = async (name) => {
  if (name === "") throw badRequest("empty plugin name");
  const load = Object.hasOwn(PLUGINS, name) ? PLUGINS[name] : undefined;
  if (load === undefined) {
    const known = Object.keys(PLUGINS).join(", ");
    throw badRequest(`unknown plugin_name "${name}"; known are: ${known}`);
  }
  return load();
};
