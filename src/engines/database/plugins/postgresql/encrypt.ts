/** TLS with a PostgreSQL server. Apart from the socket itself, so that who goes without does not load it. */

import { readFile } from "node:fs/promises";
import { isIP, type Socket } from "node:net";
import { type ConnectionOptions, checkServerIdentity, connect as connectTls, type TLSSocket } from "node:tls";
import { messageOf } from "../../../../base/errors.ts";
import { certificateRefusal } from "../../certificates.ts";
import { DatabaseError } from "../../plugin.ts";
import { onceOf, unreachable } from "../../sockets.ts";
import { HandshakeFailed } from "./failures.ts";
import type { Pem, SslMode, TlsSettings } from "./settings.ts";

interface Credentials {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

function isVerifying(mode: SslMode): boolean {
  return mode === "verify-ca" || mode === "verify-full";
}

/**
 * Reads what `sslmode` needs: certificates, keys, authorities.
 * @returns Encrypts a socket whose server has agreed to it. @throws DatabaseError `unreachable`; HandshakeFailed.
 */
export async function encryptionFor(
  tls: TlsSettings,
): Promise<(socket: Socket, host: string) => Promise<TLSSocket>> {
  const credentials = await readCredentials(tls);
  return (socket, host) => handshake(socket, host, tls.mode, credentials);
}

async function readCredentials(tls: TlsSettings): Promise<Credentials> {
  const authorities = isVerifying(tls.mode) ? tls.authorities : undefined;
  const [ca, cert, key] = await Promise.all([authorities, tls.certificate, tls.key].map(readPem));
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(tls.keyPassphrase === undefined ? {} : { passphrase: tls.keyPassphrase }),
  };
}

async function handshake(
  socket: Socket,
  host: string,
  mode: SslMode,
  credentials: Credentials,
): Promise<TLSSocket> {
  const secure = begin({
    socket,
    // The outcome is judged below, before a byte of ours is sent: the modes differ in what they ask for.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    minVersion: "TLSv1.2",
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...credentials,
  });
  try {
    await onceOf(secure, "secureConnect");
    if (isVerifying(mode)) verify(secure, host, mode);
    return secure;
  } catch (error) {
    secure.destroy();
    if (error instanceof DatabaseError) throw error;
    throw new HandshakeFailed(`TLS with the server failed: ${messageOf(error)}`);
  }
}

/** @throws HandshakeFailed for a certificate, key or authority that OpenSSL cannot read. */
function begin(options: ConnectionOptions): TLSSocket {
  try {
    return connectTls(options);
  } catch (error) {
    throw new HandshakeFailed(`the certificates or keys given for TLS cannot be used: ${messageOf(error)}`);
  }
}

function verify(secure: TLSSocket, host: string, mode: SslMode): void {
  if (!secure.authorized) {
    throw new HandshakeFailed(certificateRefusal(secure.authorizationError));
  }
  if (mode !== "verify-full") return;
  const mismatch = checkServerIdentity(host, secure.getPeerCertificate());
  if (mismatch !== undefined) {
    throw new HandshakeFailed(`the server's certificate is not for ${host}: ${mismatch.message}`);
  }
}

async function readPem(pem: Pem | undefined): Promise<string | undefined> {
  if (pem === undefined) return undefined;
  if ("text" in pem) return pem.text;
  const text = await readFile(pem.path, "utf8").catch((error: unknown) => {
    throw unreachable(`cannot read the file of ${pem.parameter}: ${messageOf(error)}`);
  });
  if (!text.includes("-----BEGIN")) throw unreachable(`the file of ${pem.parameter} is not a PEM text`);
  return text;
}
