import { formatGoDuration } from "../../base/duration.ts";
import { ApiError } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { timeText } from "../../base/time-text.ts";
import {
  type EngineRequest,
  type MountContext,
  type PathSpec,
  path,
  type Reply,
} from "../../framework/backend.ts";
import { field, type Given } from "../../framework/field.ts";
import { PAGE_FIELDS, pageOf } from "../../framework/list-page.ts";
import type { EngineStorage, EngineWrite } from "../../framework/storage.ts";
import { changeSecret } from "./change-secret.ts";
import { checkMaxVersions, readKvConfig } from "./config.ts";
import { checkCustomMetadata, patchCustomMetadata, readCustomMetadata } from "./custom-metadata.ts";
import { RECORD_PREFIX, recordKey, versionKey } from "./keys.ts";
import { newRecord, readRecord, type SecretRecord } from "./record.ts";

const FIELDS = {
  path: field.string({ description: "The secret's path." }),
  max_versions: field.int({ description: "How many versions are kept; 0 for the mount's number." }),
  cas_required: field.bool({ description: "Every write has to name the version that it replaces." }),
  delete_version_after: field.duration({
    description: "After how long a new version is deleted; 0 for the mount's time.",
  }),
  custom_metadata: field.map({ description: "Texts by name, for people and programs." }),
  ...PAGE_FIELDS,
};

type Request = EngineRequest<typeof FIELDS>;

/** `metadata/:path`, and the list of all. @see reference: key/value, version 2. */
export function metadataPaths(context: MountContext): PathSpec[] {
  return [rootPath(context), onePath(context)];
}

function rootPath({ storage }: MountContext): PathSpec {
  return path({
    pattern: "metadata",
    fields: PAGE_FIELDS,
    help: { synopsis: "List the secrets at the top." },
    operations: {
      list: {
        summary: "List the secrets at the top.",
        handler: async ({ values }) => ({
          data: { keys: pageOf(await storage.list(RECORD_PREFIX), values) },
        }),
      },
    },
  });
}

function onePath(context: MountContext): PathSpec {
  const { storage } = context;
  return path({
    pattern: "metadata/*path",
    fields: FIELDS,
    help: {
      synopsis: "List secrets, show what is known about one, change its settings, or remove all of it.",
    },
    exists: async ({ values }) => (await readRecord(storage, values.path)) !== null,
    operations: {
      read: {
        summary: "Show a secret's versions and settings.",
        handler: async ({ values }) => {
          const stored = await readRecord(storage, values.path);
          return stored === null ? undefined : { data: describe(stored.record) };
        },
      },
      update: {
        summary: "Change a secret's settings; it need not have a version.",
        handler: (request) => change(context, request, false),
      },
      patch: {
        summary: "Change a secret's settings, and parts of its custom metadata.",
        handler: (request) => change(context, request, true),
      },
      delete: {
        summary: "Remove all versions of a secret, and all that is known about it.",
        handler: async ({ values }) => {
          await removeSecret(storage, values.path);
          return undefined;
        },
      },
      list: {
        summary: "List the secrets below a path.",
        handler: async ({ values }) => ({
          data: { keys: pageOf(await storage.list(`${recordKey(values.path)}/`), values) },
        }),
      },
    },
  });
}

async function change(
  { storage, clock }: MountContext,
  { values, given, raw }: Request,
  isPatch: boolean,
): Promise<Reply | undefined> {
  checkMaxVersions(given.max_versions);
  await changeSecret(storage, values.path, (present) => {
    if (present === null && isPatch) throw new ApiError(404, []);
    const now = clock.now();
    const record = present ?? newRecord(now);
    const customMetadata = changedMetadata(record, given, isPatch, raw);
    if (customMetadata !== null) checkCustomMetadata(customMetadata);
    const changed: SecretRecord = {
      ...record,
      updatedAt: now,
      maxVersions: given.max_versions ?? record.maxVersions,
      casRequired: given.cas_required ?? record.casRequired,
      deleteVersionAfterSeconds: given.delete_version_after ?? record.deleteVersionAfterSeconds,
      customMetadata,
    };
    return { record: changed, result: null };
  });
  const isOverruled = given.cas_required === false && (await readKvConfig(storage)).casRequired;
  return isOverruled ? { warnings: [CAS_WARNING] } : undefined;
}

const CAS_WARNING =
  '"cas_required" set to false, but is mandated by backend config. This value will be ignored.';

function changedMetadata(
  record: SecretRecord,
  given: Given<typeof FIELDS>,
  isPatch: boolean,
  raw: JsonObject,
): Readonly<Record<string, string>> | null {
  // A null takes all of it away in a patch, as it does with any member (RFC 7396 section 2).
  if (isPatch && raw.custom_metadata === null) return null;
  if (given.custom_metadata === undefined) return record.customMetadata;
  const changes = readCustomMetadata(given.custom_metadata);
  return patchCustomMetadata(isPatch ? record.customMetadata : null, changes);
}

async function removeSecret(storage: EngineStorage, secretPath: string): Promise<void> {
  await changeSecret(storage, secretPath, (present) => {
    const numbers = Object.keys(present?.versions ?? {}).map(Number);
    return {
      record: present === null ? undefined : null,
      also: numbers.map((number): EngineWrite => ({ op: "delete", key: versionKey(secretPath, number) })),
      result: null,
    };
  });
}

function describe(record: SecretRecord): JsonObject {
  const versions = Object.entries(record.versions).map(([number, version]): [string, Json] => [
    number,
    {
      created_time: timeText(version.createdAt),
      deletion_time: timeText(version.deletedAt),
      destroyed: version.destroyed,
    },
  ]);
  return {
    cas_required: record.casRequired,
    created_time: timeText(record.createdAt),
    current_version: record.currentVersion,
    custom_metadata: record.customMetadata,
    delete_version_after: formatGoDuration(record.deleteVersionAfterSeconds),
    max_versions: record.maxVersions,
    oldest_version: record.oldestVersion,
    updated_time: timeText(record.updatedAt),
    versions: Object.fromEntries(versions),
  };
}
