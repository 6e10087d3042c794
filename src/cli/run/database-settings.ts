/** Where a database is, as far as its configuration says. */
export interface DatabasePlace {
  readonly host?: string;
  readonly port?: string;
  readonly database?: string;
  readonly sslmode?: string;
}

/** RFC 2606 keeps this name from ever being a host. */
const NO_HOST = "none.invalid";

/**
 * Reads the place out of a connection's `connection_url`, whose user and password are templates: a URL
 * (`postgresql://{{username}}:{{password}}@host:5432/db?sslmode=verify-full`), `name=value` pairs (`host=… port=…`), or the
 * form of Go's MySQL driver (`{{username}}:{{password}}@tcp(host:3306)/db`). What cannot be read is nothing.
 */
export function databasePlace(connectionUrl: string): DatabasePlace {
  const plain = connectionUrl.replace(/\{\{[^}]*\}\}/g, "x");
  const [, host, port, database] =
    /@(?:tcp|unix)\(([^():]+|\[[^\]]+\])(?::(\d+))?\)\/([^?]*)/.exec(plain) ?? [];
  if (host !== undefined) return placeOf({ host, port, database });
  // A URL has to have a host, which one that names a socket in its parameters leaves out.
  const whole = plain.replace(/@\//, `@${NO_HOST}/`);
  if (plain.includes("://") && URL.canParse(whole)) {
    const url = new URL(whole);
    const hostname = url.hostname === NO_HOST ? "" : decodeURIComponent(url.hostname);
    const parameters = url.searchParams;
    return placeOf({
      host: hostname || (parameters.get("host") ?? ""),
      port: url.port || (parameters.get("port") ?? ""),
      database: decodeURIComponent(url.pathname.slice(1)) || (parameters.get("dbname") ?? ""),
      sslmode: parameters.get("sslmode") ?? "",
    });
  }
  const pairs = Object.fromEntries(
    [...plain.matchAll(/(\w+)\s*=\s*(?:'([^']*)'|(\S*))/g)].map((it) => [it[1], it[2] ?? it[3]]),
  );
  return placeOf({ host: pairs.host, port: pairs.port, database: pairs.dbname, sslmode: pairs.sslmode });
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

/** libpq's variables, which psql, pg_dump and every driver on top of it read. */
export function postgresVariables(login: Login, place: DatabasePlace): Record<string, string> {
  return {
    ...(place.host === undefined ? {} : { PGHOST: place.host }),
    ...(place.port === undefined ? {} : { PGPORT: place.port }),
    PGUSER: login.username,
    PGPASSWORD: login.password,
    ...(place.database === undefined ? {} : { PGDATABASE: place.database }),
    ...(place.sslmode === undefined ? {} : { PGSSLMODE: place.sslmode }),
  };
}

/** MySQL's variables. Its clients read no user name from the environment: {@link mysqlOptions} is for them. */
export function mysqlVariables(login: Login, place: DatabasePlace): Record<string, string> {
  return {
    ...(place.host === undefined ? {} : { MYSQL_HOST: place.host }),
    ...(place.port === undefined ? {} : { MYSQL_TCP_PORT: place.port }),
    MYSQL_USER: login.username,
    MYSQL_PWD: login.password,
    ...(place.database === undefined ? {} : { MYSQL_DATABASE: place.database }),
  };
}

/** An option file for MySQL's and MariaDB's own clients, which look for `my.cnf` in `MYSQL_HOME`. */
export function mysqlOptions(login: Login, place: DatabasePlace): string {
  const quoted = (value: string): string => `"${value.replace(/[\\"]/g, "\\$&")}"`;
  const lines = [
    "[client]",
    `user=${quoted(login.username)}`,
    `password=${quoted(login.password)}`,
    ...(place.host === undefined ? [] : [`host=${quoted(place.host)}`]),
    ...(place.port === undefined ? [] : [`port=${place.port}`]),
    ...(place.database === undefined ? [] : ["[mysql]", `database=${quoted(place.database)}`]),
  ];
  return `${lines.join("\n")}\n`;
}
