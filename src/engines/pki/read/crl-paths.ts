import {
  type EngineRequest,
  type MountContext,
  type PathSpec,
  path,
  type Reply,
} from "../../../framework/backend.ts";
import type { Fields } from "../../../framework/field.ts";
import { currentCrl } from "../crl/rebuild.ts";
import type { CrlKind, PublishedCrl } from "../crl/state.ts";
import { ISSUER_FIELD } from "../issue/fields.ts";
import { findIssuer, requireIssuer } from "../issuers/resolve.ts";
import { pem } from "../x509/pem.ts";
import { crlDer, crlPem, NOTHING, unlessKnown } from "./raw.ts";

type Form = "der" | "pem" | "certificate" | "crl";

/** Where each CRL of the default issuer is read. */
const DEFAULT_READS: readonly (readonly [pattern: string, kind: CrlKind, form: Form])[] = [
  ["crl", "complete", "der"],
  ["crl/pem", "complete", "pem"],
  ["crl/delta", "delta", "der"],
  ["crl/delta/pem", "delta", "pem"],
  ["cert/crl", "complete", "certificate"],
  ["cert/delta-crl", "delta", "certificate"],
];

/** The same of one issuer, below `issuer/:issuer_ref/`. */
const ISSUER_READS: readonly (readonly [pattern: string, kind: CrlKind, form: Form])[] = [
  ["crl", "complete", "crl"],
  ["crl/pem", "complete", "pem"],
  ["crl/der", "complete", "der"],
  ["crl/delta", "delta", "crl"],
  ["crl/delta/pem", "delta", "pem"],
  ["crl/delta/der", "delta", "der"],
];

/** Reads of CRLs, which need no token. @see reference: raw reads. */
export function crlReadPaths(context: MountContext): PathSpec[] {
  const { storage, clock } = context;
  const ofDefault = DEFAULT_READS.map(([pattern, kind, form]) =>
    path({
      pattern,
      unauthenticated: true,
      fields: {},
      help: { synopsis: synopsisOf(kind) },
      operations: {
        read: {
          summary: synopsisOf(kind),
          handler: async (request) => {
            const issuer = await findIssuer(storage, "default");
            const crl = issuer === null ? null : await currentCrl(context, issuer, kind);
            return show(request, crl, form, clock.now());
          },
        },
      },
    }),
  );
  const ofIssuer = ISSUER_READS.map(([pattern, kind, form]) =>
    path({
      pattern: `issuer/:issuer_ref/${pattern}`,
      unauthenticated: true,
      fields: ISSUER_FIELD,
      help: { synopsis: synopsisOf(kind) },
      operations: {
        read: {
          summary: synopsisOf(kind),
          handler: async (request) => {
            const issuer = await requireIssuer(storage, request.values.issuer_ref);
            return show(request, await currentCrl(context, issuer, kind), form, clock.now());
          },
        },
      },
    }),
  );
  return [...ofDefault, ...ofIssuer];
}

function synopsisOf(kind: CrlKind): string {
  return kind === "complete" ? "The CRL of an issuer." : "The delta CRL of an issuer.";
}

function show(
  request: Pick<EngineRequest<Fields>, "headers">,
  crl: PublishedCrl | null,
  form: Form,
  now: number,
): Reply | undefined {
  if (crl === null) return form === "der" || form === "pem" ? NOTHING : undefined;
  const der = Buffer.from(crl.der, "base64");
  const times = { changedAt: crl.thisUpdate, now };
  if (form === "der") return unlessKnown(request, times, crlDer(der));
  if (form === "pem") return unlessKnown(request, times, crlPem(der));
  const text = pem("X509 CRL", der);
  if (form === "crl") return { data: { crl: text } };
  return { data: { certificate: text, revocation_time: 0, revocation_time_rfc3339: "" } };
}
