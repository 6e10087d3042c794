/** Opens sockets to a PostgreSQL server, encrypted as `sslmode` asks. The driver itself knows only "TLS or not". */

import { connect as connectTcp, type Socket } from "node:net";
import { messageOf } from "../../../../base/errors.ts";
import type { Host } from "../../connection-url.ts";
import { onceOf, unreachable } from "../../sockets.ts";
import { HandshakeFailed } from "./failures.ts";
import type { SslMode, TlsSettings } from "./settings.ts";

/** One way to try: `optional` takes what the server offers, `plain` asks for nothing. */
export type Encryption = "plain" | "optional" | "required";

/** What `sslmode` means: the ways to try, the next one only if the server turned the one before away. */
export const ENCRYPTIONS: Readonly<Record<SslMode, readonly Encryption[]>> = {
  disable: ["plain"],
  allow: ["plain", "required"],
  prefer: ["optional", "plain"],
  require: ["required"],
  "verify-ca": ["required"],
  "verify-full": ["required"],
};

/** Length 8, then the code 80877103 (PostgreSQL's message formats, `SSLRequest`). */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);

/**
 * Connects, and encrypts when told to.
 * @param timeoutMs - For everything up to the end of the handshake.
 * @throws DatabaseError `unreachable`; {@link HandshakeFailed} when TLS was to be had but did not come about.
 */
export async function openSocket(
  host: Host,
  encryption: Encryption,
  tls: TlsSettings,
  timeoutMs: number,
): Promise<Socket> {
  const isLocal = host.host.startsWith("/");
  // TLS is for the network: libpq too ignores sslmode on a Unix socket.
  const isPlain = encryption === "plain" || isLocal;
  const encrypt = isPlain ? undefined : await (await import("./encrypt.ts")).encryptionFor(tls);
  const socket = isLocal
    ? connectTcp({ path: `${host.host}/.s.PGSQL.${host.port}` })
    : connectTcp({ host: host.host, port: host.port });
  const timer = setTimeout(() => socket.destroy(unreachable(`no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    await onceOf(socket, "connect");
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    if (encrypt === undefined) return socket;
    const isWilling = await asksForTls(socket);
    if (isWilling) return await encrypt(socket, host.host);
    if (encryption === "optional") return socket;
    throw new HandshakeFailed("the server does not support TLS, and sslmode requires it");
  } catch (error) {
    socket.destroy();
    if (error instanceof HandshakeFailed) throw error;
    const place = isLocal ? host.host : `${host.host} port ${host.port}`;
    throw unreachable(`cannot connect to ${place}: ${messageOf(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks for TLS. @returns Whether the server will have it. */
async function asksForTls(socket: Socket): Promise<boolean> {
  const answer = firstByte(socket);
  socket.write(SSL_REQUEST);
  const byte = await answer;
  if (byte !== "S" && byte !== "N") throw unreachable("unexpected answer to the request for TLS");
  return byte === "S";
}

/**
 * The server's one-byte answer.
 * Bytes after it were sent before encryption by someone in between (CVE-2021-23222), so they end the connection.
 */
function firstByte(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const finish = () => {
      socket.off("data", onData).off("error", reject).off("close", onClose);
      socket.pause();
    };
    const onData = (data: Buffer) => {
      finish();
      if (data.length === 1) resolve(data.toString("latin1"));
      else reject(unreachable("unexpected answer to the request for TLS"));
    };
    const onClose = () => reject(unreachable("the server closed the connection"));
    socket.on("data", onData).once("error", reject).once("close", onClose);
  });
}
