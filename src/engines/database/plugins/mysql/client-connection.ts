import type { JsonObject } from "../../../../base/json.ts";
import type { ClientConnection, Login } from "../../plugin.ts";
import type { Place } from "./dsn.ts";
import { mysqlSettings, type TlsMode, type TlsSettings } from "./settings.ts";

/** As MySQL's own URLs and clients name them. Undefined: nothing is said. */
const SSL_MODES: Readonly<Record<TlsMode, string | undefined>> = {
  off: undefined,
  preferred: "PREFERRED",
  required: "REQUIRED",
  verified: "VERIFY_IDENTITY",
};

/**
 * How a client connects as this user, to the first place where the connection goes: a URL, and variables. The clients themselves read
 * where the server is and the password; for user and database there are names that programs and container images have agreed on. The
 * authorities, which are a text, are handed on as one.
 */
export function clientConnection(details: JsonObject, { username, password }: Login): ClientConnection {
  const { places, database, tls } = mysqlSettings(details);
  const [place = { host: "127.0.0.1", port: 3306 }] = places;
  const query = new URLSearchParams();
  if ("path" in place) query.set("socket", place.path);
  const mode = sslModeOf(tls, place);
  if (mode !== undefined) query.set("ssl-mode", mode);
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  const parameters = query.size === 0 ? "" : `?${query}`;
  return {
    url: `mysql://${login}@${addressOf(place)}/${encodeURIComponent(database)}${parameters}`,
    environment: {
      ...("path" in place
        ? { MYSQL_HOST: "localhost", MYSQL_UNIX_PORT: place.path }
        : { MYSQL_HOST: place.host, MYSQL_TCP_PORT: String(place.port) }),
      MYSQL_USER: username,
      MYSQL_PWD: password,
      ...(database === "" ? {} : { MYSQL_DATABASE: database }),
    },
    ...(mode === undefined ? {} : { tlsMode: mode }),
    ...(tls.authorities === undefined ? {} : { authorities: tls.authorities }),
  };
}

/** Clients hold a certificate against the name they connect to, and cannot be told another one. */
function sslModeOf({ mode, serverName }: TlsSettings, place: Place): string | undefined {
  const isOtherName = serverName !== undefined && "host" in place && serverName !== place.host;
  return mode === "verified" && isOtherName ? "VERIFY_CA" : SSL_MODES[mode];
}

function addressOf(place: Place): string {
  if ("path" in place) return "localhost";
  return `${place.host.includes(":") ? `[${place.host}]` : place.host}:${place.port}`;
}
