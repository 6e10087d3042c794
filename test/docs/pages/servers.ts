/** Connections to servers that several pages need. */

import type { Place } from "../place.ts";

/** A database engine at this path, with the connection `my` to MariaDB. */
export async function addMariadb({ world, servers }: Place, path: string): Promise<void> {
  const server = await servers.get("mariadb");
  const admin = await server.createAdmin();
  await world.ok(`secrets enable -path=${path} database`);
  const plugin = "plugin_name=mysql-database-plugin allowed_roles=*";
  await world.ok(
    `write ${path}/config/my ${plugin} connection_url=${server.url()} username=${admin.username} password=-`,
    { stdin: admin.password },
  );
}
