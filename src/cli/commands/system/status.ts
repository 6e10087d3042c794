import { VsecError } from "../../../base/errors.ts";
import { EXIT } from "../../../contract/exit-codes.ts";
import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, localFailure } from "../../failure.ts";
import { sealStatusOutcome } from "../../output/seal-status.ts";

/** Here the exit code tells whether the store is sealed, so that 2 cannot also mean that nobody answered. */
async function orLocalFailure<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof CommandFailure) && !(error instanceof VsecError)) throw error;
    throw localFailure(error.message, error);
  }
}

export const command = defineCommand({
  usage: "[options]",
  description: `
Shows the state of the store: its seal, its version, where it is kept. It needs no token.

The exit code tells the state: 0 unsealed, 2 sealed, 1 for any failure.`,
  flags: {},
  args: { min: 0, max: 0 },
  output: { format: true },
  requests: true,
  async run(context) {
    const ask = (path: string, what: string) =>
      orLocalFailure(
        context.send({ method: "GET", path }, { prefix: `Error checking ${what} status`, token: null }),
      );
    const status = dataOf(await ask("sys/seal-status", "seal"));
    const leader = dataOf(await ask("sys/leader", "leader"));
    return {
      outcomes: [sealStatusOutcome(status, leader)],
      exitCode: status.sealed === false ? EXIT.ok.code : EXIT.remote.code,
    };
  },
});
