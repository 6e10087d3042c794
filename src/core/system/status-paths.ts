import type { JsonObject } from "../../base/json.ts";
import { BUILT, VERSION } from "../../contract/version.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { SealControl, SealState } from "./seal-control.ts";

/** `sys/seal-status`, `health`, `leader`: bare answers, as Vault's, whatever the state. @see reference: health and leader. */
export function statusPaths(control: SealControl, now: () => number): PathSpec[] {
  return [statusPath(control), healthPath(control, now), leaderPath()];
}

/** The body of seal-status and of an unseal's answer. */
export function statusBody(state: SealState): JsonObject {
  return {
    type: state.sealType,
    initialized: state.initialized,
    sealed: state.sealed,
    t: state.threshold,
    n: state.shares,
    progress: state.progress,
    nonce: state.nonce,
    version: VERSION,
    build_date: BUILT,
    migration: false,
    ...(state.sealed ? {} : { cluster_name: "vsec", cluster_id: state.storeId }),
    recovery_seal: false,
    storage_type: state.storageType,
  };
}

function statusPath(control: SealControl): PathSpec {
  return path({
    pattern: "seal-status",
    unauthenticated: true,
    fields: {},
    help: { synopsis: "Show whether the store is sealed, and by what." },
    operations: {
      read: {
        summary: "Show the seal's status.",
        handler: async () => ({ bare: statusBody(await control.state()) }),
      },
    },
  });
}

function healthPath(control: SealControl, now: () => number): PathSpec {
  return path({
    pattern: "health",
    unauthenticated: true,
    fields: {
      sealedcode: field.int({ description: "The status for a sealed store.", default: 503 }),
      uninitcode: field.int({ description: "The status before init.", default: 501 }),
      activecode: field.int({ description: "The status of a working store.", default: 200 }),
    },
    help: { synopsis: "Show the store's health by the answer's status." },
    operations: {
      read: {
        summary: "Show the store's health.",
        handler: async ({ values }) => {
          const state = await control.state();
          const status = !state.initialized
            ? values.uninitcode
            : state.sealed
              ? values.sealedcode
              : values.activecode;
          return {
            status,
            bare: {
              initialized: state.initialized,
              sealed: state.sealed,
              standby: false,
              performance_standby: false,
              replication_performance_mode: "disabled",
              replication_dr_mode: "disabled",
              server_time_utc: Math.floor(now() / 1000),
              version: VERSION,
              enterprise: false,
              ...(state.sealed ? {} : { cluster_name: "vsec", cluster_id: state.storeId }),
            },
          };
        },
      },
    },
  });
}

function leaderPath(): PathSpec {
  return path({
    pattern: "leader",
    unauthenticated: true,
    fields: {},
    help: { synopsis: "Show the leader; there is one instance." },
    operations: {
      read: {
        summary: "Show the leader.",
        handler: async () => ({
          bare: {
            ha_enabled: false,
            is_self: false,
            active_time: "0001-01-01T00:00:00Z",
            leader_address: "",
            leader_cluster_address: "",
            performance_standby: false,
            performance_standby_last_remote_wal: 0,
          },
        }),
      },
    },
  });
}
