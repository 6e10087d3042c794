import { isJsonObject, type Json, type JsonObject } from "../../../base/json.ts";
import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { answer, type Cell } from "../../outcome.ts";
import { compareKeys, plainValue, sortedDeep } from "../../output/plain-values.ts";

const COLUMNS = ["Path", "Type", "Accessor", "Description"] as const;
const DETAILED_COLUMNS = [
  "Path",
  "Plugin",
  "Accessor",
  "Default TTL",
  "Max TTL",
  "Force No Cache",
  "Replication",
  "Seal Wrap",
  "External Entropy Access",
  "Options",
  "Description",
  "UUID",
  "Version",
  "Running Version",
  "Running SHA256",
  "Deprecation Status",
] as const;

/** The order of a mount's keys in JSON, and what stands for an absent one. */
const JSON_KEYS: readonly (readonly [string, Json])[] = [
  ["uuid", ""],
  ["type", ""],
  ["description", ""],
  ["accessor", ""],
  ["config", {}],
  ["options", null],
  ["local", false],
  ["seal_wrap", false],
  ["external_entropy_access", false],
  ["plugin_version", ""],
  ["running_plugin_version", ""],
  ["running_sha256", ""],
  ["deprecation_status", ""],
];

/** Types whose leases have no TTL of their own. */
const TYPES_WITHOUT_TTL = ["system", "cubbyhole"];

function detailedRow(path: string, mount: JsonObject): readonly Cell[] {
  const text = (key: string): string => plainValue(mount[key] ?? "");
  const flag = (value: Json | undefined): string => String(value === true);
  const config = isJsonObject(mount.config) ? mount.config : {};
  const ttl = (key: string): string => {
    if (TYPES_WITHOUT_TTL.includes(text("type"))) return "n/a";
    const seconds = config[key] ?? 0;
    return seconds === 0 ? "system" : plainValue(seconds);
  };
  return [
    path,
    text("type"),
    text("accessor"),
    ttl("default_lease_ttl"),
    ttl("max_lease_ttl"),
    flag(config.force_no_cache),
    mount.local === true ? "local" : "replicated",
    flag(mount.seal_wrap),
    flag(mount.external_entropy_access),
    plainValue(mount.options ?? {}),
    text("description"),
    text("uuid"),
    text("plugin_version"),
    text("running_plugin_version"),
    text("running_sha256"),
    text("deprecation_status"),
  ];
}

const CONFIG_KEYS_FIRST = ["default_lease_ttl", "max_lease_ttl", "force_no_cache"] as const;

function configShape(value: Json | undefined): JsonObject {
  const config = isJsonObject(value) ? value : {};
  const first = CONFIG_KEYS_FIRST.map((key) => [key, config[key] ?? (key === "force_no_cache" ? false : 0)]);
  const rest = Object.entries(config).filter(([key]) => !CONFIG_KEYS_FIRST.some((name) => name === key));
  return Object.fromEntries([...first, ...rest]) as JsonObject;
}

function jsonShape(mount: JsonObject): JsonObject {
  const entries = JSON_KEYS.map(([key, absent]): [string, Json] => [
    key,
    key === "config" ? configShape(mount.config) : sortedDeep(mount[key] ?? absent),
  ]);
  return Object.fromEntries(entries);
}

export const command = defineCommand({
  usage: "[options]",
  description: `
Lists the enabled secrets engines by path.

    $ vsec secrets list -detailed`,
  flags: {},
  args: { min: 0, max: 0 },
  output: { format: true, detailed: true },
  requests: true,
  async run(context) {
    const response = await context.send(
      { method: "GET", path: "sys/mounts" },
      { prefix: "Error listing secrets engines" },
    );
    const mounts = Object.entries(dataOf(response))
      .filter((entry): entry is [string, JsonObject] => entry[0].endsWith("/") && isJsonObject(entry[1]))
      .sort(([a], [b]) => compareKeys(a, b));
    const isDetailed = context.options.detailed;
    const rows = mounts.map(([path, mount]): readonly Cell[] =>
      isDetailed
        ? detailedRow(path, mount)
        : [path, ...["type", "accessor", "description"].map((key) => plainValue(mount[key] ?? ""))],
    );
    const data = Object.fromEntries(mounts.map(([path, mount]) => [path, jsonShape(mount)]));
    return answer({ show: "table", header: isDetailed ? DETAILED_COLUMNS : COLUMNS, rows, data });
  },
});
