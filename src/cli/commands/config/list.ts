import { readVariable } from "../../../contract/environment.ts";
import { SETTINGS } from "../../../contract/settings.ts";
import { defineCommand } from "../../command.ts";
import { answer } from "../../outcome.ts";
import { readSettings, settingsPath } from "../../settings/read.ts";

export const command = defineCommand({
  usage: "[options]",
  description: `
Lists every setting, what is in force, and which environment variable it stands in for. A variable wins over a setting, and a flag over both.`,
  flags: {},
  args: { min: 0, max: 0 },
  output: { format: true },
  requests: false,
  run({ world: { env } }) {
    const path = settingsPath(env);
    const settings = readSettings(path);
    const rows = SETTINGS.map(({ name, variable }) => {
      const set = settings.get(name);
      const inForce = readVariable(env, variable);
      const from = inForce === undefined ? "" : inForce === set ? path : "environment";
      return { name, value: inForce ?? "", from, variable };
    });
    return Promise.resolve(
      answer({
        show: "table",
        header: ["Setting", "Value", "From", "Variable"],
        rows: rows.map(({ name, value, from, variable }) => [name, value, from, variable]),
        data: Object.fromEntries(rows.map(({ name, ...rest }) => [name, rest])),
      }),
    );
  },
});
