import type { TLSSocket } from "node:tls";

/** What OpenSSL says of a certificate that no authority vouches for whom this side trusts. */
const UNTRUSTED = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/**
 * Why a server's certificate was refused, and what can be done about it.
 * @param given - What the socket has as its authorizationError: an error, or OpenSSL's word for it.
 */
export function certificateRefusal(given: TLSSocket["authorizationError"] | string | undefined): string {
  const code = given instanceof Error ? given.message : String(given ?? "not trusted");
  const text = `the server's certificate was not accepted: ${code}`;
  if (UNTRUSTED.has(code))
    return `${text} (no authority that is trusted has signed it: name its authority in tls_ca)`;
  if (code === "CERT_HAS_EXPIRED") return `${text} (it or its authority's has expired)`;
  return text;
}
