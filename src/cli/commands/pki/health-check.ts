import { messageOf } from "../../../base/errors.ts";
import { type Json, type JsonObject, parseJson } from "../../../base/json.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { localFailure } from "../../failure.ts";
import type { Result } from "../../outcome.ts";
import { sortedDeep } from "../../output/plain-values.ts";
import { plainTable } from "../../output/table.ts";
import { dataPath } from "../../paths.ts";
import { HEALTH_CHECKS } from "../../pki/health/checks.ts";
import { exitCodeFor, type Finding, INDICATORS, STATUS_CODES } from "../../pki/health/finding.ts";
import { MountView } from "../../pki/health/mount-view.ts";
import { isYes, mergedSettings, SettingsReader } from "../../pki/health/settings.ts";

export const command = defineCommand({
  usage: "[options] MOUNT",
  description: `
Looks for what may become a problem with a pki mount, and says what to do about it. It only reads, with the rights of the
token.

    $ vsec pki health-check pki

The exit code is that of the worst finding: 2 for informational, 3 for a warning, 4 for critical, 5 where the server is of a
version that a check does not know, 6 where the token may not read; 0 when there is nothing. 1 is an error of the command.`,
  flags: {
    "health-config": {
      kind: "string",
      text: "A JSON file with settings of the checks; -list shows all there are.",
    },
    "return-indicator": {
      kind: "string",
      words: ["default", "informational", "warning", "critical", "permission"],
      text: "The least status that makes an exit code other than 0.",
    },
    "default-disabled": { kind: "bool", text: "Run only checks that the file enables." },
    list: { kind: "bool", text: "Show the checks and their settings, and run none." },
  },
  output: { format: true },
  requests: true,
  async run(context, flags, args) {
    const [mount = ""] = args;
    if (dataPath(mount) === "") throw localFailure("Not enough arguments (expected mount path, got nothing)");
    if (args.length > 1)
      throw localFailure(`Too many arguments (expected only mount path, got ${args.length} arguments)`);
    const indicator = flags["return-indicator"] ?? "default";
    if (!Object.hasOwn(INDICATORS, indicator))
      throw localFailure(`Bad value for -return-indicator: ${indicator}`);
    const file = await settingsFile(context, flags["health-config"]);
    const defaults = Object.fromEntries(HEALTH_CHECKS.map((check) => [check.name, check.defaults]));
    const settings = mergedSettings(defaults, file, flags["default-disabled"]);
    if (flags.list) return listed(settings);
    const view = new MountView(context, dataPath(mount));
    const results: [string, readonly Finding[]][] = [];
    for (const check of HEALTH_CHECKS) {
      const own = settings[check.name] ?? check.defaults;
      if (isYes(own.enabled))
        results.push([check.name, await check.run(view, new SettingsReader(check.name, own))]);
    }
    return reported(results, indicator);
  },
});

async function settingsFile({ sources }: CommandContext, file: string | undefined): Promise<Json> {
  if (file === undefined || file === "") return {};
  try {
    return parseJson(await sources.readFile(file));
  } catch (error) {
    throw localFailure(`the health check configuration cannot be read: ${messageOf(error)}`, error);
  }
}

function listed(settings: JsonObject): Result {
  const data = sortedDeep(settings);
  const text = `Default health check config:\n${JSON.stringify(data, null, 2)}`;
  return { outcomes: [{ show: "text", text, data }] };
}

async function reported(
  results: readonly (readonly [string, readonly Finding[]])[],
  indicator: string,
): Promise<Result> {
  const data = Object.fromEntries(
    results.map(([name, findings]) => [
      name,
      findings.map(({ status, endpoint, message }) => ({
        status_code: STATUS_CODES[status],
        status,
        endpoint,
        message,
      })),
    ]),
  );
  const parts = await Promise.all(results.map(([name, findings]) => checkText(name, findings)));
  const all = results.flatMap(([, findings]) => findings);
  return {
    outcomes: [{ show: "text", text: parts.join("\n\n"), data }],
    exitCode: exitCodeFor(all, indicator),
  };
}

async function checkText(name: string, findings: readonly Finding[]): Promise<string> {
  const rows = findings.map(({ status, endpoint, message }) => [status, endpoint, message]);
  const table = await plainTable(["status", "endpoint", "message"], rows);
  return `${name}\n${"-".repeat(name.length)}\n${table}`;
}
