import type { RedisClientType } from "@redis/client";
import { messageOf } from "../../../../base/errors.ts";
import type { ConnectionDriver } from "../../kept-connection.ts";
import { DatabaseError } from "../../plugin.ts";
import { failureOf } from "./failures.ts";
import type { RedisSettings } from "./settings.ts";

/** What a command answers, in RESP 2: text, a number, nothing, or a list of these. */
export type Reply = string | number | null | readonly Reply[];

/** An administrator's connection. Commands that are sent together travel together. */
export interface RedisConnection {
  /** @throws DatabaseError; `statement` when the server refused it, with its first word as `serverCode`. */
  send(...command: readonly string[]): Promise<Reply>;
  close(): void;
}

const CONNECT_MS_MAX = 10_000;

export function redisDriver(settings: RedisSettings): ConnectionDriver<RedisConnection> {
  return {
    open: (timeoutMs) => open(settings, timeoutMs),
    isAlive: async (connection) => (await connection.send("PING")) === "PONG",
    close: async (connection) => connection.close(),
  };
}

async function open(settings: RedisSettings, timeoutMs: number): Promise<RedisConnection> {
  const { createClient } = await import("@redis/client");
  const { host, port, username, password, tls } = settings;
  const common = {
    host,
    port,
    connectTimeout: Math.min(timeoutMs, CONNECT_MS_MAX),
    // A lost connection is not mended behind our back: what was under way must be known to be lost.
    reconnectStrategy: false as const,
  };
  const socket =
    tls === undefined
      ? common
      : { ...common, tls: true as const, rejectUnauthorized: tls.isVerified, ...authorities(tls.authority) };
  const client = createClient({ username, password, socket, RESP: 2, disableOfflineQueue: true });
  // Without a listener an error of an idle connection would end the process; the next use meets it anyway.
  client.on("error", messageOf);
  try {
    await client.connect();
  } catch (error) {
    client.destroy();
    throw connectFailure(error, settings);
  }
  return {
    send: (...command) => send(client as unknown as RedisClientType, command),
    close: () => {
      if (client.isOpen) client.destroy();
    },
  };
}

function authorities(authority: string | undefined): { readonly ca?: string } {
  return authority === undefined ? {} : { ca: authority };
}

async function send(client: RedisClientType, command: readonly string[]): Promise<Reply> {
  try {
    return (await client.sendCommand([...command])) as unknown as Reply;
  } catch (error) {
    throw failureOf(error);
  }
}

/** Whatever the server refuses while the connection is being made is a matter of the login. */
function connectFailure(error: unknown, { host, port }: RedisSettings): DatabaseError {
  const failure = failureOf(error);
  if (failure.kind === "statement" || failure.kind === "auth") {
    return new DatabaseError("auth", failure.message, { serverCode: failure.serverCode });
  }
  return new DatabaseError("unreachable", `cannot connect to ${host} port ${port}: ${failure.message}`);
}
