import { createPublicKey } from "node:crypto";
import type { Json } from "../../../base/json.ts";
import type { Reply } from "../../../framework/backend.ts";
import { DerError } from "../x509/asn1.ts";
import { type Certificate, readCertificate } from "../x509/certificate.ts";
import { findExtension } from "../x509/extensions.ts";
import { decodeAltNames } from "../x509/general-names.ts";
import { OID } from "../x509/oids.ts";
import { findAuthorization, isFor } from "./authorizations.ts";
import type { AcmeRequest, Endpoint } from "./endpoint.ts";
import type { Identifier } from "./identifiers.ts";
import { findOrder } from "./orders.ts";
import { AcmeProblem } from "./problem.ts";
import { AUTHORIZATION_PREFIX, ORDER_PREFIX } from "./records.ts";
import type { AcmeService } from "./service.ts";

/**
 * Reasons that a client may give (RFC 5280 section 5.3.1): neither a hold nor what only a CA can know. They are checked and
 * then left at that: as in Vault, CRLs and OCSP do not tell reasons.
 */
const REASONS: ReadonlySet<Json> = new Set([0, 1, 3, 4, 5, 9]);

/** `revoke-cert`: for who ordered the certificate, has authorizations for all its names, or has its key (section 7.6). */
export function revokeEndpoint(service: AcmeService): Endpoint {
  return {
    pattern: "revoke-cert",
    names: {},
    synopsis: "Revoke a certificate.",
    signedBy: "either",
    handle: (request) => revoke(service, request),
  };
}

async function revoke(service: AcmeService, request: AcmeRequest): Promise<Reply> {
  const { source } = service;
  const certificate = readSent(request.payload?.certificate);
  const reason = request.payload?.reason ?? 0;
  if (!REASONS.has(reason)) {
    throw new AcmeProblem("badRevocationReason", `reason is one of ${[...REASONS].join(", ")}`);
  }
  const status = await source.statusOf(certificate);
  if (status === "unknown") throw new AcmeProblem("malformed", "the certificate is not one of this server's");
  if (!(await mayRevoke(service, request, certificate))) {
    throw new AcmeProblem(
      "unauthorized",
      "the certificate is neither the account's, nor of the key that signed",
    );
  }
  if (status === "revoked") throw new AcmeProblem("alreadyRevoked", "the certificate is revoked already");
  await source.revoke(certificate);
  return { status: 200, bare: null };
}

function readSent(value: Json | undefined): Certificate {
  if (typeof value !== "string" || !/^[A-Za-z0-9_-]+$/.test(value)) {
    throw new AcmeProblem("malformed", "certificate is one in base64url");
  }
  try {
    return readCertificate(Buffer.from(value, "base64url"));
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new AcmeProblem("malformed", `the certificate is malformed: ${error.message}`, { cause: error });
  }
}

async function mayRevoke(
  service: AcmeService,
  request: AcmeRequest,
  certificate: Certificate,
): Promise<boolean> {
  if (request.account === null) {
    const signer = createPublicKey({ key: { ...request.jwk }, format: "jwk" });
    return signer.export({ type: "spki", format: "der" }).equals(certificate.publicKey);
  }
  const account = request.account.record.id;
  return (await hasOrdered(service, account, certificate)) || isAuthorized(service, account, certificate);
}

async function hasOrdered(
  { context: { storage } }: AcmeService,
  account: string,
  { serial }: Certificate,
): Promise<boolean> {
  for (const id of await storage.list(`${ORDER_PREFIX}${account}/`)) {
    const found = await findOrder(storage, account, id);
    if (found?.record.certificate?.serial === serial) return true;
  }
  return false;
}

/** Whether the account has shown, lately enough, that it controls every name of the certificate. */
async function isAuthorized(
  { context: { storage, clock } }: AcmeService,
  account: string,
  certificate: Certificate,
): Promise<boolean> {
  const ids = await storage.list(`${AUTHORIZATION_PREFIX}${account}/`);
  const found = await Promise.all(ids.map((id) => findAuthorization(storage, account, id)));
  const valid = found
    .filter((it) => it !== null)
    .map(({ record }) => record)
    .filter(({ status, expiresAt }) => status === "valid" && clock.now() < expiresAt);
  const names = namesOf(certificate);
  return names?.every((name) => valid.some((it) => isFor(it, name))) ?? false;
}

/** Null: it has none, or others than ACME knows. */
function namesOf({ extensions }: Certificate): readonly Identifier[] | null {
  const extension = findExtension(extensions, OID.subjectAltName);
  if (extension === undefined) return null;
  const { dns, ips, emails, uris, others } = decodeAltNames(extension.value);
  if (emails.length + uris.length + others.length > 0) return null;
  const names = [
    ...dns.map((value): Identifier => ({ type: "dns", value: value.toLowerCase() })),
    ...ips.map((value): Identifier => ({ type: "ip", value })),
  ];
  return names.length === 0 ? null : names;
}
