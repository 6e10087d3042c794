import type { JsonObject } from "../../base/json.ts";
import type { Cell, Outcome } from "../outcome.ts";
import { plainValue } from "./plain-values.ts";

type Row = readonly [string, Cell];

const has = (status: JsonObject, key: string): boolean => {
  const value = status[key];
  return value !== undefined && value !== null && value !== "" && value !== 0;
};

/** The state of the seal, and of the node where it is known, in Vault's rows and key order. */
export function sealStatusOutcome(status: JsonObject, leader?: JsonObject): Outcome {
  return {
    show: "table",
    header: ["Key", "Value"],
    rows: [...sealRows(status), ...(leader === undefined ? [] : leaderRows(status, leader))],
    data: statusShape(status, leader),
  };
}

function sealRows(status: JsonObject): readonly Row[] {
  const text = (key: string): string => plainValue(status[key] ?? null);
  const rows: Row[] = [["Seal Type", text("type")]];
  const isRecovery = status.recovery_seal === true;
  if (isRecovery && has(status, "recovery_seal_type"))
    rows.push(["Recovery Seal Type", text("recovery_seal_type")]);
  rows.push(
    ["Initialized", text("initialized")],
    ["Sealed", text("sealed")],
    [isRecovery ? "Total Recovery Shares" : "Total Shares", text("n")],
    ["Threshold", text("t")],
  );
  if (status.sealed === true) {
    rows.push(
      ["Unseal Progress", `${text("progress")}/${text("t")}`],
      ["Unseal Nonce", plainValue(status.nonce ?? "")],
    );
  }
  if (status.migration === true) rows.push(["Seal Migration in Progress", "true"]);
  rows.push(
    ["Version", plainValue(status.version ?? "")],
    ["Build Date", plainValue(status.build_date ?? "")],
    ["Storage Type", plainValue(status.storage_type ?? "")],
  );
  if (has(status, "cluster_name")) rows.push(["Cluster Name", text("cluster_name")]);
  if (has(status, "cluster_id")) rows.push(["Cluster ID", text("cluster_id")]);
  return rows;
}

function leaderRows(status: JsonObject, leader: JsonObject): readonly Row[] {
  const isHa = leader.ha_enabled === true;
  const rows: Row[] = [["HA Enabled", String(isHa)]];
  if (isHa && status.sealed !== true) {
    rows.push(["HA Cluster", plainValue(leader.leader_cluster_address ?? "")]);
    rows.push(["HA Mode", leader.is_self === true ? "active" : "standby"]);
    if (leader.is_self === true) rows.push(["Active Since", plainValue(leader.active_time ?? "")]);
    else rows.push(["Active Node Address", plainValue(leader.leader_address ?? "") || "<none>"]);
  }
  return rows;
}

function statusShape(status: JsonObject, leader: JsonObject | undefined): JsonObject {
  const optional = (source: JsonObject, key: string): JsonObject =>
    has(source, key) ? { [key]: source[key] ?? null } : {};
  return {
    type: status.type ?? "",
    initialized: status.initialized ?? false,
    sealed: status.sealed ?? true,
    t: status.t ?? 0,
    n: status.n ?? 0,
    progress: status.progress ?? 0,
    nonce: status.nonce ?? "",
    version: status.version ?? "",
    build_date: status.build_date ?? "",
    migration: status.migration ?? false,
    ...optional(status, "cluster_name"),
    ...optional(status, "cluster_id"),
    recovery_seal: status.recovery_seal ?? false,
    ...optional(status, "storage_type"),
    ...(leader === undefined
      ? {}
      : {
          ha_enabled: leader.ha_enabled ?? false,
          ...optional(leader, "is_self"),
          active_time: leader.active_time ?? "0001-01-01T00:00:00Z",
          ...optional(leader, "leader_address"),
          ...optional(leader, "leader_cluster_address"),
        }),
  };
}
