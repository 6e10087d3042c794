import type { Document, MongoClientOptions } from "mongodb";
import { messageOf } from "../../../../base/errors.ts";
import type { ConnectionDriver } from "../../kept-connection.ts";
import { DatabaseError } from "../../plugin.ts";
import type { MongoSettings } from "./settings.ts";

/** An administrator's client, which keeps up to four connections. */
export interface MongoConnection {
  /** Runs a command on a database. @throws DatabaseError; `statement` when the server refused it, with its error code. */
  run(database: string, command: Document): Promise<Document>;
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 4;
const APPLICATION_NAME = "vsec";

/** Error codes of the server: AuthenticationFailed, and the driver's own of a mechanism that does not fit. */
const AUTH = new Set([18]);
/** HostUnreachable, HostNotFound, NetworkTimeout, ShutdownInProgress, PrimarySteppedDown, NotWritablePrimary, Interrupted… */
const AWAY = new Set([6, 7, 89, 91, 189, 262, 9001, 10_107, 11_600, 11_602, 13_435, 13_436]);

/** The primary has done it, and too few others in time: MaxTimeMSExpired, WriteConcernFailed, and two of concerns that cannot be met. */
const IN_DOUBT = new Set([50, 64, 79, 100]);

export function mongoDriver(settings: MongoSettings): ConnectionDriver<MongoConnection> {
  return {
    open: () => open(settings),
    isAlive: async (connection) => (await connection.run("admin", { ping: 1 })).ok === 1,
    close: (connection) => connection.close(),
  };
}

async function open(settings: MongoSettings): Promise<MongoConnection> {
  const { MongoClient } = await import("mongodb");
  let client: InstanceType<typeof MongoClient> | undefined;
  try {
    client = new MongoClient(settings.url, clientOptions(settings));
    await client.connect();
  } catch (error) {
    await client?.close().catch(messageOf);
    throw failureOf(error);
  }
  const connected = client;
  return {
    run: async (database, command) => {
      try {
        return await connected.db(database).command(command);
      } catch (error) {
        throw failureOf(error);
      }
    },
    close: () => connected.close(true),
  };
}

function clientOptions(settings: MongoSettings): MongoClientOptions {
  const { tls } = settings;
  return {
    appName: APPLICATION_NAME,
    maxPoolSize: CONNECTIONS_MAX,
    connectTimeoutMS: settings.connectTimeoutMs,
    serverSelectionTimeoutMS: settings.selectionTimeoutMs,
    socketTimeoutMS: settings.socketTimeoutMs,
    ...(tls === undefined ? {} : { tls: true }),
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.certificateKey === undefined ? {} : { cert: tls.certificateKey, key: tls.certificateKey }),
  };
}

interface ServerFailure {
  readonly code?: unknown;
}

/** Sorts what the driver threw. */
export function failureOf(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const { code } = (error ?? {}) as ServerFailure;
  const message = messageOf(error);
  // Only the server's errors have a number; the code of a socket's is a text.
  if (typeof code !== "number") return new DatabaseError("unreachable", message);
  const serverCode = String(code);
  if (AUTH.has(code)) return new DatabaseError("auth", message, { serverCode });
  if (IN_DOUBT.has(code)) return new DatabaseError("ambiguous", message, { serverCode });
  return new DatabaseError(AWAY.has(code) ? "unreachable" : "statement", message, { serverCode });
}
