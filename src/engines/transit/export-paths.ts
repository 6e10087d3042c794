import { constants, publicEncrypt } from "node:crypto";
import { badRequest } from "../../base/errors.ts";
import { type EngineRequest, type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { EXPORT_FORMATS, EXPORT_KINDS, exported, versionsToExport } from "./export-forms.ts";
import { COMMON } from "./fields.ts";
import { refuseSoftDeleted, type TransitMount } from "./mount.ts";
import { readKey, type StoredKey } from "./record.ts";
import type { KeyVersion } from "./versions.ts";
import { oaepHash } from "./wrapping-key.ts";

const EXPORT_FIELDS = {
  type: field.string({ description: `What to export: ${EXPORT_KINDS.join(", ")}.` }),
  name: COMMON.name,
  version: field.string({ description: "A version, or latest; all that decrypt without it." }),
  format: field.string({
    description: "raw, der or pem; without it the key's usual form.",
    allowed: EXPORT_FORMATS,
  }),
};

const BYOK_FIELDS = {
  destination: field.string({ description: "The RSA key that the other is encrypted for." }),
  source: field.string({ description: "The key to export." }),
  version: EXPORT_FIELDS.version,
  hash: field.string({ description: "OAEP's: SHA1, SHA224, SHA256, SHA384 or SHA512.", default: "SHA256" }),
};

/** `export/:type/:name` and `byok-export/:destination/:source`, with a version at their ends. @see reference: transit, key paths. */
export function exportPaths(mount: TransitMount): PathSpec[] {
  return [
    ...["export/:type/:name", "export/:type/:name/:version"].map((pattern) =>
      path({
        pattern,
        fields: EXPORT_FIELDS,
        help: {
          synopsis: "Show the key itself, where that is allowed.",
          description: "Public keys and certificates are shown of any key.",
        },
        operations: { read: { summary: "Export.", handler: async (request) => exportKey(mount, request) } },
      }),
    ),
    ...["byok-export/:destination/:source", "byok-export/:destination/:source/:version"].map((pattern) =>
      path({
        pattern,
        fields: BYOK_FIELDS,
        help: { synopsis: "Export a key, encrypted for another one, to be imported where that one is." },
        operations: {
          read: { summary: "Export.", handler: async (request) => exportWrapped(mount, request) },
        },
      }),
    ),
  ];
}

async function exportKey(
  mount: TransitMount,
  { values }: EngineRequest<typeof EXPORT_FIELDS>,
): Promise<Reply | undefined> {
  const kind = EXPORT_KINDS.find((known) => known === values.type);
  if (kind === undefined) throw badRequest(`invalid export type: ${values.type}`);
  const format = EXPORT_FORMATS.find((known) => known === values.format);
  if (format === undefined) throw badRequest(`invalid format: ${values.format}`);
  const key = await readKey(mount.context.storage, values.name);
  if (key === null) return undefined;
  refuseSoftDeleted(key);
  if (!key.record.exportable && kind !== "public-key" && kind !== "certificate-chain") {
    throw badRequest("private key material is not exportable");
  }
  const versions = await versionsToExport(mount, key, values.version);
  const keys = versions.map(
    (version) => [String(version.number), exported(key, version, kind, format)] as const,
  );
  return { data: { keys: Object.fromEntries(keys), name: key.name, type: key.type.name } };
}

async function exportWrapped(
  mount: TransitMount,
  { values }: EngineRequest<typeof BYOK_FIELDS>,
): Promise<Reply> {
  const hash = oaepHash(values.hash);
  const destination = await mount.keyFor(values.destination, "no such destination key to export to");
  const source = await mount.keyFor(values.source, "no such source key for export");
  if (destination.type.family !== "rsa") {
    throw badRequest(`the destination key is of type ${destination.type.name}; it has to be an RSA key`);
  }
  if (!source.record.exportable) throw badRequest("private key material is not exportable");
  const target = await mount.versions.get(destination, destination.record.latestVersion);
  const keys: Record<string, string> = {};
  for (const version of await versionsToExport(mount, source, values.version)) {
    keys[String(version.number)] = await wrapped(mount, target, source, version, hash);
  }
  return { data: { keys, name: source.name, type: source.type.name } };
}

/** The form that keys are imported in. */
async function wrapped(
  { context: { random } }: TransitMount,
  target: KeyVersion,
  { type }: StoredKey,
  version: KeyVersion,
  hash: string,
): Promise<string> {
  const isSymmetric = type.family === "aead" || type.family === "hmac";
  const bytes = isSymmetric ? version.secret : version.privateKey.export({ format: "der", type: "pkcs8" });
  const aesKey = Buffer.from(random.bytes(32));
  const { aeskwp } = await import("@noble/ciphers/aes.js");
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const head = publicEncrypt({ key: target.publicKey, padding, oaepHash: hash }, aesKey);
  return Buffer.concat([head, aeskwp(aesKey).encrypt(bytes)]).toString("base64");
}
