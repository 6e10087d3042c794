import { badRequest } from "../../../base/errors.ts";
import { type MountContext, type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import { field } from "../../../framework/field.ts";
import { checkKeyName } from "../issuers/add.ts";
import { findKey } from "../issuers/resolve.ts";
import { importBundle, readBundle } from "./import.ts";

const BUNDLE = {
  pem_bundle: field.string({
    description: "Certificates of CAs and private keys, in PEM, in any order.",
    sensitive: true,
  }),
};

/** `config/ca`, `issuers/import/…`, `intermediate/set-signed`, `keys/import`. @see reference: import of bundles. */
export function importPaths(context: MountContext): PathSpec[] {
  const bundlePath = (pattern: string, allowsKeys: boolean): PathSpec =>
    path({
      pattern,
      fields: BUNDLE,
      help: { synopsis: allowsKeys ? "Import issuers and keys." : "Import issuers without their keys." },
      operations: {
        update: {
          summary: "Import a bundle.",
          handler: ({ values }) => importIssuers(context, values.pem_bundle, allowsKeys),
        },
      },
    });
  return [
    bundlePath("config/ca", true),
    bundlePath("issuers/import/bundle", true),
    bundlePath("issuers/import/cert", false),
    path({
      pattern: "intermediate/set-signed",
      fields: {
        certificate: field.string({
          description: "The signed certificate, in PEM; its chain may follow it.",
        }),
      },
      help: { synopsis: "Import the certificate that another CA has signed for a request of this mount." },
      operations: {
        update: {
          summary: "Import a signed certificate.",
          handler: ({ values }) => importIssuers(context, values.certificate, false),
        },
      },
    }),
    keyImportPath(context),
  ];
}

async function importIssuers(context: MountContext, text: string, allowsKeys: boolean): Promise<Reply> {
  const bundle = readBundle(text);
  if (!allowsKeys && bundle.keys.length > 0) {
    throw badRequest(
      "private keys found in the PEM bundle but not allowed by the path; use /issuers/import/bundle",
    );
  }
  if (bundle.certificates.length + bundle.keys.length === 0) {
    throw badRequest("provided data for import holds neither a certificate nor a key");
  }
  return { data: await importBundle(context, bundle) };
}

function keyImportPath(context: MountContext): PathSpec {
  return path({
    pattern: "keys/import",
    fields: { ...BUNDLE, key_name: field.string({ description: "A name for the key." }) },
    help: { synopsis: "Import one private key." },
    operations: {
      update: {
        summary: "Import a key.",
        handler: async ({ values }) => {
          const bundle = readBundle(values.pem_bundle);
          if (bundle.keys.length !== 1 || bundle.certificates.length > 0) {
            throw badRequest("only one private key, and nothing else, can be imported here");
          }
          const answer = await importBundle(
            context,
            bundle,
            (set) => checkKeyName(set, values.key_name),
            values.key_name,
          );
          const ids = [...(answer.imported_keys as string[]), ...(answer.existing_keys as string[])];
          const key = await findKey(context.storage, ids[0] ?? "");
          return { data: { key_id: key?.id ?? "", key_name: key?.name ?? "", key_type: key?.type ?? "" } };
        },
      },
    },
  });
}
