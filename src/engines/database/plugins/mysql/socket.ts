/** Opens sockets to a MySQL server, and encrypts them when it is time. The driver itself checks no address against a certificate. */

import { connect as connectTcp, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type TLSSocket } from "node:tls";
import { messageOf } from "../../../../base/errors.ts";
import { certificateRefusal } from "../../certificates.ts";
import { onceOf, unreachable } from "../../sockets.ts";
import type { Place } from "./dsn.ts";
import type { TlsSettings } from "./settings.ts";

/** A place as messages name it. */
export function placeText(place: Place): string {
  return "path" in place ? place.path : `${place.host} port ${place.port}`;
}

/** Connects. @throws DatabaseError `unreachable`. */
export async function openSocket(place: Place, timeoutMs: number): Promise<Socket> {
  const socket = connectTcp(place);
  const timer = setTimeout(() => socket.destroy(unreachable(`no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    await onceOf(socket, "connect");
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    return socket;
  } catch (error) {
    socket.destroy();
    throw unreachable(`cannot connect to ${placeText(place)}: ${messageOf(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Encrypts a connected socket, and verifies who is at the other end before a byte of ours is sent over it.
 * @throws DatabaseError `unreachable`.
 */
export async function encrypt(socket: Socket, place: Place, tls: TlsSettings): Promise<TLSSocket> {
  const host = tls.serverName ?? ("host" in place ? place.host : "localhost");
  const { authorities: ca, certificateKey } = tls;
  const secure = connectTls({
    socket,
    // The outcome is judged below: the modes differ in what they ask for.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    minVersion: "TLSv1.2",
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(certificateKey === undefined ? {} : { cert: certificateKey, key: certificateKey }),
  });
  try {
    await onceOf(secure, "secureConnect");
  } catch (error) {
    secure.destroy();
    throw unreachable(`TLS with the server failed: ${messageOf(error)}`);
  }
  if (tls.mode === "verified") verify(secure, host);
  return secure;
}

function verify(secure: TLSSocket, host: string): void {
  const reason = secure.authorizationError;
  const mismatch = secure.authorized ? checkServerIdentity(host, secure.getPeerCertificate()) : undefined;
  if (secure.authorized && mismatch === undefined) return;
  secure.destroy();
  throw unreachable(
    mismatch === undefined
      ? certificateRefusal(reason)
      : `the server's certificate is not for ${host}: ${mismatch.message}`,
  );
}
