import { parseDurationSeconds } from "../../../base/duration.ts";
import { badRequest } from "../../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../../base/json.ts";
import { type MountContext, type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import { field, type Values } from "../../../framework/field.ts";
import { decodeTime } from "../../../framework/weak-decode.ts";
import { ISSUER_FIELD } from "../issue/fields.ts";
import { type SigningIssuer, signingIssuer } from "../issuers/signing.ts";
import { parseSerial } from "../serial.ts";
import { DerError } from "../x509/asn1.ts";
import { publicKeyOf } from "../x509/certificate.ts";
import { buildCrl, type RevokedCertificate } from "../x509/crl.ts";
import type { Extension } from "../x509/extensions.ts";
import { isOid } from "../x509/oids.ts";
import { decodeBase64, pem, pemBlocks } from "../x509/pem.ts";
import { type Crl, readCrl } from "../x509/read-crl.ts";
import { isSignedBy } from "../x509/signature.ts";
import { revocationSigner } from "./signer.ts";

const FIELDS = {
  ...ISSUER_FIELD,
  crl_number: field.int({ description: "The number of the CRL that is made.", required: true }),
  delta_crl_base_number: field.int({
    description: "The number of the complete CRL, where a delta is made; -1: a complete one is.",
    default: -1,
  }),
  next_update: field.string({ description: "For how long the CRL is valid.", default: "72h" }),
  format: field.string({ description: "pem, or der as base64.", default: "pem", allowed: ["pem", "der"] }),
};

const RESIGN_FIELDS = {
  ...FIELDS,
  crls: field.stringList({ description: "CRLs of this issuer, in PEM.", required: true }),
};

const LIST_FIELDS = {
  ...FIELDS,
  revoked_certs: field.list({
    description:
      "What is revoked: serial_number, revocation_time, and extensions with id, critical and value.",
  }),
  extensions: field.list({ description: "Extensions of the CRL: id, critical, and value in base64." }),
};

/** `resign-crls` and `sign-revocation-list`, both below `issuer/:issuer_ref`. @see reference: CRL. */
export function crlSignPaths(context: MountContext): PathSpec[] {
  return [
    path({
      pattern: "issuer/:issuer_ref/resign-crls",
      fields: RESIGN_FIELDS,
      help: { synopsis: "Make one CRL of several that the same issuer has signed elsewhere." },
      operations: {
        update: {
          summary: "Combine CRLs.",
          handler: async ({ values }) => {
            const issuer = await signingIssuer(context.storage, values.issuer_ref, "crl-signing");
            const crls = givenCrls(values.crls).map((crl) => checkedCrl(crl, issuer));
            return signList(context, issuer, values, combined(crls), []);
          },
        },
      },
    }),
    path({
      pattern: "issuer/:issuer_ref/sign-revocation-list",
      fields: LIST_FIELDS,
      help: { synopsis: "Sign a CRL of what is given, whether it was issued here or not." },
      operations: {
        update: {
          summary: "Sign a CRL.",
          handler: async ({ values }) => {
            const issuer = await signingIssuer(context.storage, values.issuer_ref, "crl-signing");
            const revoked = values.revoked_certs.map(revokedIn);
            const extensions = values.extensions.map((one) => extensionIn(one, "extensions"));
            return signList(context, issuer, values, revoked, extensions);
          },
        },
      },
    }),
  ];
}

function signList(
  { clock }: MountContext,
  issuer: SigningIssuer,
  terms: Values<typeof FIELDS>,
  revoked: readonly RevokedCertificate[],
  extensions: readonly Extension[],
): Reply {
  const { crl_number: number, delta_crl_base_number: base, format } = terms;
  if (format !== "pem" && format !== "der") throw badRequest('the "format" parameter must be "pem" or "der"');
  if (number < 1) throw badRequest("crl_number has to be given, and greater than zero");
  if (base < -1) throw badRequest("delta_crl_base_number has to be -1, or the number of a CRL");
  if (base >= number) throw badRequest("delta_crl_base_number has to be below crl_number");
  const now = Math.floor(clock.now() / 1000) * 1000;
  const der = buildCrl({
    issuer: issuer.certificate,
    signer: revocationSigner(issuer),
    number,
    ...(base < 0 ? {} : { baseNumber: base }),
    thisUpdate: now,
    nextUpdate: now + secondsIn(terms.next_update) * 1000,
    revoked,
    extensions,
  });
  return { data: { crl: format === "der" ? der.toString("base64") : `${pem("X509 CRL", der)}\n` } };
}

function secondsIn(text: string): number {
  let seconds = 0;
  try {
    seconds = parseDurationSeconds(text);
  } catch {
    // Refused below, like none at all.
  }
  if (seconds <= 0) throw badRequest(`next_update ${JSON.stringify(text)} is not a duration above zero`);
  return seconds;
}

function givenCrls(texts: readonly string[]): readonly Crl[] {
  if (texts.length === 0) throw badRequest("crls: no CRL was given");
  return texts.map((text) => {
    try {
      const blocks = pemBlocks(text);
      const [block] = blocks;
      if (block !== undefined && blocks.length === 1 && block.label === "X509 CRL") return readCrl(block.der);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const what = error instanceof DerError ? error.message : "PEM that is not base64";
      throw badRequest(`crls holds a CRL that cannot be read: ${what}`, error);
    }
    throw badRequest("each of crls has to be one CRL in PEM");
  });
}

function checkedCrl(crl: Crl, { certificate }: SigningIssuer): Crl {
  const isOwn = crl.issuer.equals(certificate.subject);
  if (isOwn && isSignedBy(crl, publicKeyOf(certificate), { allowSha1: true })) return crl;
  throw badRequest("crls holds a CRL that this issuer has not signed");
}

/** What any of the CRLs lists, as the first that does. */
function combined(crls: readonly Crl[]): readonly RevokedCertificate[] {
  const entries = new Map<string, RevokedCertificate>();
  for (const entry of crls.flatMap((crl) => crl.entries)) {
    const serial = entry.serial.toString("hex");
    if (!entries.has(serial)) entries.set(serial, entry);
  }
  return [...entries.values()];
}

function revokedIn(entry: Json): RevokedCertificate {
  const {
    serial_number: serialText,
    revocation_time: time,
    extensions = [],
  } = objectIn(entry, "revoked_certs");
  const serial = typeof serialText === "string" ? parseSerial(serialText) : null;
  if (serial === null) throw badRequest("revoked_certs: serial_number is not a serial number");
  return {
    serial: Buffer.from(serial, "hex"),
    revokedAt: timeIn(time ?? null),
    extensions: (Array.isArray(extensions) ? extensions : [extensions]).map((one: Json) =>
      extensionIn(one, "revoked_certs"),
    ),
  };
}

function timeIn(value: Json): number {
  try {
    return decodeTime(value);
  } catch (error) {
    throw badRequest("revoked_certs: revocation_time is not a time", error);
  }
}

function extensionIn(entry: Json, name: string): Extension {
  const { id = "", critical = false, value = "" } = objectIn(entry, name);
  if (typeof id !== "string" || !isOid(id))
    throw badRequest(`${name}: the id of an extension is an object identifier`);
  try {
    return {
      oid: id,
      critical: critical === true || critical === "true",
      value: decodeBase64(String(value)),
    };
  } catch (error) {
    throw badRequest(`${name}: the value of an extension is base64`, error);
  }
}

function objectIn(entry: Json, name: string): JsonObject {
  if (isJsonObject(entry)) return entry;
  throw badRequest(`each of ${name} is an object`);
}
