import { badRequest } from "../../../base/errors.ts";
import { failpoint } from "../../../base/failpoint.ts";
import type { MountContext } from "../../../framework/backend.ts";
import type { EngineWrite } from "../../../framework/storage.ts";
import { changeScope } from "../crl/rebuild.ts";
import { readCert } from "../issue/store.ts";
import { certificateOf } from "../issuers/chain.ts";
import { readIssuers } from "../issuers/record.ts";
import { colonSerial } from "../serial.ts";
import { type Certificate, isIssuedBy, readCertificate } from "../x509/certificate.ts";
import { readAllRevoked, readRevoked, revokedWrite } from "./record.ts";

/** A certificate that is to be revoked, and whose CRL it goes on. */
export interface Revocable {
  readonly certificate: Certificate;
  readonly crlScope: string;
}

/** Finds a certificate that is kept. @param serial - Hex. @throws ApiError 400 */
export async function revocableBySerial(context: MountContext, serial: string): Promise<Revocable> {
  const { storage } = context;
  const kept = await readCert(storage, serial);
  if (kept !== null) {
    return {
      certificate: readCertificate(Buffer.from(kept.certificate, "base64")),
      crlScope: kept.crlScope,
    };
  }
  // One that was revoked without being kept, or whose entry was tidied, is known by its revocation.
  const revoked = await readRevoked(storage, serial);
  if (revoked === null) throw badRequest(`certificate with serial ${colonSerial(serial)} not found.`);
  return {
    certificate: readCertificate(Buffer.from(revoked.certificate, "base64")),
    crlScope: revoked.crlScope,
  };
}

/** Whose a certificate is that somebody has brought. @throws ApiError 400 unless an issuer of this mount has issued it. */
export async function revocableGiven(context: MountContext, certificate: Certificate): Promise<Revocable> {
  const { storage } = context;
  const kept = await readCert(storage, certificate.serial);
  if (kept !== null && !Buffer.from(kept.certificate, "base64").equals(certificate.der)) {
    throw badRequest("the given certificate is not the one that this mount issued with that serial number");
  }
  if (kept !== null) return { certificate, crlScope: kept.crlScope };
  const issuers = await readIssuers(storage);
  const issuer = issuers.find((one) => isIssuedBy(certificate, certificateOf(one)));
  if (issuer === undefined)
    throw badRequest("the given certificate was not issued by an issuer of this mount");
  return { certificate, crlScope: issuer.crlScope };
}

/**
 * Revokes certificates of one scope, and has the CRL say so, as one commit. What was revoked before stays as it was.
 * @param reason - RFC 5280 section 5.3.1; 0: it is not said.
 * @returns For each when it was revoked, milliseconds; null: it had expired, and is not put on a CRL.
 */
export async function revokeAll(
  context: MountContext,
  crlScope: string,
  certificates: readonly Certificate[],
  reason = 0,
): Promise<readonly (number | null)[]> {
  const now = context.clock.now();
  const moments = new Map<string, number>();
  await changeScope(context, crlScope, async (state, config) => {
    moments.clear();
    const writes: EngineWrite[] = [];
    for (const certificate of certificates) {
      const all = await readAllRevoked(context.storage, certificate.serial);
      const before = all.records.find((it) => it.crlScope === crlScope);
      if (before === undefined && certificate.notAfter <= now) continue;
      if (before === undefined && !moments.has(certificate.serial)) {
        const record = { certificate: certificate.der.toString("base64"), revokedAt: now, crlScope, reason };
        writes.push(revokedWrite(certificate.serial, { ...all, records: [...all.records, record] }));
      }
      moments.set(certificate.serial, before?.revokedAt ?? now);
    }
    if (writes.length === 0) return null;
    failpoint("pki:revoking");
    const fresh = certificates.filter(({ serial }) => moments.get(serial) === now);
    const known = new Set(state.revoked.map(([serial]) => serial));
    const added = [...new Set(fresh.map(({ serial }) => serial))].filter((serial) => !known.has(serial));
    return {
      state: {
        ...state,
        revoked: [...state.revoked, ...added.map((serial) => [serial, now, reason] as const)],
      },
      also: writes,
      // One that was never built is due from nobody; it is built with its first entry.
      build: config.auto_rebuild && state.completeDueAt !== null ? null : "complete",
    };
  });
  return certificates.map(({ serial }) => moments.get(serial) ?? null);
}
