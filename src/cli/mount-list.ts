import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import type { ApiResponse } from "../contract/wire.ts";
import { dataOf } from "./answers.ts";
import { answer, type Cell, type Result } from "./outcome.ts";
import { compareKeys, plainValue, sortedDeep } from "./output/plain-values.ts";

/** A column of a list of mounts: its header, and the cell of a mount. */
export interface MountColumn {
  readonly header: string;
  cell(path: string, mount: JsonObject): Cell;
}

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

const textColumn = (header: string, key: string): MountColumn => ({
  header,
  cell: (_path, mount) => plainValue(mount[key] ?? ""),
});

const flagColumn = (header: string, key: string): MountColumn => ({
  header,
  cell: (_path, mount) => String(mount[key] === true),
});

const configOf = (mount: JsonObject): JsonObject => (isJsonObject(mount.config) ? mount.config : {});

const ttlColumn = (header: string, key: string): MountColumn => ({
  header,
  cell(_path, mount) {
    if (TYPES_WITHOUT_TTL.some((type) => type === mount.type)) return "n/a";
    const seconds = configOf(mount)[key] ?? 0;
    return seconds === 0 ? "system" : plainValue(seconds);
  },
});

const PATH: MountColumn = { header: "Path", cell: (path) => path };
const ACCESSOR = textColumn("Accessor", "accessor");
const DESCRIPTION = textColumn("Description", "description");
const VERSION = textColumn("Version", "plugin_version");
const FORCE_NO_CACHE: MountColumn = {
  header: "Force No Cache",
  cell: (_path, mount) => String(configOf(mount).force_no_cache === true),
};
const TOKEN_TYPE: MountColumn = {
  header: "Token Type",
  cell: (_path, mount) => plainValue(configOf(mount).token_type ?? ""),
};

/** The columns of `-detailed`, which differ in one between the two kinds of mount. */
const detailedColumns = (own: MountColumn): readonly MountColumn[] => [
  PATH,
  textColumn("Plugin", "type"),
  ACCESSOR,
  ttlColumn("Default TTL", "default_lease_ttl"),
  ttlColumn("Max TTL", "max_lease_ttl"),
  own,
  { header: "Replication", cell: (_path, mount) => (mount.local === true ? "local" : "replicated") },
  flagColumn("Seal Wrap", "seal_wrap"),
  flagColumn("External Entropy Access", "external_entropy_access"),
  { header: "Options", cell: (_path, mount) => plainValue(mount.options ?? {}) },
  DESCRIPTION,
  textColumn("UUID", "uuid"),
  VERSION,
  textColumn("Running Version", "running_plugin_version"),
  textColumn("Running SHA256", "running_sha256"),
  textColumn("Deprecation Status", "deprecation_status"),
];

const BASIC: readonly MountColumn[] = [PATH, textColumn("Type", "type"), ACCESSOR, DESCRIPTION];

/** The columns of `secrets list`. */
export const SECRETS_COLUMNS = { basic: BASIC, detailed: detailedColumns(FORCE_NO_CACHE) } as const;

/** The columns of `auth list`; only this one tells the version without being asked for details. */
export const AUTH_COLUMNS = { basic: [...BASIC, VERSION], detailed: detailedColumns(TOKEN_TYPE) } as const;

/** The mounts of an answer, by path. Keys that are no mounts stand beside them in Vault's answers. */
export function mountsOf(response: ApiResponse): readonly (readonly [string, JsonObject])[] {
  return Object.entries(dataOf(response))
    .filter((entry): entry is [string, JsonObject] => entry[0].endsWith("/") && isJsonObject(entry[1]))
    .sort(([a], [b]) => compareKeys(a, b));
}

/** A table of mounts, and for programs an object of all their settings by path. */
export function mountList(response: ApiResponse, columns: readonly MountColumn[]): Result {
  const mounts = mountsOf(response);
  return answer({
    show: "table",
    header: columns.map(({ header }) => header),
    rows: mounts.map(([path, mount]) => columns.map(({ cell }) => cell(path, mount))),
    data: Object.fromEntries(mounts.map(([path, mount]) => [path, jsonShape(mount)])),
  });
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
