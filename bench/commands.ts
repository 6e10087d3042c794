import type { BenchContext } from "./context.ts";
import { BenchFailed, interleave, median, programCandidate } from "./measure.ts";
import { type Figure, timeRow } from "./report.ts";
import { type BenchWorld, benchWorld, CREDS_PATH, openInstance, tokenOf } from "./world.ts";

const ROUNDS = 40;
const READS = 300;

/** Commands that ask the store only, and how fast credentials are issued once everything is loaded. */
export async function commandsFigure(context: BenchContext): Promise<Figure> {
  const bench = await benchWorld(await context.postgres());
  const oneLine = context.oneLine();
  try {
    const lease = await bench.world.json<{ lease_id: string }>(`read ${CREDS_PATH}`);
    const candidates = [
      ["vsec lease lookup", [context.vsec, "lease", "lookup", lease.lease_id]],
      ["vsec status", [context.vsec, "status"]],
      ["a program of one line, compiled the same way", [oneLine]],
    ] as const;
    const samples = await interleave(
      candidates.map(([label, command]) => programCandidate(label, () => ({ command, env: bench.env }))),
      ROUNDS,
    );
    const [lookup = [], status = [], base = []] = samples;
    return {
      title: "commands: the store alone, cold; and credentials one after the other in one process",
      rows: [
        ...candidates.map(([label], index) => timeRow(label, samples[index] ?? [])),
        {
          what: "credentials issued in one process",
          value: `${(await issueRate(bench)).toFixed(0)} a second`,
        },
      ],
      ratios: [
        { what: "vsec lease lookup / program", value: median(lookup) / median(base) },
        { what: "vsec status / program", value: median(status) / median(base) },
      ],
    };
  } finally {
    bench.world.remove();
  }
}

async function issueRate(bench: BenchWorld): Promise<number> {
  const instance = openInstance(bench);
  const token = tokenOf(bench);
  const read = async () => {
    const { status } = await instance.handle({ method: "GET", path: CREDS_PATH, token });
    if (status !== 200) throw new BenchFailed(`reading ${CREDS_PATH}: status ${status}`);
  };
  try {
    await read();
    const start = performance.now();
    for (let count = 0; count < READS; count += 1) await read();
    return READS / ((performance.now() - start) / 1000);
  } finally {
    await instance.close();
  }
}
