import type { KeyObject } from "node:crypto";
import { ApiError, badRequest } from "../../base/errors.ts";
import { publicKeyText } from "./describe-key.ts";
import { isAsymmetric } from "./key-types.ts";
import { ed25519PublicBytes } from "./material.ts";
import type { TransitMount } from "./mount.ts";
import type { StoredKey } from "./record.ts";
import type { KeyVersion } from "./versions.ts";

export const EXPORT_KINDS = [
  "encryption-key",
  "signing-key",
  "hmac-key",
  "public-key",
  "certificate-chain",
] as const;
export type ExportKind = (typeof EXPORT_KINDS)[number];

export const EXPORT_FORMATS = ["", "raw", "der", "pem"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/**
 * The versions that an export is of.
 * @param wanted - A number, `latest`, or empty for all that decrypt.
 * @throws ApiError 400 with Vault's texts.
 */
export async function versionsToExport(
  mount: TransitMount,
  key: StoredKey,
  wanted: string,
): Promise<readonly KeyVersion[]> {
  const { latestVersion, minDecryptionVersion, minAvailableVersion } = key.record;
  const first = Math.max(minDecryptionVersion, minAvailableVersion, 1);
  const versions: KeyVersion[] = [];
  if (wanted === "") {
    for (let number = first; number <= latestVersion; number += 1) {
      versions.push(await mount.versions.get(key, number));
    }
    return versions;
  }
  if (wanted !== "latest" && !/^\d{1,15}$/.test(wanted)) throw badRequest(`invalid key version: ${wanted}`);
  const number = wanted === "latest" ? latestVersion : Number(wanted);
  if (number < first) throw badRequest("version for export is below minimum decryption version");
  if (number > latestVersion) throw new ApiError(404, "version does not exist or cannot be found");
  return [await mount.versions.get(key, number)];
}

/** What is exported of a version. @throws ApiError 400 for what the key does not have. @see reference: transit, export forms. */
export function exported(
  key: StoredKey,
  version: KeyVersion,
  kind: ExportKind,
  format: ExportFormat,
): string {
  const { type } = key;
  const unknown = badRequest(`unknown key type ${type.name} for export type ${kind}`);
  switch (kind) {
    case "hmac-key":
      return symmetric(version.hmacKey, format);
    case "encryption-key":
      if (type.family === "aead") return symmetric(version.secret, format);
      if (type.family === "rsa") return privateText(version.privateKey, "pkcs1", format);
      throw unknown;
    case "signing-key":
      if (type.family === "ecdsa") return privateText(version.privateKey, "sec1", format);
      if (type.family === "rsa") return privateText(version.privateKey, "pkcs1", format);
      if (type.family === "ed25519") return ed25519Private(version, format);
      throw unknown;
    case "public-key":
      if (!isAsymmetric(type)) throw unknown;
      return publicText(key, version, format);
    case "certificate-chain": {
      if (!isAsymmetric(type)) throw unknown;
      const chain = version.material.certificateChain;
      if (chain === null) throw badRequest("selected key version does not have a certificate chain set");
      return chain;
    }
  }
}

function symmetric(key: Buffer, format: ExportFormat): string {
  if (format === "der" || format === "pem")
    throw badRequest(`unsupported format ${format} for a symmetric key`);
  return key.toString("base64");
}

function privateText(key: KeyObject, plain: "pkcs1" | "sec1", format: ExportFormat): string {
  if (format === "raw") throw badRequest("unsupported format raw for a key of this type");
  if (format === "der") return key.export({ format: "der", type: "pkcs8" }).toString("base64");
  return key.export({ format: "pem", type: format === "pem" ? "pkcs8" : plain }).toString();
}

/** Go's form of a private key: the seed and the public key. */
function ed25519Private(version: KeyVersion, format: ExportFormat): string {
  if (format === "der" || format === "pem") return privateText(version.privateKey, "pkcs1", format);
  return Buffer.concat([version.secret, ed25519PublicBytes(version.publicKey)]).toString("base64");
}

function publicText(key: StoredKey, version: KeyVersion, format: ExportFormat): string {
  if (format === "") return publicKeyText(key, version, Buffer.alloc(0));
  if (format === "raw") {
    if (key.type.family !== "ed25519") throw badRequest("unsupported format raw for a key of this type");
    return publicKeyText(key, version, Buffer.alloc(0));
  }
  if (format === "der") return version.publicKey.export({ format: "der", type: "spki" }).toString("base64");
  return version.publicKey.export({ format: "pem", type: "spki" }).toString();
}
