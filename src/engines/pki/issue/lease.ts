import type { JsonObject } from "../../../base/json.ts";
import type { MountContext } from "../../../framework/backend.ts";
import type { LeasePlan } from "../../../framework/secret.ts";
import { colonSerial } from "../serial.ts";
import type { CertificatePlan } from "./plan.ts";

/** The name of the secret type, as Vault's leases have it. */
export const CERTIFICATE_SECRET = "pki";

/** The lease of a certificate: it ends when the certificate does, and revoking it revokes the certificate. */
export function leased(
  { clock }: MountContext,
  { serial, validity }: CertificatePlan,
  run: () => Promise<JsonObject>,
): LeasePlan {
  const serialNumber = colonSerial(serial.toString("hex"));
  // Up to a second too long: a lease that ended before its certificate would put it on the CRL for that moment.
  const ttlSeconds = Math.max(1, Math.ceil((validity.notAfter - clock.now()) / 1000));
  return {
    secret: CERTIFICATE_SECRET,
    internal: { serial_number: serialNumber },
    principal: serialNumber,
    ttlSeconds,
    maxTtlSeconds: ttlSeconds,
    renewable: false,
    create: run,
  };
}
