import { badRequest } from "../../../base/errors.ts";
import type { DatabasePluginType, PluginFinder } from "../plugin.ts";

/** The databases, by `plugin_name`. A new one is a folder here and a line in this table; its driver loads on first use. */
const PLUGINS: Readonly<Record<string, () => Promise<DatabasePluginType>>> = {
  "cassandra-database-plugin": async () => (await import("./cassandra/plugin.ts")).cassandra,
  "elasticsearch-database-plugin": async () => (await import("./elasticsearch/plugin.ts")).elasticsearch,
  "exec-database-plugin": async () => (await import("./exec/plugin.ts")).exec,
  "mongodb-database-plugin": async () => (await import("./mongodb/plugin.ts")).mongodb,
  "mssql-database-plugin": async () => (await import("./mssql/plugin.ts")).mssql,
  "mysql-aurora-database-plugin": async () => (await import("./mysql/plugin.ts")).mysqlShortNames,
  "mysql-database-plugin": async () => (await import("./mysql/plugin.ts")).mysql,
  "mysql-legacy-database-plugin": async () => (await import("./mysql/plugin.ts")).mysqlShortNames,
  "mysql-rds-database-plugin": async () => (await import("./mysql/plugin.ts")).mysqlShortNames,
  "oracle-database-plugin": async () => (await import("./oracle/plugin.ts")).oracle,
  "postgresql-database-plugin": async () => (await import("./postgresql/plugin.ts")).postgresql,
  "redis-database-plugin": async () => (await import("./redis/plugin.ts")).redis,
  "valkey-database-plugin": async () => (await import("./redis/plugin.ts")).valkey,
  "vault-plugin-database-oracle": async () => (await import("./oracle/plugin.ts")).oracle,
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
