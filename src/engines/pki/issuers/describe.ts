import type { JsonObject } from "../../../base/json.ts";
import type { EngineStorage } from "../../../framework/storage.ts";
import { chainDer } from "../issue/answer.ts";
import { rfc3339 } from "../issue/validity.ts";
import { pem } from "../x509/pem.ts";
import { chainRecords, type IssuerRecord, USAGES } from "./record.ts";

/** An issuer's certificates in PEM, its own first. */
export async function chainPem(storage: EngineStorage, issuer: IssuerRecord): Promise<readonly string[]> {
  return chainDer(await chainRecords(storage, issuer)).map((der) => `${pem("CERTIFICATE", der)}\n`);
}

/** An issuer as `issuer/:issuer_ref` shows it. @see reference: issuers. */
export async function describeIssuer(storage: EngineStorage, issuer: IssuerRecord): Promise<JsonObject> {
  const chain = await chainPem(storage, issuer);
  const { urls, revokedAt } = issuer;
  const revocation =
    revokedAt === null
      ? {}
      : { revocation_time: Math.floor(revokedAt / 1000), revocation_time_rfc3339: rfc3339(revokedAt) };
  return {
    issuer_id: issuer.id,
    issuer_name: issuer.name,
    key_id: issuer.keyId,
    certificate: chain[0] ?? "",
    manual_chain: issuer.manualChain,
    ca_chain: chain,
    leaf_not_after_behavior: issuer.leafNotAfter,
    usage: USAGES.filter((usage) => issuer.usage.includes(usage)).join(","),
    revocation_signature_algorithm: issuer.revocationSignatureAlgorithm,
    revoked: revokedAt !== null,
    ...revocation,
    issuing_certificates: urls.issuingCertificates,
    crl_distribution_points: urls.crlDistributionPoints,
    delta_crl_distribution_points: urls.deltaCrlDistributionPoints,
    ocsp_servers: urls.ocspServers,
    enable_aia_url_templating: urls.isTemplate,
  };
}
