import { statSync } from "node:fs";
import { join } from "node:path";
import type { BenchContext } from "./context.ts";
import { residentBytes, type Server, startServer } from "./daemon.ts";
import { BenchFailed, type Candidate, interleave, median, type Samples } from "./measure.ts";
import { type Figure, formatBytes, formatMs, timeRow } from "./report.ts";
import { addLeases, type BenchWorld, benchWorld, leaseKind, openInstance, tokenOf } from "./world.ts";

const LEASES = 1_000_000;
const ROUNDS = 15;
/** Ten years: nothing of it falls due while this runs. */
const FAR_MS = 10 * 365 * 86_400_000;
/** After its start the daemon looks for work and for leases that cannot be revoked; then it only waits. */
const SETTLE_MS = 500;
const SAME = 1.2;

/** Whether the daemon's start depends on how many leases there are. */
export async function daemonStartFigure(context: BenchContext): Promise<Figure> {
  const server = await context.postgres();
  const [empty, full] = [await benchWorld(server), await benchWorld(server)];
  try {
    const startedAt = performance.now();
    await fill(full, LEASES);
    const fillMs = performance.now() - startedAt;
    const storeBytes = statSync(join(full.world.store, "store.db")).size;
    const memory: number[][] = [[], []];
    const [without = [], withLeases = []] = await interleave(
      [empty, full].map((world, index) => daemonCandidate(context, world, memory[index] ?? [])),
      ROUNDS,
    );
    const [low = [], high = []] = memory.map((list): Samples => list.sort((a, b) => a - b));
    const count = LEASES.toLocaleString("en");
    return {
      title: "daemon-start: from the command to `started`, and the memory then held",
      rows: [
        timeRow("start with 0 leases", without),
        timeRow(`start with ${count} leases`, withLeases),
        { what: "memory with 0 leases", value: formatBytes(median(low)) },
        { what: `memory with ${count} leases`, value: formatBytes(median(high)) },
        { what: "the full store", value: `${formatBytes(storeBytes)}, written in ${formatMs(fillMs)}` },
      ],
      ratios: [
        { what: "start, full / empty", value: median(withLeases) / median(without), atMost: SAME },
        { what: "memory, full / empty", value: median(high) / median(low), atMost: SAME },
      ],
    };
  } finally {
    empty.world.remove();
    full.world.remove();
  }
}

async function fill(bench: BenchWorld, count: number): Promise<void> {
  const instance = openInstance(bench);
  try {
    const kind = await leaseKind(instance, tokenOf(bench));
    const expiresAt = Date.now() + FAR_MS;
    await addLeases(kind, count, (index) => `v-root-readonly-${index}`, expiresAt);
  } finally {
    await instance.close();
  }
}

function daemonCandidate(context: BenchContext, bench: BenchWorld, memory: number[]): Candidate {
  return {
    label: "vsec daemon",
    turn: () => {
      let daemon: Server | undefined;
      return {
        run: async () => {
          daemon = await startServer([context.vsec, "daemon"], bench.env);
        },
        after: async () => {
          if (daemon === undefined) throw new BenchFailed("the daemon did not start");
          await Bun.sleep(SETTLE_MS);
          memory.push(residentBytes(daemon.pid));
          await daemon.stop();
        },
      };
    },
  };
}
