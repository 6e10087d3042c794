import { ApiError } from "../../../base/errors.ts";
import type { MountContext } from "../../../framework/backend.ts";
import { readCrlConfig, secondsOf } from "../crl/config.ts";
import { revocationSigner } from "../crl/signer.ts";
import { certificateOf } from "../issuers/chain.ts";
import { type IssuerRecord, readIssuers } from "../issuers/record.ts";
import { signingIssuerOf } from "../issuers/signing.ts";
import { readRevoked } from "../revoke/record.ts";
import { DerError } from "../x509/asn1.ts";
import {
  type AskedCertificate,
  isFromIssuer,
  type OcspRequest,
  parseOcspRequest,
} from "../x509/ocsp-request.ts";
import { buildOcspResponse, type CertificateStatus, ocspFailure } from "../x509/ocsp-response.ts";

/** An OCSP response in DER, with the HTTP status that goes with it. */
export interface OcspAnswer {
  readonly status: number;
  readonly der: Buffer;
}

const MALFORMED: OcspAnswer = { status: 400, der: ocspFailure("malformedRequest") };
const INTERNAL_ERROR: OcspAnswer = { status: 500, der: ocspFailure("internalError") };
const UNAUTHORIZED: OcspAnswer = { status: 401, der: ocspFailure("unauthorized") };

/**
 * Answers an OCSP request, in the name of the issuer that it is about. A certificate of that issuer which is not known here
 * counts as good, as in Vault: a role may issue certificates that are not kept. One of another issuer is unknown.
 * @param request - In DER. @see reference: OCSP
 */
export async function answerOcsp(context: MountContext, request: Uint8Array): Promise<OcspAnswer> {
  try {
    return await answerOf(context, request);
  } catch (error) {
    // An issuer that cannot sign as it was told to; clients of OCSP read no other form of refusal.
    if (error instanceof ApiError) return INTERNAL_ERROR;
    throw error;
  }
}

async function answerOf(context: MountContext, request: Uint8Array): Promise<OcspAnswer> {
  const { storage, clock } = context;
  const config = await readCrlConfig(storage);
  if (config.ocsp_disable) return UNAUTHORIZED;
  const parsed = readRequest(request);
  if (parsed === null) return MALFORMED;
  const record = await issuerAsked(context, parsed);
  if (record === null) return UNAUTHORIZED;
  const issuer = await signingIssuerOf(storage, record, "ocsp-signing");
  const statuses = parsed.asked.map(async (asked) => ({
    certId: asked.certId,
    status: await statusOf(context, record, asked),
  }));
  const now = clock.now();
  const expirySeconds = secondsOf(config, "ocsp_expiry");
  const der = buildOcspResponse({
    issuer: issuer.certificate,
    signer: revocationSigner(issuer),
    answers: await Promise.all(statuses),
    nonce: parsed.nonce,
    now,
    nextUpdate: expirySeconds === 0 ? null : now + expirySeconds * 1000,
  });
  return { status: 200, der };
}

function readRequest(der: Uint8Array): OcspRequest | null {
  try {
    return parseOcspRequest(der);
  } catch (error) {
    if (error instanceof DerError) return null;
    throw error;
  }
}

/** The issuer of the first certificate that one here has issued, and which may sign answers. Null: there is none. */
async function issuerAsked({ storage }: MountContext, { asked }: OcspRequest): Promise<IssuerRecord | null> {
  const issuers = await readIssuers(storage);
  const able = issuers.filter(({ keyId, usage }) => keyId !== "" && usage.includes("ocsp-signing"));
  for (const one of asked) {
    const found = able.find((record) => isFromIssuer(one, certificateOf(record)));
    if (found !== undefined) return found;
  }
  return null;
}

async function statusOf(
  { storage }: MountContext,
  issuer: IssuerRecord,
  asked: AskedCertificate,
): Promise<CertificateStatus> {
  if (!isFromIssuer(asked, certificateOf(issuer))) return { kind: "unknown" };
  const revoked = await readRevoked(storage, asked.serial, issuer.crlScope);
  return revoked === null ? { kind: "good" } : { kind: "revoked", revokedAt: revoked.revokedAt };
}
