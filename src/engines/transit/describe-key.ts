import { createPublicKey } from "node:crypto";
import type { JsonObject } from "../../base/json.ts";
import { timeText } from "../../base/time-text.ts";
import { deriveKey } from "./derive.ts";
import { canDerive, canEncrypt, canSign, isAsymmetric } from "./key-types.ts";
import { ed25519Key, ed25519PublicBytes, publicKeyName } from "./material.ts";
import type { TransitMount } from "./mount.ts";
import type { PassageRecord, StoredKey } from "./record.ts";
import type { KeyVersion } from "./versions.ts";

/**
 * A key as reading it shows it: with its versions from the first that decrypts, and no secret part of any.
 * @param context - Of a derived ed25519 key, whose public keys are shown for it; empty: they are not shown.
 * @see reference: transit, reading a key.
 */
export async function describeKey(
  mount: TransitMount,
  key: StoredKey,
  context: Buffer = Buffer.alloc(0),
): Promise<JsonObject> {
  const { record, type, name } = key;
  const first = Math.max(record.minDecryptionVersion, record.minAvailableVersion, 1);
  const keys: Record<string, JsonObject | number> = {};
  for (let number = first; number <= record.latestVersion; number += 1) {
    keys[String(number)] = describeVersion(key, await mount.versions.get(key, number), context);
  }
  return {
    allow_plaintext_backup: record.allowPlaintextBackup,
    auto_rotate_period: record.autoRotateSeconds,
    deletion_allowed: record.deletionAllowed,
    derived: record.derived,
    exportable: record.exportable,
    imported_key: record.imported,
    ...(record.imported ? { imported_key_allow_rotation: record.importedAllowsRotation } : {}),
    keys,
    latest_version: record.latestVersion,
    min_available_version: record.minAvailableVersion,
    min_decryption_version: record.minDecryptionVersion,
    min_encryption_version: record.minEncryptionVersion,
    name,
    supports_decryption: canEncrypt(type),
    supports_derivation: canDerive(type),
    supports_encryption: canEncrypt(type),
    supports_signing: canSign(type),
    type: type.name,
    ...(record.derived ? describeDerivation(key) : {}),
    ...(type.family === "hmac" ? { key_size: record.keyBytes } : {}),
    ...(record.softDeleted ? { soft_deleted: true } : {}),
    ...(record.backup === null ? {} : { backup_info: describePassage(record.backup) }),
    ...(record.restore === null ? {} : { restore_info: describePassage(record.restore) }),
  };
}

/** The version of convergent encryption is each version's own, which -1 stands for. */
function describeDerivation({ record }: StoredKey): JsonObject {
  const convergent = record.convergent ? { convergent_encryption_version: -1 } : {};
  return { convergent_encryption: record.convergent, ...convergent, kdf: "hkdf_sha256" };
}

function describePassage({ at, version }: PassageRecord): JsonObject {
  return { time: timeText(at), version };
}

function describeVersion(key: StoredKey, version: KeyVersion, context: Buffer): JsonObject | number {
  const { createdAt, certificateChain } = version.material;
  const { type } = key;
  if (!isAsymmetric(type)) return Math.floor(createdAt / 1000);
  return {
    certificate_chain: certificateChain ?? "",
    creation_time: timeText(createdAt),
    name: publicKeyName(type),
    public_key: publicKeyText(key, version, context),
  };
}

/** A public key in PEM; of ed25519 the base64 of its 32 bytes; empty of a derived key without a context. */
export function publicKeyText({ type, record }: StoredKey, version: KeyVersion, context: Buffer): string {
  if (type.family !== "ed25519") {
    return version.publicKey.export({ format: "pem", type: "spki" }).toString();
  }
  if (!record.derived) return ed25519PublicBytes(version.publicKey).toString("base64");
  if (context.length === 0) return "";
  const seed = deriveKey(type, version.secret, context, false).key;
  return ed25519PublicBytes(createPublicKey(ed25519Key(seed))).toString("base64");
}
