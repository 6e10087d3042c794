import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { messageOf, VsecError } from "../base/errors.ts";
import type { TlsMaterial } from "../http/server.ts";
import type { TlsFiles } from "./listen-plan.ts";

const FILE_BYTES_MAX = 1_048_576;

/**
 * Reads a listener's certificate and key, and checks that they belong together.
 * @throws VsecError LISTEN.
 */
export function readTlsFiles({ certFile, keyFile, clientCaFile }: TlsFiles): TlsMaterial {
  const cert = readText("-tls-cert-file", certFile);
  const key = readText("-tls-key-file", keyFile);
  const clientCa = clientCaFile === undefined ? undefined : readText("-tls-client-ca-file", clientCaFile);
  const leaf = parse(certFile, "a certificate", () => new X509Certificate(cert));
  const secret = parse(keyFile, "a private key without a passphrase", () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(secret))
    throw new VsecError("LISTEN", `${keyFile} is not the key of the certificate in ${certFile}`);
  if (clientCa === undefined) return { cert, key };
  parse(clientCaFile ?? "", "a certificate", () => new X509Certificate(clientCa));
  return { cert, key, clientCa };
}

function readText(flag: string, path: string): string {
  try {
    if (statSync(path).size > FILE_BYTES_MAX)
      throw new VsecError("LISTEN", `${flag}: ${path} is larger than ${FILE_BYTES_MAX} bytes`);
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof VsecError) throw error;
    throw new VsecError("LISTEN", `${flag}: ${messageOf(error)}`, { cause: error });
  }
}

/** The parser's own text could quote the file. */
function parse<T>(path: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new VsecError("LISTEN", `${path} does not hold ${what} in PEM`, { cause: error });
  }
}
