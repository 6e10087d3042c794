import type { BenchContext } from "./context.ts";
import { interleave, median, programCandidate } from "./measure.ts";
import { type Figure, timeRow } from "./report.ts";

const ROUNDS = 60;

/** How long the shortest command takes, beside a compiled program that prints one line. */
export async function versionFigure(context: BenchContext): Promise<Figure> {
  const oneLine = context.oneLine();
  const [ours = [], theirs = []] = await interleave(
    [
      programCandidate("vsec version", () => ({ command: [context.vsec, "version"] })),
      programCandidate("one line", () => ({ command: [oneLine] })),
    ],
    ROUNDS,
  );
  return {
    title: "version: the shortest command, cold",
    rows: [timeRow("vsec version", ours), timeRow("a program of one line, compiled the same way", theirs)],
    ratios: [{ what: "vsec / program", value: median(ours) / median(theirs), atMost: 1.5 }],
  };
}
