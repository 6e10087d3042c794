import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { answer } from "../../outcome.ts";
import { keyStatusOutcome } from "../../output/key-status.ts";

export const command = defineCommand({
  usage: "[options]",
  description: `
Shows the encryption key that new data is written with: its term, since when, and how often it was used.`,
  flags: {},
  args: { min: 0, max: 0 },
  output: { format: true },
  requests: true,
  async run(context) {
    const response = await context.send(
      { method: "GET", path: "sys/key-status" },
      { prefix: "Error reading key status" },
    );
    return answer(keyStatusOutcome(dataOf(response)));
  },
});
