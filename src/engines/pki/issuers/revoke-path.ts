import { badRequest } from "../../../base/errors.ts";
import type { MountContext } from "../../../framework/backend.ts";
import { type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import { ISSUER_FIELD } from "../issue/fields.ts";
import { revokeAll } from "../revoke/revoke.ts";
import { isIssuedBy, isSelfSigned } from "../x509/certificate.ts";
import { certificateOf } from "./chain.ts";
import { changeCas } from "./change.ts";
import { describeIssuer } from "./describe.ts";
import { type IssuerRecord, readIssuer, readIssuers } from "./record.ts";
import { requireIssuer } from "./resolve.ts";

/** `issuer/:issuer_ref/revoke`. @see reference: issuers. */
export function revokeIssuerPath(context: MountContext): PathSpec {
  return path({
    pattern: "issuer/:issuer_ref/revoke",
    fields: ISSUER_FIELD,
    help: {
      synopsis: "Revoke an issuer: it issues nothing any more.",
      description:
        "Where the issuer above it is in this mount too, the certificate goes on that one's CRL. It cannot be undone.",
    },
    operations: {
      update: {
        summary: "Revoke an issuer.",
        handler: ({ values }) => revokeIssuer(context, values.issuer_ref),
      },
    },
  });
}

async function revokeIssuer(context: MountContext, ref: string): Promise<Reply> {
  const { storage } = context;
  const { id } = await requireIssuer(storage, ref);
  const issuer = await changeCas<IssuerRecord>(context, (present) => {
    const own = present.issuers.find((one) => one.id === id);
    if (own === undefined) throw badRequest(`unable to find PKI issuer for reference: ${ref}`);
    const usage = own.usage.filter((one) => one !== "issuing-certificates");
    const next = { ...own, usage, revokedAt: own.revokedAt ?? context.clock.now() };
    return {
      set: { ...present, issuers: present.issuers.map((one) => (one.id === id ? next : one)) },
      result: next,
    };
  });
  // Killed here, the issuer is fenced off already; asking again completes its parent's CRL.
  const certificate = certificateOf(issuer);
  const parents = isSelfSigned(certificate) ? [] : await readIssuers(storage);
  const parent = parents.find((one) => isIssuedBy(certificate, certificateOf(one)));
  if (parent !== undefined) await revokeAll(context, parent.crlScope, [certificate]);
  return { data: await describeIssuer(storage, (await readIssuer(storage, id)) ?? issuer) };
}
