import type { JsonObject } from "../../../base/json.ts";
import { randomUuid } from "../../../base/random.ts";
import { type PathSpec, path } from "../../../framework/backend.ts";
import { field } from "../../../framework/field.ts";
import type { EngineStorage } from "../../../framework/storage.ts";
import {
  DIRECTORY_PATTERNS,
  type Directory,
  directoryFields,
  directoryOf,
  directoryPath,
} from "./directory.ts";
import { readRecord, type Stored } from "./records.ts";
import type { AcmeService } from "./service.ts";

/** Keys that accounts may be bound to, until one is (RFC 8555 section 7.3.4). */
export const EAB_PREFIX = "acme/eab/";

const KEY_BYTES = 32;

export interface EabRecord {
  readonly v: 1;
  readonly id: string;
  /** The MAC key, base64url. */
  readonly key: string;
  readonly directory: Directory;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** Null: there is none, or an account has used it. */
export async function findEab(storage: EngineStorage, id: string): Promise<Stored<EabRecord> | null> {
  return /^[0-9a-f-]{36}$/.test(id) ? readRecord<EabRecord>(storage, EAB_PREFIX + id) : null;
}

/** `new-eab` of every directory, and the list of those that no account has used yet. These paths need a token. */
export function eabPaths(service: AcmeService): readonly PathSpec[] {
  return [...DIRECTORY_PATTERNS.map((pattern) => newEabPath(service, pattern)), ...listPaths(service)];
}

function newEabPath({ context }: AcmeService, pattern: string): PathSpec {
  return path({
    pattern: `${pattern}/new-eab`,
    fields: directoryFields(pattern),
    help: { synopsis: "Make a key that an ACME client binds its account to." },
    operations: {
      update: {
        summary: "Make a key for an external account binding.",
        handler: async ({ values }) => {
          const { clock, random, storage } = context;
          const record: EabRecord = {
            v: 1,
            id: randomUuid(random),
            key: Buffer.from(random.bytes(KEY_BYTES)).toString("base64url"),
            directory: directoryOf(values),
            createdAt: clock.now(),
          };
          const value = record as unknown as JsonObject;
          await storage.commit([{ op: "put", key: EAB_PREFIX + record.id, value, expect: 0 }]);
          return { data: { id: record.id, key: record.key, ...describe(record) } };
        },
      },
    },
  });
}

/** What may be shown of a key to anyone who may list. */
function describe({ directory, createdAt }: EabRecord): JsonObject {
  return {
    key_type: "hs",
    acme_directory: `${directoryPath(directory)}/directory`,
    created_on: new Date(createdAt).toISOString().replace(".000Z", "Z"),
  };
}

function listPaths({ context: { storage } }: AcmeService): readonly PathSpec[] {
  return [
    path({
      pattern: "eab",
      fields: {},
      help: { synopsis: "List the external account bindings that no account has used." },
      operations: {
        list: {
          summary: "List the external account bindings that no account has used.",
          handler: async () => {
            const keys = await storage.list(EAB_PREFIX);
            const found = await Promise.all(keys.map((id) => findEab(storage, id)));
            const known = found.filter((it) => it !== null).map(({ record }) => record);
            const info = Object.fromEntries(known.map((record) => [record.id, describe(record)]));
            return { data: { keys: known.map(({ id }) => id), key_info: info } };
          },
        },
      },
    }),
    path({
      pattern: "eab/:key_id",
      fields: { key_id: field.string({ description: "The id of the binding.", required: true }) },
      help: { synopsis: "Delete an external account binding that no account has used." },
      operations: {
        delete: {
          summary: "Delete an external account binding.",
          handler: async ({ values }) => {
            const found = await findEab(storage, values.key_id);
            if (found === null) {
              return { data: {}, warnings: [`No key id found with id: ${values.key_id}`] };
            }
            await storage.commit([{ op: "delete", key: EAB_PREFIX + values.key_id, expect: found.version }]);
            return undefined;
          },
        },
      },
    }),
  ];
}
