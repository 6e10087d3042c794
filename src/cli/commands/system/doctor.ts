import { EXIT } from "../../../contract/exit-codes.ts";
import { defineCommand } from "../../command.ts";
import type { FindingState } from "../../doctor/finding.ts";
import { machineFindings } from "../../doctor/machine-findings.ts";
import { storeFindings } from "../../doctor/store-findings.ts";

const SHOWN: Readonly<Record<FindingState, string>> = { ok: "ok", note: "note", problem: "PROBLEM" };

export const command = defineCommand({
  usage: "[options]",
  description: `
Looks at all that can keep credentials from ending when they should, or secrets from staying secret: the store and its seal, the daemon, the clock, the token, work that is overdue, leases that cannot be revoked, and what this machine and this shell do.

The exit code is 0 when nothing needs a hand, and 1 when something does. Notes change nothing about it.`,
  flags: {},
  args: { min: 0, max: 0 },
  output: { format: true },
  requests: true,
  async run(context) {
    const findings = [...(await storeFindings(context)), ...(await machineFindings(context.world))];
    const isFine = findings.every(({ state }) => state !== "problem");
    return {
      outcomes: [
        {
          show: "table",
          header: ["Check", "State", "Finding"],
          rows: findings.map(({ check, state, text }) => [check, SHOWN[state], text]),
          data: findings.map(({ check, state, text }) => ({ check, state, finding: text })),
        },
      ],
      exitCode: isFine ? EXIT.ok.code : EXIT.local.code,
    };
  },
});
