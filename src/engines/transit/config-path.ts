import { badRequest } from "../../base/errors.ts";
import { type EngineRequest, type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { checkAutoRotate } from "./create-key.ts";
import { describeKey } from "./describe-key.ts";
import { COMMON } from "./fields.ts";
import { refuseSoftDeleted, type TransitMount } from "./mount.ts";
import { changeKey, type KeyRecord, mayRotate } from "./record.ts";

const FIELDS = {
  name: COMMON.name,
  min_decryption_version: field.int({ description: "The first version that still decrypts and verifies." }),
  min_encryption_version: field.int({
    description:
      "The first version that may be asked for to encrypt, sign or make HMACs; 0 for the latest alone.",
  }),
  deletion_allowed: field.bool({ description: "Let the key be deleted." }),
  exportable: field.bool({ description: "Let the key be exported. Cannot be switched off again." }),
  allow_plaintext_backup: field.bool({
    description: "Let the key be backed up in plaintext. Cannot be switched off again.",
  }),
  auto_rotate_period: field.duration({
    description: "After how long a new version is made by itself; 0 for never, else at least an hour.",
  }),
};

type Given = EngineRequest<typeof FIELDS>["given"];

/** `keys/:name/config`. @see reference: transit, key paths. */
export function configPath(mount: TransitMount): PathSpec {
  const { storage } = mount.context;
  return path({
    pattern: "keys/:name/config",
    fields: FIELDS,
    help: { synopsis: "Change what a key may be used for." },
    operations: {
      update: {
        summary: "Change the given settings.",
        handler: async ({ values: { name }, given }) => {
          const missing = `no existing key named ${name} could be found`;
          const warnings = await changeKey(storage, name, missing, (key) => {
            refuseSoftDeleted(key);
            const { record, warnings: told } = configured(key.record, given);
            return { record, result: told };
          });
          const key = await mount.keyFor(name, missing);
          return { data: await describeKey(mount, key), warnings };
        },
      },
    },
  });
}

/** The key with the given settings. @throws ApiError 400 for settings that do not go together. */
function configured(old: KeyRecord, given: Given): { record: KeyRecord; warnings: readonly string[] } {
  const { minDecryptionVersion, warnings } = decryptionVersion(old, given.min_decryption_version);
  const minEncryptionVersion = encryptionVersion(old, given.min_encryption_version);
  if (minEncryptionVersion > 0 && minEncryptionVersion < minDecryptionVersion) {
    throw badRequest(
      `cannot set min encryption/decryption values; min encryption version of ${minEncryptionVersion} must be greater than or ` +
        `equal to min decryption version of ${minDecryptionVersion}`,
    );
  }
  const autoRotateSeconds = given.auto_rotate_period ?? old.autoRotateSeconds;
  checkAutoRotate(autoRotateSeconds);
  if (given.auto_rotate_period !== undefined && autoRotateSeconds > 0 && !mayRotate(old)) {
    throw badRequest("allow_rotation must be set to true if auto-rotation is enabled");
  }
  const record: KeyRecord = {
    ...old,
    minDecryptionVersion,
    minEncryptionVersion,
    autoRotateSeconds,
    deletionAllowed: given.deletion_allowed ?? old.deletionAllowed,
    exportable: old.exportable || given.exportable === true,
    allowPlaintextBackup: old.allowPlaintextBackup || given.allow_plaintext_backup === true,
  };
  return { record, warnings };
}

function decryptionVersion(
  old: KeyRecord,
  given: number | undefined,
): { minDecryptionVersion: number; warnings: readonly string[] } {
  if (given === undefined) return { minDecryptionVersion: old.minDecryptionVersion, warnings: [] };
  if (given < 0) throw badRequest("min decryption version cannot be negative");
  if (given > old.latestVersion) {
    throw badRequest(
      `cannot set min decryption version of ${given}, latest key version is ${old.latestVersion}`,
    );
  }
  if (given < old.minAvailableVersion) {
    throw badRequest(
      `cannot set min decryption version of ${given}, the versions before ${old.minAvailableVersion} were trimmed`,
    );
  }
  if (given > 0) return { minDecryptionVersion: given, warnings: [] };
  return {
    minDecryptionVersion: 1,
    warnings: ["since Vault 0.3, transit key numbering starts at 1; forcing minimum to 1"],
  };
}

function encryptionVersion(old: KeyRecord, given: number | undefined): number {
  if (given === undefined) return old.minEncryptionVersion;
  if (given < 0) throw badRequest("min encryption version cannot be negative");
  if (given > old.latestVersion) {
    throw badRequest(
      `cannot set min encryption version of ${given}, latest key version is ${old.latestVersion}`,
    );
  }
  if (given > 0 && given < old.minAvailableVersion) {
    throw badRequest(
      `cannot set min encryption version of ${given}, the versions before ${old.minAvailableVersion} were trimmed`,
    );
  }
  return given;
}
