import type { JsonObject } from "../../../../base/json.ts";
import type { ClientConnection, Login } from "../../plugin.ts";
import { postgresSettings } from "./settings.ts";

/**
 * How a client of libpq connects as this user, to where the connection goes: a URL, and the variables that psql and most drivers
 * read. An authority that was given as text is handed on as text: it takes a file to name it in a URL or a variable.
 */
export function clientConnection(details: JsonObject, { username, password }: Login): ClientConnection {
  const { hosts, database, tls, isPrimaryNeeded } = postgresSettings(details);
  const query = new URLSearchParams();
  const sockets = hosts.filter(({ host }) => host.startsWith("/"));
  const places = hosts.map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`);
  const isSocket = sockets.length > 0;
  if (isSocket) {
    query.set("host", hosts.map(({ host }) => host).join(","));
    query.set("port", hosts.map(({ port }) => port).join(","));
  }
  query.set("sslmode", tls.mode);
  const rootPath = tls.authorities !== undefined && "path" in tls.authorities ? tls.authorities.path : "";
  if (rootPath !== "") query.set("sslrootcert", rootPath);
  if (isPrimaryNeeded) query.set("target_session_attrs", "read-write");
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  const where = isSocket ? "" : places.join(",");
  return {
    url: `postgresql://${login}@${where}/${encodeURIComponent(database)}?${query}`,
    environment: {
      PGHOST: hosts.map(({ host }) => host).join(","),
      PGPORT: hosts.map(({ port }) => port).join(","),
      PGDATABASE: database,
      PGUSER: username,
      PGPASSWORD: password,
      PGSSLMODE: tls.mode,
      ...(rootPath === "" ? {} : { PGSSLROOTCERT: rootPath }),
      ...(isPrimaryNeeded ? { PGTARGETSESSIONATTRS: "read-write" } : {}),
    },
    tlsMode: tls.mode,
    ...(tls.authorities !== undefined && "text" in tls.authorities
      ? { authorities: tls.authorities.text }
      : {}),
  };
}
