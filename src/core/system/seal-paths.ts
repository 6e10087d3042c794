import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { BUILT, VERSION } from "../../contract/version.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { SealControl, SealState } from "./seal-control.ts";

/** `sys/init`, `seal-status`, `unseal`, `seal`, `health`, `leader`: bare answers, as Vault's. @see reference: init, seal, health. */
export function sealPaths(control: SealControl, now: () => number): PathSpec[] {
  return [
    initPath(control),
    statusPath(control),
    ...unsealPaths(control),
    healthPath(control, now),
    leaderPath(),
  ];
}

/** The body of seal-status and of an unseal's answer. */
function statusBody(state: SealState): JsonObject {
  const shares = state.initialized ? 1 : 0;
  return {
    type: state.sealType,
    initialized: state.initialized,
    sealed: state.sealed,
    t: shares,
    n: shares,
    progress: 0,
    nonce: "",
    version: VERSION,
    build_date: BUILT,
    migration: false,
    ...(state.sealed ? {} : { cluster_name: "vsec", cluster_id: state.storeId }),
    recovery_seal: false,
    storage_type: state.storageType,
  };
}

function initPath(control: SealControl): PathSpec {
  return path({
    pattern: "init",
    unauthenticated: true,
    fields: {
      seal: field.map({
        description: 'How the root key is kept: {"type": …}. By default the best this machine has.',
      }),
      secret_shares: field.int({ description: "Key shares; these seals keep one key whole.", default: 1 }),
      secret_threshold: field.int({ description: "Shares needed to unseal.", default: 1 }),
    },
    help: { synopsis: "Tell whether the store is initialised, or initialise it." },
    operations: {
      read: {
        summary: "Tell whether the store is initialised.",
        handler: async () => ({ bare: { initialized: (await control.state()).initialized } }),
      },
      update: {
        summary: "Initialise a new store.",
        handler: async ({ values }) => {
          if (values.secret_shares > 1 || values.secret_threshold > 1) {
            throw badRequest("secret_shares and secret_threshold must be 1: this seal keeps one key whole");
          }
          const type = values.seal.type;
          const { rootToken, seal } = await control.init(typeof type === "string" ? type : null);
          return { bare: { keys: [], keys_base64: [], root_token: rootToken, seal } };
        },
      },
    },
  });
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

function unsealPaths(control: SealControl): PathSpec[] {
  return [
    path({
      pattern: "unseal",
      unauthenticated: true,
      fields: {
        key: field.string({ description: "The passphrase.", sensitive: true }),
        reset: field.bool({ description: "Accepted; there is no progress to reset." }),
      },
      help: { synopsis: "Unseal the store." },
      operations: {
        update: {
          summary: "Unseal the store.",
          handler: async ({ values }) => {
            if (values.key === "" && !values.reset) {
              throw badRequest("'key' must be specified in request body as JSON, or 'reset' set to true");
            }
            if (values.key !== "") await control.unseal(values.key);
            return { bare: statusBody(await control.state()) };
          },
        },
      },
    }),
    path({
      pattern: "seal",
      sudo: true,
      fields: {},
      help: { synopsis: "Seal the store: what an unseal has left is forgotten." },
      operations: {
        update: {
          summary: "Seal the store.",
          handler: async () => {
            await control.seal();
            return undefined;
          },
        },
      },
    }),
  ];
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
