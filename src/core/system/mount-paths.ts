import { badRequest } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { enableMount, mountPathOf, refuseBuiltin } from "../mounts/admin.ts";
import { describeMount } from "../mounts/describe.ts";
import { type Retirement, retireMount } from "../mounts/retire.ts";
import { isAuthMount } from "../mounts/table.ts";
import type { Services } from "../services.ts";
import { ENABLE_FIELDS, enableRequest, findMount, TUNE_FIELDS, tuneOperations } from "./mount-fields.ts";

/** `sys/mounts`: enabling, listing, tuning and disabling secrets engines. @see reference: mounts. */
export function mountPaths(services: Services): PathSpec[] {
  return [listPath(services), tunePath(services), onePath(services)];
}

/** The core's own backends, which are always mounted. */
const OWN: readonly (readonly [path: string, mount: JsonObject])[] = [
  ["cubbyhole/", ownMount("cubbyhole", "per-token private secret storage", { local: true })],
  ["identity/", ownMount("identity", "identity store", {})],
  [
    "sys/",
    ownMount("system", "system endpoints used for control, policy and debugging", { seal_wrap: true }),
  ],
];

function ownMount(type: string, description: string, differing: JsonObject): JsonObject {
  return {
    accessor: `${type}_00000000`,
    config: { default_lease_ttl: 0, force_no_cache: false, max_lease_ttl: 0 },
    description,
    external_entropy_access: false,
    local: false,
    options: null,
    plugin_version: "",
    running_plugin_version: "",
    running_sha256: "",
    seal_wrap: false,
    type,
    uuid: "00000000-0000-0000-0000-000000000000",
    ...differing,
  };
}

function listPath({ mounts }: Services): PathSpec {
  return path({
    pattern: "mounts",
    fields: {},
    help: { synopsis: "List the mounted secrets engines." },
    operations: {
      read: {
        summary: "List the mounted secrets engines.",
        handler: async () => {
          const entries = (await mounts.table.entries()).filter(
            (entry) => !entry.retired && !isAuthMount(entry),
          );
          const rows = entries.map((entry): [string, Json] => [entry.path, describeMount(entry)]);
          const sorted = [...rows, ...OWN].sort(([a], [b]) => (a < b ? -1 : 1));
          return { data: Object.fromEntries(sorted) };
        },
      },
    },
  });
}

function onePath(services: Services): PathSpec {
  return path({
    pattern: "mounts/*path",
    fields: ENABLE_FIELDS,
    help: { synopsis: "Enable, show or disable a secrets engine." },
    operations: {
      read: {
        summary: "Show one mount.",
        handler: async ({ values }) => ({ data: await show(services, values.path) }),
      },
      update: {
        summary: "Enable a secrets engine at a path.",
        handler: async ({ values }) => {
          await enableMount(services, enableRequest(values));
          return undefined;
        },
      },
      delete: {
        summary: "Disable a secrets engine: its leases are revoked, its data cleared.",
        handler: async ({ values }) => disable(services, values.path),
      },
    },
  });
}

async function show(services: Services, text: string): Promise<JsonObject> {
  const entry = await findMount(services, mountPathOf(text));
  if (entry === undefined || isAuthMount(entry)) {
    throw badRequest(`No secret engine mount at ${mountPathOf(text)}`);
  }
  return describeMount(entry);
}

async function disable(services: Services, text: string): Promise<Reply | undefined> {
  const mountPath = mountPathOf(text);
  refuseBuiltin(services.mounts, mountPath, "unmount");
  const retirement = await retireMount(services, mountPath);
  return retirement === null ? undefined : leftBehind(retirement);
}

/** The answer when leases of a disabled or moved mount could not be revoked yet. Undefined: none were left. */
export function leftBehind({ failed }: Retirement): Reply | undefined {
  const [first] = failed;
  if (first === undefined) return undefined;
  const text =
    `${failed.length} of its leases could not be revoked yet; this goes on in the background until they are gone. ` +
    `The first of them, ${first.record.id}: ${first.error}`;
  return { warnings: [text] };
}

function tunePath(services: Services): PathSpec {
  return path({
    pattern: "mounts/*path/tune",
    fields: TUNE_FIELDS,
    help: { synopsis: "Show or change a mount's settings." },
    operations: tuneOperations(services, ""),
  });
}
