import type { Client, ClientOptions } from "cassandra-driver";
import { messageOf } from "../../../../base/errors.ts";
import { ConnectionLost, StatementRefused } from "../../failures.ts";
import type { ConnectionDriver } from "../../kept-connection.ts";
import { DatabaseError } from "../../plugin.ts";
import type { CassandraSettings } from "./settings.ts";

export type Row = Readonly<Record<string, unknown>>;

/** An administrator's client. */
export interface CassandraConnection {
  /** @throws StatementRefused, with the protocol's error code; ConnectionLost. */
  query(text: string): Promise<readonly Row[]>;
  close(): Promise<void>;
}

const READ_MS_MAX = 20_000;

export function cassandraDriver(settings: CassandraSettings): ConnectionDriver<CassandraConnection> {
  return {
    open: () => open(settings),
    isAlive: async (connection) =>
      (await connection.query("SELECT release_version FROM system.local")).length === 1,
    close: (connection) => connection.close(),
  };
}

async function open(settings: CassandraSettings): Promise<CassandraConnection> {
  const driver = await import("cassandra-driver");
  const client = new driver.Client(clientOptions(driver, settings));
  try {
    await client.connect();
  } catch (error) {
    await client.shutdown().catch(messageOf);
    throw connectFailure(error, settings);
  }
  return {
    query: (text) => query(client, text),
    close: () => client.shutdown(),
  };
}

function clientOptions(
  driver: typeof import("cassandra-driver"),
  settings: CassandraSettings,
): ClientOptions {
  const { hosts, port, username, password, consistency, protocolVersion, localDatacenter, tls } = settings;
  const { consistencies } = driver.types;
  const { RoundRobinPolicy, DCAwareRoundRobinPolicy } = driver.policies.loadBalancing;
  return {
    contactPoints: [...hosts],
    authProvider: new driver.auth.PlainTextAuthProvider(username, password),
    policies: {
      loadBalancing:
        localDatacenter === "" ? new RoundRobinPolicy() : new DCAwareRoundRobinPolicy(localDatacenter),
      // Repeating a statement behind our back could run it twice.
      retry: new driver.policies.retry.FallthroughRetryPolicy(),
    },
    protocolOptions: { port, ...(protocolVersion === 0 ? {} : { maxVersion: protocolVersion }) },
    socketOptions: {
      connectTimeout: settings.connectTimeoutMs,
      readTimeout: READ_MS_MAX,
      keepAlive: settings.isKeptAlive,
    },
    queryOptions: consistency === undefined ? {} : { consistency: consistencies[consistency as "quorum"] },
    ...(tls === undefined ? {} : { sslOptions: tlsOptions(tls) }),
  };
}

function tlsOptions(tls: NonNullable<CassandraSettings["tls"]>): NonNullable<ClientOptions["sslOptions"]> {
  return {
    rejectUnauthorized: tls.isVerified,
    minVersion: tls.minVersion,
    ...(tls.serverName === "" ? {} : { servername: tls.serverName }),
    ...(tls.authorities === undefined ? {} : { ca: tls.authorities }),
    ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  };
}

async function query(client: Client, text: string): Promise<readonly Row[]> {
  try {
    const { rows } = await client.execute(text, [], { prepare: false });
    return rows as unknown as readonly Row[];
  } catch (error) {
    throw classify(error);
  }
}

/** What the driver's errors are told apart by. Not their names: these come from its classes, whose names a minified build changes. */
interface DriverFailure {
  /** The server's, a number; a socket's own is a text. */
  readonly code?: unknown;
  readonly info?: unknown;
  readonly innerErrors?: Readonly<Record<string, unknown>>;
}

/** Codes of the native protocol (section 9): those from here on are refusals of the statement itself. */
const FIRST_REFUSAL = 0x2000;

/** Sorts what the driver threw while a connection was in use. */
export function classify(error: unknown): ConnectionLost | StatementRefused {
  const { code } = (error ?? {}) as DriverFailure;
  const message = messageOf(error);
  if (typeof code !== "number") return new ConnectionLost(describe(error));
  const serverCode = `0x${code.toString(16).padStart(4, "0")}`;
  return code < FIRST_REFUSAL
    ? new ConnectionLost(message, serverCode)
    : new StatementRefused(message, serverCode);
}

/** The driver says of a cluster only that no host answered; each host's own error is within. */
function describe(error: unknown): string {
  const { innerErrors } = (error ?? {}) as DriverFailure;
  const inner = innerErrors === undefined ? undefined : Object.values(innerErrors)[0];
  return inner === undefined ? messageOf(error) : messageOf(inner);
}

const BAD_CREDENTIALS = 0x0100;

function isAuth(error: unknown): boolean {
  const { code, info, innerErrors } = (error ?? {}) as DriverFailure;
  if (code === BAD_CREDENTIALS || /authentication error/i.test(String(info))) return true;
  return innerErrors !== undefined && Object.values(innerErrors).some(isAuth);
}

function connectFailure(error: unknown, { hosts, port }: CassandraSettings): DatabaseError {
  if (isAuth(error)) return new DatabaseError("auth", describe(error), { serverCode: "0x0100" });
  return new DatabaseError(
    "unreachable",
    `cannot connect to ${hosts.join(", ")} port ${port}: ${describe(error)}`,
  );
}
