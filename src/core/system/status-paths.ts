import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { BUILT, VERSION } from "../../contract/version.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { SealControl, SealState } from "./seal-control.ts";

/** `sys/seal-status`, `health`, `leader`: bare answers, as Vault's, whatever the state. @see reference: health and leader. */
export function statusPaths(control: SealControl, now: () => number): PathSpec[] {
  return [statusPath(control), healthPath(control, now), leaderPath(), stepDownPath()];
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

/** The statuses that a caller may choose. A store here is never a standby, so what stands for one is read and not used. */
const HEALTH_FIELDS = {
  activecode: statusField("The status of a working store.", 200),
  sealedcode: statusField("The status for a sealed store.", 503),
  uninitcode: statusField("The status before init.", 501),
  standbycode: statusField("The status of a standby, which no store here is.", 429),
  drsecondarycode: statusField("The status of a disaster recovery secondary, which no store here is.", 472),
  performancestandbycode: statusField("The status of a performance standby, which no store here is.", 473),
  standbyok: field.bool({ description: "A standby, which no store here is, answers as an active one does." }),
  perfstandbyok: field.bool({
    description: "A performance standby, which no store here is, answers as an active one does.",
  }),
};

const STATUS_CODE_MIN = 200;
/** Load balancers are told about states by statuses that HTTP gives no meaning, Vault's own 472 among them. */
const STATUS_CODE_MAX = 999;

function statusField(description: string, status: number) {
  return field.int({ description, default: status });
}

/** @throws ApiError 400 for a number that is no status of an answer. */
function checkStatuses(given: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === "number" && (value < STATUS_CODE_MIN || value > STATUS_CODE_MAX))
      throw badRequest(`${name} must be a status from ${STATUS_CODE_MIN} to ${STATUS_CODE_MAX}`);
  }
}

function healthPath(control: SealControl, now: () => number): PathSpec {
  return path({
    pattern: "health",
    unauthenticated: true,
    fields: HEALTH_FIELDS,
    help: { synopsis: "Show the store's health by the answer's status." },
    operations: {
      read: {
        summary: "Show the store's health.",
        handler: async ({ values, given }) => {
          checkStatuses(given);
          const state = await control.state();
          const status = !state.initialized
            ? values.uninitcode
            : state.sealed
              ? values.sealedcode
              : values.activecode;
          return { status, bare: healthBody(state, now()) };
        },
      },
    },
  });
}

function healthBody({ initialized, sealed, storeId }: SealState, nowMs: number): JsonObject {
  return {
    initialized,
    sealed,
    standby: false,
    performance_standby: false,
    replication_performance_mode: "disabled",
    replication_dr_mode: "disabled",
    server_time_utc: Math.floor(nowMs / 1000),
    version: VERSION,
    enterprise: false,
    ...(sealed ? {} : { cluster_name: "vsec", cluster_id: storeId }),
  };
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

/** As in Vault where nobody could take over: there is nothing to step down from, and that is no failure. */
function stepDownPath(): PathSpec {
  return path({
    pattern: "step-down",
    sudo: true,
    fields: {},
    help: { synopsis: "Give up being the leader; there is one instance, which stays." },
    operations: { update: { summary: "Do nothing.", handler: async () => undefined } },
  });
}
