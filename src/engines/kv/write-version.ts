import { badRequest } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import type { EngineWrite } from "../../framework/storage.ts";
import { decodeInt } from "../../framework/weak-decode.ts";
import type { Change } from "./change-secret.ts";
import { deletionAfterSeconds, type KvConfig, versionsKept } from "./config.ts";
import { versionKey } from "./keys.ts";
import { describeVersion, type SecretRecord } from "./record.ts";

/** A version that is to be added. */
export interface NewVersion {
  readonly path: string;
  readonly data: JsonObject;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What adding a version comes to; the result is what a write answers. */
interface Added extends Change<JsonObject> {
  readonly record: SecretRecord;
  readonly also: readonly EngineWrite[];
}

/** The check-and-set parameter among a write's options. @throws ApiError 400 when it is no whole number. */
export function casOf(options: JsonObject): number | undefined {
  const cas: Json | undefined = Object.hasOwn(options, "cas") ? options.cas : undefined;
  if (cas === undefined) return undefined;
  try {
    if (cas === null || cas === "") throw new SyntaxError("it is empty");
    return decodeInt(cas);
  } catch (error) {
    throw badRequest("error parsing check-and-set parameter", error);
  }
}

/** @throws ApiError 400 when a write does not say what it replaces and has to, or is wrong about it. */
export function checkCas(config: KvConfig, record: SecretRecord, cas: number | undefined): void {
  if (cas === undefined) {
    if (!config.casRequired && !record.casRequired) return;
    throw badRequest("check-and-set parameter required for this call");
  }
  if (cas !== record.currentVersion) {
    throw badRequest("check-and-set parameter did not match the current version");
  }
}

/** Adds a version to a secret, and drops those that are one too many. */
export function addVersion(config: KvConfig, record: SecretRecord, added: NewVersion): Added {
  const { path, data, now } = added;
  const number = record.currentVersion + 1;
  const afterSeconds = deletionAfterSeconds(config, record);
  const version = {
    createdAt: now,
    deletedAt: afterSeconds === 0 ? null : now + afterSeconds * 1000,
    deleted: false,
    destroyed: false,
  };
  const firstKept = number - versionsKept(config, record) + 1;
  const isKept = (key: string): boolean => Number(key) >= firstKept;
  const kept = Object.entries(record.versions).filter(([key]) => isKept(key));
  const dropped = Object.keys(record.versions).filter((key) => !isKept(key));
  const changed: SecretRecord = {
    ...record,
    updatedAt: now,
    currentVersion: number,
    oldestVersion: firstKept > 1 ? Math.max(record.oldestVersion, firstKept) : record.oldestVersion,
    versions: { ...Object.fromEntries(kept), [number]: version },
  };
  const also: EngineWrite[] = [
    { op: "put", key: versionKey(path, number), value: { data } },
    ...dropped.map((key): EngineWrite => ({ op: "delete", key: versionKey(path, Number(key)) })),
  ];
  return { record: changed, also, result: describeVersion(changed, number, version) };
}
