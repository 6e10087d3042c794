import { VsecError } from "../../../base/errors.ts";
import type { MountContext } from "../../../framework/backend.ts";
import type { LeasedSecret, RevokeOutcome, SecretType } from "../../../framework/secret.ts";
import { CERTIFICATE_SECRET } from "../issue/lease.ts";
import { readCert } from "../issue/store.ts";
import { parseSerial } from "../serial.ts";
import { readCertificate } from "../x509/certificate.ts";
import { type Revocable, revokeAll } from "./revoke.ts";

/** Signing takes a moment; making an RSA key of 8192 bits may take half a minute. */
const CREATE_TIMEOUT_MS = 120_000;

/** Certificates under a lease: when it ends early, the certificate is revoked. */
export function certificateSecret(context: MountContext): SecretType {
  return {
    name: CERTIFICATE_SECRET,
    createTimeoutMs: CREATE_TIMEOUT_MS,
    revoke: (secrets) => revoke(context, secrets),
  };
}

async function revoke(
  context: MountContext,
  secrets: readonly LeasedSecret[],
): Promise<readonly RevokeOutcome[]> {
  const found = await Promise.all(secrets.map((secret) => certificateOf(context, secret)));
  const scopes = new Set(found.flatMap((one) => (one === null ? [] : [one.crlScope])));
  for (const scope of scopes) {
    const members = found.filter((one) => one?.crlScope === scope).flatMap((one) => one?.certificate ?? []);
    await revokeAll(context, scope, members);
  }
  return secrets.map(() => null);
}

/** Null: it was never signed, and so needs no revocation; nobody has seen it. */
async function certificateOf(
  { storage }: MountContext,
  { internal }: LeasedSecret,
): Promise<Revocable | null> {
  const serial = parseSerial(String(internal.serial_number));
  if (serial === null) throw new VsecError("BACKEND", "a lease names no serial number");
  const kept = await readCert(storage, serial);
  if (kept === null) return null;
  return { certificate: readCertificate(Buffer.from(kept.certificate, "base64")), crlScope: kept.crlScope };
}
