import { createHash, timingSafeEqual } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { messageOf } from "../../../../base/errors.ts";
import { bytesOf, fromDer, isUniversal, TAG } from "../../x509/asn1.ts";
import { type Certificate, readCertificate } from "../../x509/certificate.ts";
import { findExtension } from "../../x509/extensions.ts";
import { decodeAltNames } from "../../x509/general-names.ts";
import { ipBytes, ipText } from "../../x509/ip.ts";
import { OID } from "../../x509/oids.ts";
import type { Identifier } from "../identifiers.ts";
import { AcmeProblem } from "../problem.ts";
import { addressesOf } from "./addresses.ts";
import type { Proof } from "./proof.ts";

const PROTOCOL = "acme-tls/1";
const ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31";

/** Looks for the digest in the certificate of a TLS server (RFC 8737 section 3). @throws AcmeProblem */
export async function validateTlsAlpn01(proof: Proof): Promise<void> {
  const { identifier, config, signal } = proof;
  const host = identifier.value;
  const addresses = await addressesOf(host, { resolver: config.dns_resolver }, false);
  let failure: unknown;
  for (const address of addresses) {
    let der: Buffer;
    try {
      der = await certificateAt(address, config.tls_alpn01_port, serverName(identifier), signal);
    } catch (error) {
      if (error instanceof AcmeProblem) throw error;
      failure = error;
      continue;
    }
    checkCertificate(der, proof);
    return;
  }
  throw new AcmeProblem("connection", `${host} could not be reached: ${messageOf(failure)}`, {
    cause: failure,
  });
}

/** An address goes by its name for reverse look-ups (RFC 8738 section 6). */
function serverName({ type, value }: Identifier): string {
  if (type === "dns") return value;
  const bytes = ipBytes(value) ?? Buffer.alloc(0);
  if (bytes.length === 4) return `${[...bytes].reverse().join(".")}.in-addr.arpa`;
  return `${[...bytes.toString("hex")].reverse().join(".")}.ip6.arpa`;
}

async function certificateAt(
  host: string,
  port: number,
  servername: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const { connect } = await import("node:tls");
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const socket: TLSSocket = connect({
    ...{ host, port, servername, ALPNProtocols: [PROTOCOL] },
    // The certificate signs itself; what it holds is what counts.
    rejectUnauthorized: false,
  });
  const abort = (): void => reject(new AcmeProblem("connection", "the TLS server took too long to answer"));
  signal.addEventListener("abort", abort, { once: true });
  // It may fail a second time, when nobody waits any more.
  socket.on("error", reject);
  socket.once("close", () => reject(new AcmeProblem("tls", "the TLS server ended the connection")));
  socket.once("secureConnect", () => {
    if (socket.alpnProtocol !== PROTOCOL)
      reject(new AcmeProblem("tls", `the TLS server does not speak ${PROTOCOL}`));
    else resolve(socket.getPeerCertificate(true).raw ?? Buffer.alloc(0));
  });
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", abort);
    socket.destroy();
  }
}

function checkCertificate(der: Buffer, { identifier, keyAuthorization }: Proof): void {
  let certificate: Certificate;
  try {
    certificate = readCertificate(der);
    if (namesOf(certificate) !== identifier.value)
      throw new AcmeProblem("unauthorized", "the challenge's certificate is not for this name alone");
    const extension = findExtension(certificate.extensions, ACME_IDENTIFIER);
    const value = extension?.critical === true ? fromDer(extension.value) : undefined;
    const digest = isUniversal(value, TAG.octetString) ? bytesOf(value, "digest") : Buffer.alloc(0);
    const expected = createHash("sha256").update(keyAuthorization).digest();
    if (digest.length !== expected.length || !timingSafeEqual(digest, expected))
      throw new AcmeProblem("unauthorized", "the certificate does not hold the challenge's digest");
  } catch (error) {
    if (error instanceof AcmeProblem || !(error instanceof SyntaxError)) throw error;
    throw new AcmeProblem("tls", "the TLS server's certificate cannot be read", { cause: error });
  }
}

/** The one name of a certificate; empty: it has none, or more than one. */
function namesOf(certificate: Certificate): string {
  const found = findExtension(certificate.extensions, OID.subjectAltName);
  if (found === undefined) return "";
  const { dns, ips, emails, uris } = decodeAltNames(found.value);
  const all = [
    ...dns.map((name) => name.toLowerCase()),
    ...ips.map((ip) => ipText(ipBytes(ip) ?? Buffer.alloc(0))),
  ];
  const [first = ""] = all;
  return all.length === 1 && emails.length + uris.length === 0 ? first : "";
}
