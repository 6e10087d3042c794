import { messageOf } from "../base/errors.ts";
import type { Address } from "./address.ts";

const UNKNOWN_AUTHORITY = "tls: failed to verify certificate: x509: certificate signed by unknown authority";

/** What the system or TLS says, in the words that users of Vault's command line know. */
const REASONS: Readonly<Record<string, string>> = {
  ETIMEDOUT: "i/o timeout",
  ECONNRESET: "EOF",
  EPIPE: "write: broken pipe",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
  CERT_NOT_YET_VALID: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
  EPROTO: "http: server gave HTTP response to HTTPS client",
  ERR_SSL_WRONG_VERSION_NUMBER: "http: server gave HTTP response to HTTPS client",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "http: server gave HTTP response to HTTPS client",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "remote error: tls: certificate required",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "remote error: tls: unknown certificate authority",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "remote error: tls: bad certificate",
};

/** What connecting itself can fail with. */
const CONNECT_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  ENOENT: "connect: no such file or directory",
  EACCES: "connect: permission denied",
  EPERM: "connect: permission denied",
  ENOTSOCK: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
};

/** Why there was no answer. Never holds anything of the request. */
export function networkReason(error: unknown, address: Address, serverName: string): string {
  const { code = "" } = error as NodeJS.ErrnoException;
  const connecting = CONNECT_REASONS[code];
  if (connecting !== undefined) return `dial ${dialled(error, address)}: ${connecting}`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "EAI_NODATA" || code === "EAI_NONAME")
    return `dial tcp: lookup ${address.kind === "tcp" ? address.host : address.path}: no such host`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return `tls: failed to verify certificate: x509: certificate is not valid for ${serverName}`;
  return REASONS[code] ?? messageOf(error);
}

/** The address that was tried: the number behind a name, where it is known. */
function dialled(error: unknown, address: Address): string {
  if (address.kind === "unix") return `unix ${address.path}`;
  const { address: ip } = error as { readonly address?: unknown };
  const host = typeof ip === "string" ? ip : address.host;
  return `tcp ${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}
