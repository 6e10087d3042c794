import { defineCommand } from "../../command.ts";
import { remoteFailure } from "../../failure.ts";
import { answer } from "../../outcome.ts";
import { settingNamed } from "../../settings/check.ts";
import { readSettings, settingsPath } from "../../settings/read.ts";

export const command = defineCommand({
  usage: "NAME",
  description: `
Prints a setting. What is not set is not printed, and ends with exit code 2.`,
  flags: {},
  args: { min: 1, max: 1 },
  output: {},
  requests: false,
  run({ world: { env } }, _flags, [name = ""]) {
    const value = readSettings(settingsPath(env)).get(settingNamed(name).name);
    if (value === undefined) throw remoteFailure(`${name} is not set`);
    return Promise.resolve(answer({ show: "line", text: value, when: "always" }));
  },
});
