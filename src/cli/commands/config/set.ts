import { defineCommand } from "../../command.ts";
import { sentence } from "../../outcome.ts";
import { checkedValue, settingNamed } from "../../settings/check.ts";
import { settingsPath } from "../../settings/read.ts";

export const command = defineCommand({
  usage: "NAME VALUE",
  description: `
Sets a default for this user's commands. There is none for tokens and keys, and none that turns a check off.

    $ vsec config set address https://vsec.example:8200
    $ vsec config set format json`,
  flags: {},
  args: { min: 2, max: 2 },
  output: {},
  requests: false,
  async run({ world: { env } }, _flags, [name = "", given = ""]) {
    const value = checkedValue(settingNamed(name), given);
    const { openSettings } = await import("../../settings/write.ts");
    (await openSettings(settingsPath(env))).set(name, value);
    return sentence(`Success! ${name} is now ${value}`);
  },
});
