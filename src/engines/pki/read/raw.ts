import type { EngineRequest, Reply } from "../../../framework/backend.ts";
import type { Fields } from "../../../framework/field.ts";
import { pem } from "../x509/pem.ts";

/** Types of what is published. @see reference: raw reads. */
const TYPES = {
  certificate: "application/pkix-cert",
  chain: "application/pem-certificate-chain",
  crl: "application/pkix-crl",
  crlPem: "application/x-pem-file",
} as const;

/** Nothing to be had is an empty answer, not an error. */
export const NOTHING: Reply = { status: 204 };

export function certificateDer(der: Uint8Array): Reply {
  return { bytes: der, contentType: TYPES.certificate };
}

export function certificatesPem(certificates: readonly Uint8Array[]): Reply {
  const text = certificates.map((der) => pem("CERTIFICATE", der)).join("\n");
  return { bare: text, contentType: TYPES.chain };
}

export function crlDer(der: Uint8Array): Reply {
  return { bytes: der, contentType: TYPES.crl };
}

export function crlPem(der: Uint8Array): Reply {
  return { bare: `${pem("X509 CRL", der)}\n`, contentType: TYPES.crlPem };
}

/**
 * The reply, or 304 when the caller has it already (RFC 9110 section 13.1.3), as far as the mount lets the headers through.
 * HTTP's dates are whole seconds: what changed in this very second may do so again, and has no date yet.
 * @param changedAt - Milliseconds, like `now`.
 */
export function unlessKnown(
  { headers }: Pick<EngineRequest<Fields>, "headers">,
  { changedAt, now }: { readonly changedAt: number; readonly now: number },
  reply: Reply,
): Reply {
  const second = Math.floor(changedAt / 1000) * 1000;
  if (now < second + 1000) return reply;
  const known = Date.parse(headers["if-modified-since"] ?? "");
  if (known >= second) return { status: 304 };
  return { ...reply, headers: { "Last-Modified": new Date(second).toUTCString() } };
}
