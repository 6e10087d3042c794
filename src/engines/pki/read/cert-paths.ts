import { ApiError } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { type MountContext, type PathSpec, path } from "../../../framework/backend.ts";
import { field } from "../../../framework/field.ts";
import { PAGE_FIELDS, pageOf } from "../../../framework/list-page.ts";
import { CERT_PREFIX, readCert } from "../issue/store.ts";
import { rfc3339 } from "../issue/validity.ts";
import { readIssuers } from "../issuers/record.ts";
import { REVOKED_PREFIX, readRevoked } from "../revoke/record.ts";
import { colonSerial, parseSerial } from "../serial.ts";
import { pem } from "../x509/pem.ts";
import { certificateDer, certificatesPem, NOTHING } from "./raw.ts";

const SERIAL = { serial: field.string({ description: "The serial number, with colons or hyphens." }) };
const CAPTURES = { serial: /[0-9a-fA-F:-]+/ };

/** `cert/:serial`, `certs` and `certs/revoked`. @see reference: raw reads. */
export function certPaths(context: MountContext): PathSpec[] {
  const { storage } = context;
  return [
    path({
      pattern: "cert/:serial",
      captures: CAPTURES,
      unauthenticated: true,
      fields: SERIAL,
      help: { synopsis: "Show a certificate that was issued, and whether it was revoked." },
      operations: {
        read: {
          summary: "Show a certificate.",
          handler: async ({ values }) => {
            const data = await describe(context, values.serial);
            return data === null ? undefined : { data };
          },
        },
      },
    }),
    rawPath(context, "cert/:serial/raw", (der) => certificateDer(der)),
    rawPath(context, "cert/:serial/raw/pem", (der) => certificatesPem([der])),
    listPath("certs", "List the certificates that were issued, by serial number.", () =>
      storage.list(CERT_PREFIX),
    ),
    listPath("certs/revoked", "List the certificates that were revoked, by serial number.", () =>
      storage.list(REVOKED_PREFIX),
    ),
  ];
}

async function certificateBy({ storage }: MountContext, text: string) {
  const serial = parseSerial(text);
  if (serial === null) return null;
  const kept = await readCert(storage, serial);
  const revoked = await readRevoked(storage, serial, kept?.crlScope);
  const found = kept ?? revoked;
  return found === null
    ? null
    : { der: Buffer.from(found.certificate, "base64"), crlScope: found.crlScope, revoked };
}

async function describe(context: MountContext, text: string): Promise<JsonObject | null> {
  const found = await certificateBy(context, text);
  if (found === null) return null;
  const revokedAt = found.revoked?.revokedAt;
  const issuers = revokedAt === undefined ? [] : await readIssuers(context.storage);
  return {
    certificate: `${pem("CERTIFICATE", found.der)}\n`,
    revocation_time: revokedAt === undefined ? 0 : Math.floor(revokedAt / 1000),
    revocation_time_rfc3339: revokedAt === undefined ? "" : rfc3339(revokedAt),
    issuer_id: issuers.find(({ crlScope }) => crlScope === found.crlScope)?.id ?? "",
  };
}

function rawPath(
  context: MountContext,
  pattern: string,
  show: (der: Buffer) => ReturnType<typeof certificateDer>,
): PathSpec {
  return path({
    pattern,
    captures: CAPTURES,
    unauthenticated: true,
    fields: SERIAL,
    help: { synopsis: "A certificate that was issued, as such." },
    operations: {
      read: {
        summary: "Show a certificate.",
        handler: async ({ values }) => {
          const found = await certificateBy(context, values.serial);
          return found === null ? NOTHING : show(found.der);
        },
      },
    },
  });
}

function listPath(pattern: string, synopsis: string, list: () => Promise<readonly string[]>): PathSpec {
  return path({
    pattern,
    fields: PAGE_FIELDS,
    help: { synopsis },
    operations: {
      list: {
        summary: synopsis,
        handler: async ({ values }) => {
          const serials = (await list()).map((name) => parseSerial(name));
          if (serials.includes(null))
            throw new ApiError(500, "an entry of the certificates has no serial number");
          const keys = serials.map((serial) => colonSerial(serial ?? ""));
          return { data: { keys: pageOf(keys, values) } };
        },
      },
    },
  });
}
