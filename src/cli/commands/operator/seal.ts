import { defineCommand } from "../../command.ts";
import { sentence } from "../../outcome.ts";

export const command = defineCommand({
  usage: "[options]",
  description: `
Seals the store: nothing can be read or written before it is unsealed again.`,
  flags: {},
  args: { min: 0, max: 0 },
  output: {},
  requests: true,
  async run(context) {
    await context.send({ method: "PUT", path: "sys/seal" }, { prefix: "Error sealing" });
    return sentence("Success! Vault is sealed.");
  },
});
