import { badRequest } from "../../base/errors.ts";
import { type MountContext, type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { EngineWrite } from "../../framework/storage.ts";
import { changeSecret } from "./change-secret.ts";
import { versionKey } from "./keys.ts";
import { isGone, type VersionRecord } from "./record.ts";

/** What is done to some versions of a secret. */
interface VersionChange {
  readonly verb: "delete" | "undelete" | "destroy";
  readonly synopsis: string;
  /** Undefined: nothing is to be done. */
  change(version: VersionRecord, now: number): VersionRecord | undefined;
}

const CHANGES: readonly VersionChange[] = [
  {
    verb: "delete",
    synopsis: "Delete versions of a secret; they can be undeleted.",
    change: (version, now) =>
      isGone(version, now) ? undefined : { ...version, deletedAt: now, deleted: true },
  },
  {
    verb: "undelete",
    synopsis: "Undelete versions of a secret.",
    change: (version) => (version.destroyed ? undefined : { ...version, deletedAt: null, deleted: false }),
  },
  {
    verb: "destroy",
    synopsis: "Destroy versions of a secret: their data are gone for good.",
    change: (version) => (version.destroyed ? undefined : { ...version, destroyed: true }),
  },
];

/** `delete/:path`, `undelete/:path` and `destroy/:path`. @see reference: key/value, version 2. */
export function versionPaths(context: MountContext): PathSpec[] {
  return CHANGES.map((change) => versionPath(context, change));
}

function versionPath(context: MountContext, change: VersionChange): PathSpec {
  return path({
    pattern: `${change.verb}/*path`,
    fields: {
      path: field.string({ description: "The secret's path." }),
      versions: field.commaIntList({ description: "The numbers of the versions." }),
    },
    help: { synopsis: change.synopsis, description: "Versions that are not there are left out." },
    operations: {
      update: {
        summary: change.synopsis,
        handler: async ({ values }) => {
          if (values.versions.length === 0) throw badRequest("No version number provided");
          await changeVersions(context, values.path, values.versions, change);
          return undefined;
        },
      },
    },
  });
}

async function changeVersions(
  { storage, clock }: MountContext,
  secretPath: string,
  numbers: readonly number[],
  { verb, change }: VersionChange,
): Promise<void> {
  await changeSecret(storage, secretPath, (present) => {
    const now = clock.now();
    const changed = [...new Set(numbers)].flatMap((number) => {
      const version = present?.versions[String(number)];
      const after = version === undefined ? undefined : change(version, now);
      return after === undefined ? [] : [[String(number), after] as const];
    });
    if (present === null || changed.length === 0) return { record: undefined, result: null };
    const gone = verb === "destroy" ? changed.map(([number]) => Number(number)) : [];
    return {
      record: { ...present, versions: { ...present.versions, ...Object.fromEntries(changed) } },
      also: gone.map((number): EngineWrite => ({ op: "delete", key: versionKey(secretPath, number) })),
      result: null,
    };
  });
}
