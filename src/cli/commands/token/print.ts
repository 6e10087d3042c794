import { defineCommand } from "../../command.ts";
import { sentence } from "../../outcome.ts";
import { resolveToken } from "../../token-helper.ts";

export const command = defineCommand({
  usage: "",
  description: `
Prints the token that commands use: VSEC_TOKEN, VAULT_TOKEN, or the token file. An empty line if there is none.`,
  flags: {},
  output: {},
  requests: false,
  ignoresArguments: true,
  run: async (context) => sentence((await resolveToken(context.world.env)) ?? ""),
});
