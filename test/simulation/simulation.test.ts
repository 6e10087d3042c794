import { expect, test } from "bun:test";
import { MUTANTS } from "./defects.ts";
import { type Outcome, runSchedule } from "./schedule.ts";

const RUNS = Number(process.env.VSEC_SIM_RUNS ?? 3000);
const FIRST_SEED = 1;
/** How many schedules a broken system may survive. */
const MUTANT_RUNS_MAX = 3000;
const FAILURES_SHOWN_MAX = 5;

function report({ seed, violation, journal, faults }: Outcome): string {
  const lines = [
    `seed ${seed}: ${violation?.detail}`,
    `replay: VSEC_SIM_SEED=${seed} scripts/bun test test/simulation`,
    `faults: ${JSON.stringify(faults)}`,
    ...journal,
  ];
  return lines.join("\n");
}

if (process.env.VSEC_SIM_SEED !== undefined) {
  const seed = Number(process.env.VSEC_SIM_SEED);
  test(`schedule ${seed} keeps every promise`, async () => {
    // Loading a module takes turns that no seed decides: the first run has all of them loaded.
    await runSchedule(seed);
    const outcome = await runSchedule(seed);
    expect(outcome.violation === null ? "" : report(outcome)).toBe("");
  }, 60_000);
} else {
  test(`${RUNS} schedules of crashes, lost answers, slow databases and odd clocks keep every promise`, async () => {
    const broken: string[] = [];
    const sums = { crashes: 0, issued: 0, looks: 0 };
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS && broken.length < FAILURES_SHOWN_MAX; seed += 1) {
      const outcome = await runSchedule(seed);
      if (outcome.violation !== null) broken.push(report(outcome));
      sums.crashes += outcome.figures.crashes;
      sums.issued += outcome.figures.issued;
      sums.looks += outcome.figures.looks;
    }
    expect(broken.join("\n\n")).toBe("");
    // The schedules do something: processes die, credentials are issued, the promises are looked at.
    expect(sums.crashes).toBeGreaterThan(RUNS / 10);
    expect(sums.issued).toBeGreaterThan(RUNS);
    expect(sums.looks).toBeGreaterThan(RUNS * 5);
  }, 1_200_000);

  test("schedules that are preflights for the most part keep every promise", async () => {
    const broken: string[] = [];
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS / 5; seed += 1) {
      const outcome = await runSchedule(seed, { preflights: 0.5 });
      if (outcome.violation !== null) broken.push(report(outcome));
    }
    expect(broken.slice(0, FAILURES_SHOWN_MAX).join("\n\n")).toBe("");
  }, 300_000);

  test("a schedule is decided by its seed alone", async () => {
    for (const seed of [8, 11, 13]) {
      const [first, second] = [await runSchedule(seed), await runSchedule(seed)];
      expect(second).toEqual(first);
    }
  });

  test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    "the simulation notices %s",
    async (_name, { breaks, defects }) => {
      const found = new Set<string>();
      for (let seed = 1; seed <= MUTANT_RUNS_MAX && !found.has(breaks); seed += 1) {
        const { violation } = await runSchedule(seed, defects);
        if (violation !== null) found.add(violation.promise);
      }
      expect([...found]).toContain(breaks);
    },
    120_000,
  );
}
