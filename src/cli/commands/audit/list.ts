import { isJsonObject, type Json, type JsonObject } from "../../../base/json.ts";
import { EXIT } from "../../../contract/exit-codes.ts";
import { defineCommand } from "../../command.ts";
import { mountsOf } from "../../mount-list.ts";
import { type Cell, sentence } from "../../outcome.ts";
import { compareKeys, plainValue, sortedDeep } from "../../output/plain-values.ts";

/** The order of a device's keys in JSON, and what stands for an absent one. */
const JSON_KEYS: readonly (readonly [string, Json])[] = [
  ["type", ""],
  ["description", ""],
  ["options", null],
  ["local", false],
  ["path", ""],
];

function optionsText(device: JsonObject): string {
  const options = isJsonObject(device.options) ? device.options : {};
  const keys = Object.keys(options).sort(compareKeys);
  return keys.map((key) => `${key}=${plainValue(options[key] ?? null)}`).join(" ");
}

function row(path: string, device: JsonObject, isDetailed: boolean): readonly Cell[] {
  const basic = [path, plainValue(device.type ?? ""), plainValue(device.description ?? "")];
  if (!isDetailed) return basic;
  return [...basic, device.local === true ? "local" : "replicated", optionsText(device)];
}

const COLUMNS = ["Path", "Type", "Description"] as const;

export const command = defineCommand({
  usage: "[options]",
  description: `
Lists the enabled audit devices by path. Where there is none, the exit code is 2.

    $ vsec audit list -detailed`,
  flags: {},
  args: { min: 0, max: 0 },
  output: { format: true, detailed: true },
  requests: true,
  async run(context) {
    const response = await context.send(
      { method: "GET", path: "sys/audit" },
      { prefix: "Error listing audits" },
    );
    const devices = mountsOf(response);
    const { format, detailed } = context.options;
    if (devices.length === 0 && format === "table")
      return { ...sentence("No audit devices are enabled."), exitCode: EXIT.remote.code };
    const shape = (device: JsonObject): JsonObject =>
      Object.fromEntries(JSON_KEYS.map(([key, absent]) => [key, sortedDeep(device[key] ?? absent)]));
    return {
      outcomes: [
        {
          show: "table",
          header: detailed ? [...COLUMNS, "Replication", "Options"] : COLUMNS,
          rows: devices.map(([path, device]) => row(path, device, detailed)),
          data: Object.fromEntries(devices.map(([path, device]) => [path, shape(device)])),
        },
      ],
    };
  },
});
