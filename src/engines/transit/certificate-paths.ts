import { X509Certificate } from "node:crypto";
import { badRequest } from "../../base/errors.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { COMMON } from "./fields.ts";
import { isAsymmetric } from "./key-types.ts";
import { materialWrite } from "./material.ts";
import { refuseSoftDeleted, type TransitMount } from "./mount.ts";
import { changeKey, type StoredKey } from "./record.ts";
import type { KeyVersion } from "./versions.ts";

const VERSION = field.int({ description: "The key's version; 0 for the latest." });

/** `keys/:name/csr` and `keys/:name/set-certificate`. @see reference: transit, key paths. */
export function certificatePaths(mount: TransitMount): PathSpec[] {
  return [requestPath(mount), setPath(mount)];
}

const missing = (name: string): string => `key ${name} not found`;

function requestPath(mount: TransitMount): PathSpec {
  return path({
    pattern: "keys/:name/csr",
    fields: {
      name: COMMON.name,
      version: VERSION,
      csr: field.string({ description: "A request in PEM whose subject and extensions are taken over." }),
    },
    help: { synopsis: "Make a certificate request of a key." },
    operations: {
      update: {
        summary: "Make a certificate request.",
        handler: async ({ values }) => {
          const key = await mount.keyFor(values.name, missing(values.name));
          const version = await asymmetricVersion(mount, key, values.version);
          const { certificateRequest } = await import("./certificate-request.ts");
          const csr = certificateRequest(version.privateKey, version.publicKey, values.csr);
          return { data: { csr, name: key.name, type: key.type.name } };
        },
      },
    },
  });
}

function setPath(mount: TransitMount): PathSpec {
  const { storage } = mount.context;
  return path({
    pattern: "keys/:name/set-certificate",
    fields: {
      name: COMMON.name,
      version: VERSION,
      certificate_chain: field.string({
        description: "Certificates in PEM: the key's own, then those of who signed it.",
        required: true,
      }),
    },
    help: { synopsis: "Keep a certificate of a key with it." },
    operations: {
      update: {
        summary: "Keep a certificate.",
        handler: async ({ values }) => {
          if (values.certificate_chain === "") throw badRequest("missing certificate_chain");
          const chain = readChain(values.certificate_chain);
          await changeKey(storage, values.name, missing(values.name), async (key) => {
            refuseSoftDeleted(key);
            const version = await asymmetricVersion(mount, key, values.version);
            checkBelongs(version, chain);
            const certificateChain = chain.map((certificate) => certificate.toString()).join("");
            const write = materialWrite(key.record.id, version.number, {
              ...version.material,
              certificateChain,
            });
            const record = { ...key.record, revision: key.record.revision + 1 };
            return { record, also: [write], result: undefined };
          });
          return undefined;
        },
      },
    },
  });
}

async function asymmetricVersion(mount: TransitMount, key: StoredKey, wanted: number): Promise<KeyVersion> {
  const { record, type } = key;
  if (!isAsymmetric(type)) throw badRequest(`key type ${type.name} does not support certificates`);
  if (record.derived) throw badRequest("operation not supported on keys with derivation enabled");
  const number = wanted === 0 ? record.latestVersion : wanted;
  const first = Math.max(record.minAvailableVersion, 1);
  if (number < first || number > record.latestVersion) throw badRequest("invalid key version");
  return mount.versions.get(key, number);
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const CHAIN_LENGTH_MAX = 20;

function readChain(pem: string): readonly X509Certificate[] {
  const parts = pem.match(CERTIFICATE) ?? [];
  if (parts.length === 0) throw badRequest("failed to parse certificate chain: no certificate in PEM found");
  if (parts.length > CHAIN_LENGTH_MAX)
    throw badRequest(`more than ${CHAIN_LENGTH_MAX} certificates in the chain`);
  try {
    return parts.map((part) => new X509Certificate(part));
  } catch (error) {
    throw badRequest("failed to parse certificate chain: a certificate is damaged", error);
  }
}

/** @throws ApiError 400 when the first certificate is of another key, or the chain is none. */
function checkBelongs(version: KeyVersion, [own, ...others]: readonly X509Certificate[]): void {
  const spki = own?.publicKey.export({ format: "der", type: "spki" }).toString("base64");
  if (own === undefined || spki !== version.material.publicKey) {
    throw badRequest("the certificate's public key is not the key's");
  }
  let below = own;
  for (const above of others) {
    if (!below.verify(above.publicKey))
      throw badRequest("the certificates are not a chain: each is to be signed by the next");
    below = above;
  }
}
