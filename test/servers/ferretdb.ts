/**
 * What speaks MongoDB's protocol for tests: FerretDB over SQLite, built from its Go module. It is not MongoDB. It keeps
 * users and checks their passwords, and knows neither roles, for which it refuses a user, nor sessions; so it is built with
 * that refusal taken out. {@link ferretdbMissing} says why it cannot run here, for `describe.skipIf`.
 */

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { CachedBuild, type Run } from "./cached-build.ts";
import { freePort, type ServerProcess, startProcess, temporaryDirectory, until } from "./process.ts";

const VERSION = "v1.24.2";
const MODULE = `github.com/FerretDB/FerretDB@${VERSION}`;
const BUILD = new CachedBuild("ferretdb", VERSION, [["go", "version"]], build);

function build(draft: string, run: Run): void {
  const { Dir } = JSON.parse(run("go", "mod", "download", "-json", MODULE)) as { Dir: string };
  const source = join(draft, "source");
  cpSync(Dir, source, { recursive: true });
  run("chmod", "-R", "u+w", source);
  writeFileSync(join(source, "build/version/version.txt"), VERSION);
  const file = join(source, "internal/handler/msg_createuser.go");
  const refusal = "return ok && r.Len() == 0";
  const code = readFileSync(file, "utf8");
  if (code.split(refusal).length !== 2) throw new Error("FerretDB's refusal of roles is not where it was");
  writeFileSync(file, code.replace(refusal, "return ok && r != nil"));
  // The repository around it is not its own, and git may refuse to look at one that belongs to somebody else.
  run("go", "-C", source, "build", "-buildvcs=false", "-o", join(draft, "ferretdb"), "./cmd/ferretdb");
  run("chmod", "-R", "u+w", source);
  run("rm", "-rf", source);
}

/** Why FerretDB cannot run on this machine; undefined: it can. Builds it when that was not done before. */
export function ferretdbMissing(stepMsMax?: number): string | undefined {
  return BUILD.missing(stepMsMax);
}

/** The administrator that every server starts with. */
export const MONGO_ADMIN = { username: "vsec-admin", password: "Adm1n-s3cret:mongo@" } as const;

interface Login {
  readonly username: string;
  readonly password: string;
}

export interface FerretServer {
  readonly port: number;
  /** Runs a command as the administrator. */
  run(database: string, command: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** @throws whatever the driver throws when the login is refused. */
  connect(login: Login, database?: string): Promise<MongoClient>;
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server with nothing in it. @throws with its log when it does not start. */
export async function startFerretdb(): Promise<FerretServer> {
  const directory = temporaryDirectory("vsec-ferretdb-");
  const port = await freePort();
  const logFile = join(directory.path, "ferretdb.log");
  const connect = async ({ username, password }: Login, database = "admin"): Promise<MongoClient> => {
    const client = new MongoClient(`mongodb://127.0.0.1:${port}/${database}`, {
      auth: { username, password },
      serverSelectionTimeoutMS: 2000,
    });
    try {
      return await client.connect();
    } catch (error) {
      await client.close();
      throw error;
    }
  };
  const command = [
    ...[join(BUILD.directory, "ferretdb"), "--handler=sqlite", `--sqlite-url=file:${directory.path}/`],
    ...[
      `--state-dir=${directory.path}`,
      `--listen-addr=127.0.0.1:${port}`,
      "--debug-addr=-",
      "--log-level=WARN",
    ],
    ...["--telemetry=disable", "--test-enable-new-auth", "--setup-database=admin"],
  ];
  const setup = {
    FERRETDB_SETUP_USERNAME: MONGO_ADMIN.username,
    FERRETDB_SETUP_PASSWORD: MONGO_ADMIN.password,
  };
  const start = async (): Promise<ServerProcess> => {
    const running = startProcess(undefined, command, logFile, setup);
    const isUp = async () => {
      if (running.hasEnded()) return true;
      const client = await connect(MONGO_ADMIN).catch(() => undefined);
      await client?.close();
      return client !== undefined;
    };
    await until("FerretDB to answer", isUp);
    if (running.hasEnded())
      throw new Error(`FerretDB did not start:\n${readFileSync(logFile, "utf8").slice(-4000)}`);
    return running;
  };
  let running = await start();
  return {
    port,
    run: async (database, document) => {
      const client = await connect(MONGO_ADMIN);
      try {
        return await client.db(database).command(document);
      } finally {
        await client.close();
      }
    },
    connect,
    kill: () => running.stop("SIGKILL"),
    restart: async () => {
      running = await start();
    },
    stop: async () => {
      await running.stop("SIGKILL");
      directory.remove();
    },
  };
}
