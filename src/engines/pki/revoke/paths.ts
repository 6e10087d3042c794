import { badRequest } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { type MountContext, type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import { field } from "../../../framework/field.ts";
import { givenCertificate } from "../given-certificate.ts";
import { rfc3339 } from "../issue/validity.ts";
import { certificateOf } from "../issuers/chain.ts";
import { readIssuers } from "../issuers/record.ts";
import { colonSerial, parseSerial } from "../serial.ts";
import { type Certificate, isIssuedBy, publicKeyOf } from "../x509/certificate.ts";
import { publicKeyDer, readPrivateKey } from "../x509/keys.ts";
import { pemBlocks } from "../x509/pem.ts";
import { type Revocable, revocableBySerial, revocableGiven, revokeAll } from "./revoke.ts";

const FIELDS = {
  serial_number: field.string({ description: "The certificate's serial number, with colons or hyphens." }),
  certificate: field.string({ description: "The certificate in PEM, also where it was not kept." }),
};

interface Given {
  readonly serial_number: string;
  readonly certificate: string;
}

/** `revoke` and `revoke-with-key`. @see reference: revocation. */
export function revokePaths(context: MountContext): PathSpec[] {
  return [
    path({
      pattern: "revoke",
      fields: FIELDS,
      help: { synopsis: "Revoke a certificate: by its serial number, or as such." },
      operations: {
        update: {
          summary: "Revoke a certificate.",
          handler: async ({ values }) => revoke(context, await revocable(context, values)),
        },
      },
    }),
    path({
      pattern: "revoke-with-key",
      fields: {
        ...FIELDS,
        private_key: field.string({ description: "The certificate's private key, in PEM.", sensitive: true }),
      },
      help: {
        synopsis: "Revoke a certificate by proof of having its key.",
        description:
          "For whom a certificate was issued can revoke it this way, without a right to revoke others.",
      },
      operations: {
        update: {
          summary: "Revoke one's own certificate.",
          handler: async ({ values }) => {
            const found = await revocable(context, values);
            checkKey(values.private_key, found.certificate);
            return revoke(context, found);
          },
        },
      },
    }),
  ];
}

async function revocable(context: MountContext, given: Given): Promise<Revocable> {
  if (given.serial_number === "" && given.certificate === "") {
    throw badRequest("The serial number or certificate to revoke must be provided.");
  }
  if (given.serial_number !== "" && given.certificate !== "") {
    throw badRequest("Must provide either the certificate or the serial to revoke; not both.");
  }
  if (given.certificate !== "")
    return revocableGiven(context, givenCertificate("certificate", given.certificate));
  const serial = parseSerial(given.serial_number);
  if (serial === null)
    throw badRequest(`serial_number ${JSON.stringify(given.serial_number)} is not a serial number`);
  return revocableBySerial(context, serial);
}

function checkKey(text: string, certificate: Certificate): void {
  if (text === "") throw badRequest("The private key of the certificate must be provided.");
  const key = keyIn(text);
  if (key === null) throw badRequest("private_key is not a private key in PEM");
  if (publicKeyDer(key).equals(publicKeyDer(publicKeyOf(certificate)))) return;
  throw badRequest("provided private key does not match certificate's public key");
}

function keyIn(text: string) {
  try {
    const blocks = pemBlocks(text);
    return blocks.map(({ label, der }) => readPrivateKey(label, der)).find((key) => key !== null) ?? null;
  } catch {
    // What is wrong with it could quote the key.
    return null;
  }
}

async function revoke(context: MountContext, { certificate, crlScope }: Revocable): Promise<Reply> {
  await refuseOwnCrl(context, certificate);
  const [revokedAt] = await revokeAll(context, crlScope, [certificate]);
  if (revokedAt === null || revokedAt === undefined) {
    const serial = colonSerial(certificate.serial);
    return { warnings: [`certificate with serial ${serial} already expired; refusing to add to CRL`] };
  }
  return { data: describeRevocation(revokedAt) };
}

/** A root that is on its own CRL says that the CRL is not to be believed. */
async function refuseOwnCrl({ storage }: MountContext, certificate: Certificate): Promise<void> {
  const issuers = await readIssuers(storage);
  const own = issuers.find((issuer) => Buffer.from(issuer.certificate, "base64").equals(certificate.der));
  if (own === undefined || !isIssuedBy(certificate, certificateOf(own))) return;
  throw badRequest(`adding issuer (id: ${own.id}) to its own CRL is not allowed`);
}

/** @param revokedAt - Milliseconds. */
export function describeRevocation(revokedAt: number): JsonObject {
  return {
    revocation_time: Math.floor(revokedAt / 1000),
    revocation_time_rfc3339: rfc3339(revokedAt),
    state: "revoked",
  };
}
