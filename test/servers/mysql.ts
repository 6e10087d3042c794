/**
 * Real MariaDB and MySQL servers for tests and benchmarks. Run under Bun (`scripts/bun`).
 *
 * ```ts
 * const server = await startMysql({ flavour: "MariaDB" });    // one per test file: it takes two seconds
 * const admin = await server.createAdmin();                   // with the privileges that docs/databases.md asks for
 * const url = server.url();                                   // a connection_url, with {{username}} and {{password}}
 * const client = await server.connect({ user, password });    // the driver's client, as the superuser unless told otherwise
 * await server.halt();                                        // the server goes away …
 * await server.resume();                                      // … and comes back, with the same port and data
 * await server.stop();                                        // ends it and removes its files
 * ```
 *
 * - {@link mysqlMissing} says why one cannot run here, for `describe.skipIf`.
 * - When this process is root the server runs as `mysql` or `nobody`. Its files are in a temporary directory.
 * - It listens on 127.0.0.1 and on a Unix socket. It does not flush to disk; benchmarks pass `durable: true`.
 */

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { CertificateAuthority } from "./certificates.ts";
import { initialiseCommand, type MysqlFlavour, mysqlCommand } from "./mysql-binaries.ts";
import {
  freePort,
  runToEnd,
  type ServerProcess,
  type ServerUser,
  serverUser,
  startProcess,
  temporaryDirectory,
  until,
} from "./process.ts";

export { type MysqlFlavour, mysqlMissing } from "./mysql-binaries.ts";

export interface MysqlOptions {
  readonly flavour: MysqlFlavour;
  /** Offers TLS, with a certificate of its own authority for localhost and 127.0.0.1. Default false. */
  readonly tls?: boolean;
  /** Flushes to disk as a production server does. Default false. */
  readonly durable?: boolean;
  /** More options of the server, as `--name=value`. */
  readonly flags?: readonly string[];
}

export interface MysqlLogin {
  readonly username: string;
  readonly password: string;
}

interface ConnectOptions {
  readonly user?: string;
  readonly password?: string;
}

export type MysqlServer = RunningMysql;

/** Starts a server. @throws when it cannot run here, or does not start. */
export async function startMysql(options: MysqlOptions): Promise<MysqlServer> {
  const user = serverUser("mysql");
  const directory = temporaryDirectory("vsec-my-", user);
  try {
    runToEnd(user, initialiseCommand(options.flavour, join(directory.path, "data")));
    const server = new RunningMysql(options, user, directory, tlsOf(options, directory.path, user));
    await server.resume();
    await server.createSuperuser();
    return server;
  } catch (error) {
    directory.remove();
    throw error;
  }
}

/** What a server with TLS has. */
interface Tls {
  readonly authority: CertificateAuthority;
  readonly flags: readonly string[];
}

function tlsOf(options: MysqlOptions, path: string, user: ServerUser | undefined): Tls | undefined {
  if (options.tls !== true) return undefined;
  const folder = join(path, "certificates");
  mkdirSync(folder);
  const authority = new CertificateAuthority(folder);
  const leaf = authority.issue("localhost", "DNS:localhost,IP:127.0.0.1", user);
  const files = { ca: authority.certFile, cert: leaf.certFile, key: leaf.keyFile };
  return { authority, flags: Object.entries(files).map(([name, file]) => `--ssl-${name}=${file}`) };
}

/** What an administrator needs, beside the privileges that it grants to users. @see docs/databases.md */
const ADMIN_PRIVILEGES: Readonly<Record<MysqlFlavour, string>> = {
  MariaDB: "CREATE USER, PROCESS, CONNECTION ADMIN",
  MySQL: "CREATE USER, PROCESS, CONNECTION_ADMIN",
};

class RunningMysql {
  readonly flavour: MysqlFlavour;
  readonly superuser: MysqlLogin = { username: "super", password: randomBytes(12).toString("hex") };
  readonly host = "127.0.0.1";
  readonly socketPath: string;
  port = 0;
  readonly #tls: Tls | undefined;
  readonly #options: MysqlOptions;
  readonly #user: ServerUser | undefined;
  readonly #directory: { readonly path: string; remove(): void };
  readonly #logFile: string;
  #process: ServerProcess | undefined;
  #client: Promise<Connection> | undefined;
  #counter = 0;

  constructor(
    options: MysqlOptions,
    user: ServerUser | undefined,
    directory: { readonly path: string; remove(): void },
    tls: Tls | undefined,
  ) {
    this.flavour = options.flavour;
    this.#options = options;
    this.#user = user;
    this.#directory = directory;
    this.#logFile = join(directory.path, "server.log");
    this.socketPath = join(directory.path, "s");
    this.#tls = tls;
  }

  /** With TLS only: who vouches for the server, and for clients. */
  get authority(): CertificateAuthority {
    if (this.#tls === undefined) throw new Error("the server was started without tls");
    return this.#tls.authority;
  }

  /** A `connection_url`, with the template's two variables in it. */
  url(parameters = ""): string {
    return `{{username}}:{{password}}@tcp(${this.host}:${this.port})/${parameters}`;
  }

  /** A connected client, as the superuser unless told otherwise. The caller ends it. */
  async connect({ user, password }: ConnectOptions = {}): Promise<Connection> {
    const client = await createConnection({
      host: this.host,
      port: this.port,
      user: user ?? this.superuser.username,
      password: password ?? this.superuser.password,
    });
    // A halted server breaks open connections; whoever uses one next is told by the query.
    client.on("error", () => undefined);
    return client;
  }

  /** Runs one query as the superuser on a connection that stays open. */
  async query(text: string, values: readonly unknown[] = []): Promise<readonly RowDataPacket[]> {
    this.#client ??= this.connect();
    const [rows] = await (await this.#client).query<RowDataPacket[]>(text, [...values]);
    return rows;
  }

  /** The names of all users. */
  async users(): Promise<readonly string[]> {
    const rows = await this.query("SELECT User AS user FROM mysql.user");
    return rows.map(({ user }) => String(user));
  }

  /** Makes an administrator that may do what the documentation asks for, and grant what is in the database `app`. */
  async createAdmin(name?: string, privileges = ADMIN_PRIVILEGES[this.flavour]): Promise<MysqlLogin> {
    this.#counter += 1;
    const login = { username: name ?? `admin_${this.#counter}`, password: randomBytes(12).toString("hex") };
    await this.query("CREATE USER ?@'%' IDENTIFIED BY ?", [login.username, login.password]);
    if (privileges !== "") await this.query(`GRANT ${privileges} ON *.* TO ?@'%'`, [login.username]);
    await this.query("GRANT SELECT ON mysql.user TO ?@'%'", [login.username]);
    await this.query("GRANT SELECT, INSERT ON app.* TO ?@'%' WITH GRANT OPTION", [login.username]);
    return login;
  }

  async createSuperuser(): Promise<void> {
    const root = await createConnection({ socketPath: this.socketPath, user: "root" });
    const { username, password } = this.superuser;
    await root.query("CREATE USER ?@'%' IDENTIFIED BY ?", [username, password]);
    await root.query("GRANT ALL PRIVILEGES ON *.* TO ?@'%' WITH GRANT OPTION", [username]);
    await root.query("CREATE DATABASE app");
    await root.query("CREATE TABLE app.items (id INT PRIMARY KEY)");
    await root.end();
  }

  /** All that the server has logged. */
  log(): string {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, "utf8") : "";
  }

  /** Ends the server at once, as a crash would, and keeps its files. */
  async halt(): Promise<void> {
    this.#client = undefined;
    await this.#process?.stop("SIGKILL");
    this.#process = undefined;
  }

  /** The port is chosen at the first start; another process may have taken it meanwhile, so that start tries again. */
  async resume(): Promise<void> {
    const attemptsMax = this.port === 0 ? 5 : 1;
    for (let attempt = 1; ; attempt += 1) {
      const port = this.port === 0 ? await freePort() : this.port;
      if (await this.#start(port)) {
        this.port = port;
        return;
      }
      if (attempt === attemptsMax)
        throw new Error(`${this.flavour} did not start:\n${this.log().slice(-4000)}`);
    }
  }

  async #start(port: number): Promise<boolean> {
    const running = startProcess(this.#user, [...this.#command(port)], this.#logFile);
    const ready = `port: ${port}`;
    const from = this.log().length;
    const isReady = () => running.hasEnded() || this.log().slice(from).includes(ready);
    await until(`${this.flavour} to be ready`, isReady, 60_000);
    if (running.hasEnded()) return false;
    this.#process = running;
    return true;
  }

  #command(port: number): readonly string[] {
    const path = this.#directory.path;
    const isDurable = this.#options.durable === true;
    return [
      ...mysqlCommand(this.flavour),
      ...[`--datadir=${join(path, "data")}`, `--socket=${this.socketPath}`, `--port=${port}`],
      ...[`--bind-address=${this.host}`, `--pid-file=${join(path, "pid")}`, "--skip-name-resolve"],
      ...["--innodb-buffer-pool-size=32M", `--tmpdir=${path}`],
      ...(isDurable ? [] : ["--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0"]),
      ...(this.#tls?.flags ?? []),
      ...(this.#options.flags ?? []),
    ];
  }

  /** Ends the server and removes its files. */
  async stop(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    client?.destroy();
    await this.halt();
    this.#directory.remove();
  }
}
