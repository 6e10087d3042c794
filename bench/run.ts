/**
 * The benchmarks: `scripts/bun bench/run.ts [--binary FILE] [NAME...]`. Each figure compares with a yardstick that is
 * measured in the same run, in turns with it. A missed target is said and fails nothing: that is for people to judge.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { awsRevokeFigure } from "./aws-revoke.ts";
import { certificatesFigure } from "./certificates.ts";
import { commandsFigure } from "./commands.ts";
import { type BenchContext, openContext } from "./context.ts";
import { credsFigure } from "./creds.ts";
import { daemonStartFigure } from "./daemon-start.ts";
import { httpFigure } from "./http.ts";
import { issueRateFigure } from "./issue-rate.ts";
import { kvFigure } from "./kv.ts";
import { massRevokeFigure } from "./mass-revoke.ts";
import { policiesFigure } from "./policies.ts";
import { describeMachine, type Figure, formatFigure } from "./report.ts";
import { revokeFigure } from "./revoke.ts";
import { transitFigure } from "./transit.ts";
import { versionFigure } from "./version.ts";

const FIGURES: Readonly<Record<string, (context: BenchContext) => Promise<Figure>>> = {
  version: versionFigure,
  creds: credsFigure,
  commands: commandsFigure,
  revoke: revokeFigure,
  "mass-revoke": massRevokeFigure,
  "issue-rate": issueRateFigure,
  "aws-revoke": awsRevokeFigure,
  "daemon-start": daemonStartFigure,
  http: httpFigure,
  policies: policiesFigure,
  transit: transitFigure,
  kv: kvFigure,
  certificates: certificatesFigure,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { binary: { type: "string", default: resolve(import.meta.dirname, "..", "dist", "vsec") } },
});
const unknown = positionals.filter((name) => !Object.hasOwn(FIGURES, name));
if (unknown.length > 0) {
  process.stderr.write(`no figure ${unknown.join(", ")}; there are: ${Object.keys(FIGURES).join(", ")}\n`);
  process.exitCode = 1;
} else {
  await runFigures(positionals.length === 0 ? Object.keys(FIGURES) : positionals);
}

async function runFigures(names: readonly string[]): Promise<void> {
  process.stdout.write(`${describeMachine()}\n`);
  const context = openContext(resolve(values.binary));
  try {
    for (const name of names) {
      const figure = await FIGURES[name]?.(context);
      if (figure !== undefined) process.stdout.write(`\n${formatFigure(figure)}`);
    }
  } finally {
    await context.close();
  }
}
