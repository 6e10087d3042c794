import { badRequest } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { type MountContext, type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import type { Given } from "../../../framework/field.ts";
import { PAGE_FIELDS, pageOf } from "../../../framework/list-page.ts";
import { readCrlConfig } from "../crl/config.ts";
import { rebuildScope } from "../crl/rebuild.ts";
import { colonSerial } from "../serial.ts";
import { certificateOf } from "./chain.ts";
import { changeCas } from "./change.ts";
import { describeIssuer } from "./describe.ts";
import { type IssuerRecord, readAuthority, readIssuer, readIssuers } from "./record.ts";
import { findIssuer, requireIssuer } from "./resolve.ts";
import { ISSUER_UPDATE_FIELDS, resetIssuer, updatedIssuer } from "./update.ts";

/** `issuers` and `issuer/:issuer_ref`. @see reference: issuers. */
export function issuerPaths(context: MountContext): PathSpec[] {
  const { storage } = context;
  return [
    path({
      pattern: "issuers",
      unauthenticated: true,
      fields: PAGE_FIELDS,
      help: { synopsis: "List the issuers." },
      operations: {
        list: {
          summary: "List the issuers.",
          handler: async ({ values }) => list(context, values),
        },
      },
    }),
    path({
      pattern: "issuer/:issuer_ref",
      fields: ISSUER_UPDATE_FIELDS,
      help: {
        synopsis: "Show, change or delete an issuer.",
        description:
          "A write replaces what is set: what is not given gets its default. A patch changes what is given.",
      },
      operations: {
        read: {
          summary: "Show an issuer.",
          handler: async ({ values }) => ({
            data: await describeIssuer(storage, await requireIssuer(storage, values.issuer_ref)),
          }),
        },
        update: {
          summary: "Replace what is set of an issuer.",
          handler: ({ values, given }) => update(context, values.issuer_ref, given, resetIssuer),
        },
        patch: {
          summary: "Change what is given of an issuer.",
          handler: ({ values, given }) => update(context, values.issuer_ref, given, (issuer) => issuer),
        },
        delete: {
          summary: "Delete an issuer. Its key stays.",
          handler: ({ values }) => remove(context, values.issuer_ref),
        },
      },
    }),
  ];
}

async function list(
  { storage }: MountContext,
  page: { readonly after: string; readonly limit: number },
): Promise<Reply | undefined> {
  const [issuers, { authority }] = await Promise.all([readIssuers(storage), readAuthority(storage)]);
  const byId = new Map(issuers.map((issuer) => [issuer.id, issuer]));
  const keys = pageOf([...byId.keys()].sort(), page);
  const info: Record<string, JsonObject> = {};
  for (const id of keys) {
    const issuer = byId.get(id);
    if (issuer === undefined) continue;
    info[id] = {
      issuer_name: issuer.name,
      is_default: id === authority.defaultIssuer,
      key_id: issuer.keyId,
      serial_number: colonSerial(certificateOf(issuer).serial),
    };
  }
  return { data: { keys, key_info: info } };
}

async function update(
  context: MountContext,
  ref: string,
  given: Given<typeof ISSUER_UPDATE_FIELDS>,
  baseOf: (issuer: IssuerRecord) => IssuerRecord,
): Promise<Reply> {
  const { storage } = context;
  const { id } = await requireIssuer(storage, ref);
  const issuer = await changeCas(context, (present) => {
    const own = present.issuers.find((one) => one.id === id);
    if (own === undefined) throw badRequest(`unable to find PKI issuer for reference: ${ref}`);
    const next = updatedIssuer(present, baseOf(own), given);
    const issuers = present.issuers.map((one) => (one.id === id ? next : one));
    return { set: { ...present, issuers }, result: next };
  });
  // The CRL's signature, and where deltas are found, are part of what may have changed.
  if (!(await readCrlConfig(storage)).auto_rebuild) await rebuildScope(context, issuer.crlScope);
  // Chains are found as the change is written.
  const written = (await readIssuer(storage, id)) ?? issuer;
  return { data: await describeIssuer(storage, written) };
}

async function remove(context: MountContext, ref: string): Promise<Reply | undefined> {
  const issuer = await findIssuer(context.storage, ref);
  // As in Vault: what is not there does not have to be deleted.
  if (issuer === null) return undefined;
  const { id } = issuer;
  const wasDefault = await changeCas(context, (present) => ({
    set: { ...present, issuers: present.issuers.filter((issuer) => issuer.id !== id) },
    result: present.defaultIssuer === id,
  }));
  if (!wasDefault) return undefined;
  return {
    warnings: [
      `Deleted issuer ${id} (via issuer_ref ${ref}); this was configured as the default issuer. Operations without an explicit issuer will not work until a new default is configured.`,
    ],
  };
}
