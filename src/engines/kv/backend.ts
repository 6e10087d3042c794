import type { Backend, Handler, MountContext, OperationSpec, PathSpec } from "../../framework/backend.ts";
import type { Fields } from "../../framework/field.ts";
import { configPath } from "./config.ts";
import { dataPath } from "./data-path.ts";
import { RECORD_PREFIX, UPGRADE_KEY } from "./keys.ts";
import { metadataPaths } from "./metadata-path.ts";
import { plainPaths } from "./plain-paths.ts";
import { settleDeletions } from "./settle-deletions.ts";
import { subkeysPath } from "./subkeys-path.ts";
import { upgrade } from "./upgrade.ts";
import { versionPaths } from "./version-paths.ts";
import { wrongPaths } from "./wrong-path.ts";

/** The key/value engine. The mount's option `version` says which of its two versions it is; it may change while it is mounted. */
export function kvEngine(context: MountContext): Backend {
  const { storage, clock } = context;
  const ready = once(() => upgrade(storage, () => clock.now()));
  const plain = plainPaths(context);
  const versioned = [
    configPath(context),
    dataPath(context),
    ...metadataPaths(context),
    ...versionPaths(context),
    subkeysPath(context),
  ].map((spec) => after(ready, spec));
  const versionedPaths = [...versioned, ...wrongPaths()];
  return {
    help:
      "The kv engine keeps secrets that people or programs write. In version 2 each write makes a new version, and older " +
      "ones can be read, deleted, undeleted and destroyed.",
    get paths() {
      return context.options.version === "2" ? versionedPaths : plain;
    },
    secrets: [],
    due: async (key) => {
      if (key === UPGRADE_KEY) await ready();
      if (!key.startsWith(RECORD_PREFIX)) return;
      await settleDeletions(storage, key.slice(RECORD_PREFIX.length), clock.now());
    },
  };
}

/** Does something once, and again only if it failed. */
function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work().catch((error: unknown) => {
      running = undefined;
      throw error;
    });
    return running;
  };
}

/** The path, with everything it does put off until the mount is ready. */
function after(ready: () => Promise<void>, spec: PathSpec): PathSpec {
  const { exists } = spec;
  const operations = Object.entries(spec.operations).map(
    ([name, operation]: [string, OperationSpec<Fields>]) => {
      const handler: Handler<Fields> = async (request) => {
        await ready();
        return operation.handler(request);
      };
      return [name, { ...operation, handler }] as const;
    },
  );
  return {
    ...spec,
    operations: Object.fromEntries(operations),
    ...(exists === undefined
      ? {}
      : {
          exists: async (request) => {
            await ready();
            return exists(request);
          },
        }),
  };
}
