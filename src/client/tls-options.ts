import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf, VsecError } from "../base/errors.ts";

/** How the client checks a daemon's certificate, and which one it shows: files, as the flags name them. */
export interface ClientTls {
  readonly caCert?: string;
  readonly caPath?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly serverName?: string;
  readonly skipVerify?: boolean;
}

/** The part of `tls.connect`'s options that comes of it. */
export interface TlsConnect {
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

const FILE_BYTES_MAX = 4_194_304;
const CA_FILES_MAX = 1000;

/**
 * Reads the files.
 * @throws VsecError UNREACHABLE for a file that cannot be used, and for a certificate without its key.
 */
export function tlsConnectOptions(tls: ClientTls): TlsConnect {
  const { clientCert, clientKey, serverName, skipVerify = false } = tls;
  if ((clientCert === undefined) !== (clientKey === undefined))
    throw unusable("both client cert and client key must be provided");
  const ca = authorities(tls);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(clientCert === undefined || clientKey === undefined
      ? {}
      : { cert: readText(clientCert), key: readText(clientKey) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(skipVerify ? { rejectUnauthorized: false } : {}),
  };
}

function authorities({ caCert, caPath }: ClientTls): string[] | undefined {
  if (caCert !== undefined) return [requireCertificate(caCert, readText(caCert))];
  if (caPath === undefined) return undefined;
  let names: readonly string[];
  try {
    names = readdirSync(caPath).sort();
  } catch (error) {
    throw unusable(`Error loading CA File: ${messageOf(error)}`, error);
  }
  if (names.length > CA_FILES_MAX) throw unusable(`Error loading CA File: ${caPath} has too many files`);
  const files = names.map((name) => join(caPath, name)).filter((file) => statSync(file).isFile());
  return files.map((file) => requireCertificate(file, readText(file)));
}

function requireCertificate(path: string, text: string): string {
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw unusable(`Error loading CA File: Couldn't parse PEM in: ${path}`);
}

function readText(path: string): string {
  try {
    if (statSync(path).size > FILE_BYTES_MAX)
      throw unusable(`${path} is larger than ${FILE_BYTES_MAX} bytes`);
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof VsecError) throw error;
    throw unusable(messageOf(error), error);
  }
}

function unusable(text: string, cause?: unknown): VsecError {
  return new VsecError("UNREACHABLE", text, { cause });
}
