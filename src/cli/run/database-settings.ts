/** Where a database is, as far as its configuration says. */
export interface DatabasePlace {
  readonly host?: string;
  readonly port?: string;
  /** MySQL's Unix socket, in the place of host and port. PostgreSQL has the folder of its socket as the host. */
  readonly socket?: string;
  readonly database?: string;
  readonly sslmode?: string;
}

/** RFC 2606 keeps this name from ever being a host. */
const NO_HOST = "none.invalid";
/** What stands before the hosts of a URL, and the hosts. */
const AUTHORITY = /^(\w+:\/\/(?:[^/?@]*@)?)([^/?@]*)/;
/** A name, or an address in brackets, and its port. */
const HOST = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/;
const POSTGRES_PORT = "5432";
const MYSQL_PORT = "3306";

/**
 * Reads the place out of a connection's `connection_url`, whose user and password are templates: a URL
 * (`postgresql://{{username}}:{{password}}@host:5432/db?sslmode=verify-full`), `name=value` pairs (`host=… port=…`), or the
 * form of Go's MySQL driver (`{{username}}:{{password}}@tcp(host:3306)/db`). What cannot be read is nothing.
 */
export function databasePlace(connectionUrl: string): DatabasePlace {
  const plain = connectionUrl.replace(/\{\{[^}]*\}\}/g, "x");
  const [, protocol, address = "", database] = /@(tcp[46]?|unix)\(([^()]+)\)\/([^?]*)/.exec(plain) ?? [];
  if (protocol === "unix") return placeOf({ socket: address, database });
  // MySQL's clients take one host: the first, which is the one that is tried first.
  if (protocol !== undefined)
    return placeOf({ ...hostsOf(address.split(",").slice(0, 1), MYSQL_PORT), database });
  if (plain.includes("://")) return placeOfUrl(plain);
  const pairs = Object.fromEntries(
    [...plain.matchAll(/(\w+)\s*=\s*(?:'([^']*)'|(\S*))/g)].map((it) => [it[1], it[2] ?? it[3]]),
  );
  return placeOf({ host: pairs.host, port: pairs.port, database: pairs.dbname, sslmode: pairs.sslmode });
}

function placeOfUrl(plain: string): DatabasePlace {
  const [, , hosts = ""] = AUTHORITY.exec(plain) ?? [];
  // A URL has to have one host: PostgreSQL's may have several, or name a socket in its parameters and have none.
  const isOne = hosts !== "" && !hosts.includes(",");
  const whole = isOne ? plain : plain.replace(AUTHORITY, `$1${NO_HOST}`);
  if (!URL.canParse(whole)) return {};
  const { hostname, port, pathname, searchParams: parameters } = new URL(whole);
  const place = isOne ? { host: decodeURIComponent(hostname), port } : {};
  return placeOf({
    host: parameters.get("host") ?? "",
    port: parameters.get("port") ?? "",
    ...(hosts.includes(",") ? hostsOf(hosts.split(","), POSTGRES_PORT) : {}),
    ...Object.fromEntries(Object.entries(place).filter(([, value]) => value !== "")),
    database: decodeURIComponent(pathname.slice(1)) || (parameters.get("dbname") ?? ""),
    sslmode: parameters.get("sslmode") ?? "",
  });
}

/** Hosts and their ports, as libpq takes them: lists with commas. */
function hostsOf(hosts: readonly string[], portDefault: string): { host: string; port: string } {
  const parts = hosts.map((text) => HOST.exec(text.trim()) ?? []);
  return {
    host: parts.map(([, address, name]) => address ?? name ?? "").join(","),
    port: parts.map(([, , , port]) => port ?? portDefault).join(","),
  };
}

function placeOf(fields: Readonly<Record<string, string | undefined>>): DatabasePlace {
  const { host } = fields;
  const bare = host === undefined ? {} : { host: host.replace(/^\[|\]$/g, "") };
  return Object.fromEntries(
    Object.entries({ ...fields, ...bare }).filter(([, value]) => value !== undefined && value !== ""),
  ) as DatabasePlace;
}

interface Login {
  readonly username: string;
  readonly password: string;
}

/** Variables by name; undefined takes one away. */
type Variables = Record<string, string | undefined>;

/**
 * libpq's variables, which psql, pg_dump and every driver on top of it read. Where the host is known, those go that would lead
 * to another server, or win over these: a service has its own host and user.
 */
export function postgresVariables(login: Login, place: DatabasePlace): Variables {
  const { host, port } = place;
  return {
    ...(host === undefined
      ? {}
      : { PGHOST: host, PGPORT: undefined, PGHOSTADDR: undefined, PGSERVICE: undefined }),
    ...(port === undefined ? {} : { PGPORT: port }),
    PGUSER: login.username,
    PGPASSWORD: login.password,
    ...(place.database === undefined ? {} : { PGDATABASE: place.database }),
    ...(place.sslmode === undefined ? {} : { PGSSLMODE: place.sslmode }),
  };
}

/** MySQL's variables. Its clients read no user name from the environment: {@link mysqlOptions} is for them. */
export function mysqlVariables(login: Login, { host, port, socket, database }: DatabasePlace): Variables {
  return {
    ...(host === undefined ? {} : { MYSQL_HOST: host, MYSQL_TCP_PORT: port }),
    // The clients take this name for "by the socket".
    ...(socket === undefined ? {} : { MYSQL_HOST: "localhost", MYSQL_UNIX_PORT: socket }),
    MYSQL_USER: login.username,
    MYSQL_PWD: login.password,
    ...(database === undefined ? {} : { MYSQL_DATABASE: database }),
  };
}

/** An option file for MySQL's and MariaDB's own clients, which look for `my.cnf` in `MYSQL_HOME`. */
export function mysqlOptions(login: Login, { host, port, socket, database }: DatabasePlace): string {
  const quoted = (value: string): string => `"${value.replace(/[\\"]/g, "\\$&")}"`;
  const lines = [
    "[client]",
    `user=${quoted(login.username)}`,
    `password=${quoted(login.password)}`,
    // Without the protocol, "localhost" would mean the socket of whatever server runs here.
    ...(host === undefined ? [] : [`host=${quoted(host)}`, "protocol=tcp"]),
    ...(port === undefined ? [] : [`port=${port}`]),
    ...(socket === undefined ? [] : [`socket=${quoted(socket)}`, "protocol=socket"]),
    ...(database === undefined ? [] : ["[mysql]", `database=${quoted(database)}`]),
  ];
  return `${lines.join("\n")}\n`;
}
