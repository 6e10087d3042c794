import { ApiError, badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import {
  type EngineRequest,
  type MountContext,
  type PathSpec,
  path,
  type Reply,
} from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { changeSecret } from "./change-secret.ts";
import { readKvConfig } from "./config.ts";
import { mergePatch } from "./merge-patch.ts";
import { type FoundVersion, readVersion } from "./read-version.ts";
import { describeVersion, findVersion, isGone, newRecord, readRecord } from "./record.ts";
import { checkData } from "./secret-data.ts";
import { addVersion, casOf, checkCas } from "./write-version.ts";

const FIELDS = {
  path: field.string({ description: "The secret's path." }),
  version: field.int({ description: "The version to read; 0 for the current one." }),
  data: field.map({ description: "The secret, or the changes to it.", sensitive: true }),
  options: field.map({
    description: "cas: the version that the write replaces; 0 where there may be none yet.",
  }),
};

type Request = EngineRequest<typeof FIELDS>;

/** `data/:path`. @see reference: key/value, version 2. */
export function dataPath(context: MountContext): PathSpec {
  const { storage } = context;
  return path({
    pattern: "data/*path",
    fields: FIELDS,
    help: {
      synopsis: "Read, write, change or delete a secret.",
      description:
        "Every write makes a new version. A deleted version can be undeleted until it is destroyed.",
    },
    exists: async ({ values }) => (await readRecord(storage, values.path)) !== null,
    operations: {
      read: {
        summary: "Read a version of a secret.",
        handler: async ({ values }) => {
          const found = await readVersion(storage, values.path, values.version, context.clock.now());
          return found === null ? undefined : versionReply(found, { data: found.data });
        },
      },
      update: { summary: "Write a new version.", handler: (request) => write(context, request) },
      patch: {
        summary: "Write a new version that differs from the current one in what is given.",
        handler: (request) => patch(context, request),
      },
      delete: {
        summary: "Delete the current version; it can be undeleted.",
        handler: async ({ values }) => {
          await deleteCurrent(context, values.path);
          return undefined;
        },
      },
    },
  });
}

/** An answer that shows a version: 404 with what is known about it when its data are not to be had. */
export function versionReply({ record, number, version, data }: FoundVersion, shown: JsonObject): Reply {
  return {
    data: { ...shown, metadata: describeVersion(record, number, version) },
    ...(data === null ? { status: 404 } : {}),
  };
}

/** @throws ApiError 400 when there is none, or it is null. */
function givenData({ given }: Request): JsonObject {
  if (given.data === undefined) throw badRequest("no data provided");
  return given.data;
}

async function write({ storage, clock }: MountContext, request: Request): Promise<Reply> {
  const { values } = request;
  const data = checkData(givenData(request));
  const cas = casOf(values.options);
  const answer = await changeSecret(storage, values.path, async (present) => {
    const config = await readKvConfig(storage);
    const now = clock.now();
    const record = present ?? newRecord(now);
    checkCas(config, record, cas);
    return addVersion(config, record, { path: values.path, data, now });
  });
  return { data: answer };
}

async function patch({ storage, clock }: MountContext, request: Request): Promise<Reply> {
  const { values } = request;
  const changes = checkData(givenData(request));
  const cas = casOf(values.options);
  return changeSecret<Reply>(storage, values.path, async (present) => {
    const now = clock.now();
    const found = present === null ? null : await readVersion(storage, values.path, 0, now);
    if (present === null || found === null) throw new ApiError(404, []);
    if (found.data === null) return { record: undefined, result: versionReply(found, { data: null }) };
    const config = await readKvConfig(storage);
    // The data are those of the record that was read with them; if that has changed, so has this one, and the commit fails.
    checkCas(config, present, cas);
    const data = checkData(mergePatch(found.data, changes));
    const { result, ...change } = addVersion(config, present, { path: values.path, data, now });
    return { ...change, result: { data: result } };
  });
}

async function deleteCurrent({ storage, clock }: MountContext, secretPath: string): Promise<void> {
  await changeSecret(storage, secretPath, (present) => {
    const now = clock.now();
    const found = present === null ? undefined : findVersion(present, 0);
    if (present === null || found === undefined || isGone(found[1], now)) {
      return { record: undefined, result: null };
    }
    const [number, version] = found;
    const versions = { ...present.versions, [number]: { ...version, deletedAt: now, deleted: true } };
    return { record: { ...present, versions }, result: null };
  });
}
