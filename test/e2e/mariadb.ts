/** A store with a MariaDB or MySQL server behind it. */

import type { MysqlLogin, MysqlServer } from "../servers/mysql.ts";
import type { World } from "./world.ts";

const CREATE = [
  "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'",
  "GRANT SELECT ON app.* TO '{{name}}'@'%'",
];

/** `operator init`, an engine at `database/` and its connection `my`, by an administrator with what the docs ask for. */
export async function initMariadb(world: World, server: MysqlServer): Promise<MysqlLogin> {
  await world.ok("operator init -seal=key-file");
  await world.ok("secrets enable database");
  const admin = await server.createAdmin();
  const plugin = "plugin_name=mysql-database-plugin allowed_roles=*";
  await world.ok(
    `write database/config/my ${plugin} connection_url=${server.url()} username=${admin.username} password=-`,
    { stdin: admin.password },
  );
  return admin;
}

/** Makes a role on the connection `my` of the engine at a path. */
export async function addMariadbRole(world: World, name: string, path = "database"): Promise<void> {
  world.file("create.sql", `${CREATE.join(";\n")};\n`);
  const terms = "db_name=my creation_statements=@create.sql default_ttl=1h max_ttl=24h";
  await world.ok(`write ${path}/roles/${name} ${terms}`);
}

/** The users that vsec made on the server for a role. */
export async function mariadbUsers(server: MysqlServer, role: string): Promise<string[]> {
  return (await server.users()).filter((user) => user.startsWith(`v-root-${role}-`));
}
