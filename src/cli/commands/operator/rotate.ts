import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { answer, tableSentence } from "../../outcome.ts";
import { keyStatusOutcome } from "../../output/key-status.ts";

export const command = defineCommand({
  usage: "[options]",
  description: `
Adds a new encryption key. What is written from now on is encrypted with it; older data stays readable.`,
  flags: {},
  args: { min: 0, max: 0 },
  output: { format: true },
  requests: true,
  async run(context) {
    await context.send({ method: "POST", path: "sys/rotate" }, { prefix: "Error rotating key" });
    const response = await context.send(
      { method: "GET", path: "sys/key-status" },
      { prefix: "Error reading key status" },
    );
    return answer(tableSentence("Success! Rotated key\n"), keyStatusOutcome(dataOf(response)));
  },
});
