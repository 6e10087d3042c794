/** Redis for tests: Debian's `redis-server`. {@link redisMissing} says why it cannot run here, for `describe.skipIf`. */

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { CertificateAuthority } from "./certificates.ts";
import {
  freePort,
  type ServerProcess,
  serverUser,
  startProcess,
  temporaryDirectory,
  until,
} from "./process.ts";

/** Why Redis cannot run on this machine; undefined: it can. */
export function redisMissing(): string | undefined {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "pipe" });
    return undefined;
  } catch {
    return "no redis-server here (Debian: redis-server)";
  }
}

/** The administrator that every server starts with. */
export const REDIS_ADMIN = { username: "vsec-admin", password: "Adm1n-s3cret,redis" } as const;

/** An open session of a user that may PING. */
export interface RedisSession {
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>;
  isAlive(): Promise<boolean>;
  close(): Promise<void>;
}

/** A running server, whose default user is off. */
export interface RedisServer {
  readonly port: number;
  /** With TLS: the authority that its certificate, for 127.0.0.1, is by. */
  readonly authority: string | undefined;
  /** Runs commands as somebody, over a connection of its own. @throws what the server says. */
  run(login: { username: string; password: string }, ...commands: readonly string[][]): Promise<unknown[]>;
  /** An open session; `ended` resolves when the server has ended it. */
  session(login: { username: string; password: string }): Promise<RedisSession>;
  log(): string;
  /** Ends the server as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisOptions {
  readonly tls?: boolean;
  /** Users in a file, which `ACL SAVE` writes; otherwise in the configuration, which `CONFIG REWRITE` does. */
  readonly aclFile?: boolean;
}

/** Starts a server with nothing in it. @throws with its log when it does not start. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const user = serverUser("redis");
  const directory = temporaryDirectory("vsec-redis-", user);
  const port = await freePort();
  const logFile = join(directory.path, "redis.log");
  const configFile = join(directory.path, "redis.conf");
  const authority = options.tls === true ? new CertificateAuthority(directory.path) : undefined;
  writeConfiguration(directory.path, configFile, port, options, authority);
  if (user !== undefined) execFileSync("chown", ["-R", `${user.uid}:${user.gid}`, directory.path]);
  const connect = async ({ username, password }: { username: string; password: string }) => {
    const socket = { host: "127.0.0.1", port, reconnectStrategy: false as const, connectTimeout: 5000 };
    const secured = authority === undefined ? socket : { ...socket, tls: true as const, ca: authority.cert };
    const client = createClient({ username, password, socket: secured, RESP: 2 });
    client.on("error", () => undefined);
    try {
      await client.connect();
    } catch (error) {
      client.destroy();
      throw error;
    }
    return client;
  };
  const start = async (): Promise<ServerProcess> => {
    const running = startProcess(user, ["redis-server", configFile], logFile);
    const isUp = async () => {
      if (running.hasEnded()) return true;
      const client = await connect(REDIS_ADMIN).catch(() => undefined);
      client?.destroy();
      return client !== undefined;
    };
    await until("Redis to answer", isUp);
    if (running.hasEnded())
      throw new Error(`Redis did not start:\n${readFileSync(logFile, "utf8").slice(-4000)}`);
    return running;
  };
  let running = await start();
  return {
    port,
    authority: authority?.cert,
    run: async (login, ...commands) => {
      const client = await connect(login);
      try {
        const answers: unknown[] = [];
        for (const command of commands) answers.push(await client.sendCommand(command));
        return answers;
      } finally {
        if (client.isOpen) client.destroy();
      }
    },
    session: async (login) => {
      const client = await connect(login);
      const ended = new Promise<void>((resolve) =>
        client.on("error", () => resolve()).on("end", () => resolve()),
      );
      return {
        ended,
        isAlive: () =>
          client.ping().then(
            () => true,
            () => false,
          ),
        close: async () => {
          if (client.isOpen) client.destroy();
        },
      };
    },
    log: () => readFileSync(logFile, "utf8"),
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

function writeConfiguration(
  directory: string,
  configFile: string,
  port: number,
  options: RedisOptions,
  authority: CertificateAuthority | undefined,
): void {
  const users = ["user default off", `user ${REDIS_ADMIN.username} on >${REDIS_ADMIN.password} ~* &* +@all`];
  const lines = ["bind 127.0.0.1", `dir ${directory}`, 'save ""', "appendonly no", "protected-mode no"];
  if (authority === undefined) lines.push(`port ${port}`);
  else {
    const leaf = authority.issue("localhost", "IP:127.0.0.1,DNS:localhost");
    lines.push(
      "port 0",
      `tls-port ${port}`,
      `tls-cert-file ${leaf.certFile}`,
      `tls-key-file ${leaf.keyFile}`,
    );
    lines.push(`tls-ca-cert-file ${authority.certFile}`, "tls-auth-clients no");
  }
  if (options.aclFile === true) {
    const file = join(directory, "users.acl");
    writeFileSync(file, `${users.join("\n")}\n`);
    lines.push(`aclfile ${file}`);
  } else lines.push(...users);
  writeFileSync(configFile, `${lines.join("\n")}\n`);
}
