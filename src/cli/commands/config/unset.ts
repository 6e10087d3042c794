import { defineCommand } from "../../command.ts";
import { sentence } from "../../outcome.ts";
import { settingNamed } from "../../settings/check.ts";
import { settingsPath } from "../../settings/read.ts";

export const command = defineCommand({
  usage: "NAME",
  description: `
Takes a setting away.`,
  flags: {},
  args: { min: 1, max: 1 },
  output: {},
  requests: false,
  async run({ world: { env } }, _flags, [name = ""]) {
    settingNamed(name);
    const { openSettings } = await import("../../settings/write.ts");
    (await openSettings(settingsPath(env))).delete(name);
    return sentence(`Success! ${name} is not set`);
  },
});
