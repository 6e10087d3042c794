import { type BulkServer, bulkMariadb, bulkPostgres } from "./bulk-users.ts";
import type { BenchContext } from "./context.ts";
import { BenchFailed, type Candidate, interleave, median, runProgram } from "./measure.ts";
import { type Figure, formatMs, formatRate } from "./report.ts";
import { addLeases, type BenchWorld, CREDS_PATH, leaseKind, openInstance, tokenOf } from "./world.ts";

const LEASES = Number(process.env.VSEC_BENCH_LEASES ?? 10_000);
/** Where one takes half a second, what else the machine does shows. (Elsewhere it takes a minute.) */
const SHORT_ROUNDS = 5;
const DEFAULT_CONNECTIONS = 4;
const HOUR_MS = 3600_000;

/** How fast the leases below a prefix end, beside the same plan by hand, in batches over one connection. */
export async function massRevokeFigure(context: BenchContext): Promise<Figure> {
  const postgres = await context.postgres();
  const parts = [
    await measureServer(context, bulkPostgres(postgres), 1),
    await measureServer(context, bulkPostgres(postgres, "superuser"), SHORT_ROUNDS),
    await measureServer(context, bulkMariadb(await context.mariadb()), 1),
  ];
  return {
    title: `mass-revoke: ${LEASES.toLocaleString("en")} leases by their prefix`,
    rows: parts.flatMap(({ rows }) => rows),
    ratios: parts.flatMap(({ ratios }) => ratios),
  };
}

async function measureServer(
  context: BenchContext,
  server: BulkServer,
  rounds: number,
): Promise<Pick<Figure, "rows" | "ratios">> {
  const bench = await server.newWorld(DEFAULT_CONNECTIONS);
  try {
    const candidates = [ownCandidate(context, server, bench), handCandidate(server, bench)];
    const [ours = [], hand = []] = await interleave(candidates, rounds, 0);
    const rates = [ours, hand].map((samples) => LEASES / (median(samples) / 1000));
    const [ourRate = 0, handRate = 1] = rates;
    return {
      rows: candidates.map(({ label }, index) => ({
        what: label,
        value: `${formatRate(rates[index] ?? 0)} (${formatMs(median([ours, hand][index] ?? []))})`,
      })),
      ratios: [
        { what: `${server.title}: vsec's rate / the hand's`, value: ourRate / handRate, atLeast: 0.8 },
      ],
    };
  } finally {
    bench.world.remove();
  }
}

const namesOf = (prefix: string): string[] =>
  Array.from({ length: LEASES }, (_, index) => `${prefix}${index}`);

function ownCandidate(context: BenchContext, server: BulkServer, bench: BenchWorld): Candidate {
  return {
    label: `${server.title}: vsec lease revoke -sync -prefix`,
    turn: async (round) => {
      const prefix = `v-lease-${round}-`;
      await server.make(bench, namesOf(prefix));
      const instance = openInstance(bench);
      try {
        const kind = await leaseKind(instance, tokenOf(bench));
        await addLeases(kind, LEASES, (index) => `${prefix}${index}`, Date.now() + HOUR_MS);
      } finally {
        await instance.close();
      }
      const command = [context.vsec, "lease", "revoke", "-sync", "-prefix", CREDS_PATH];
      return { run: () => runProgram({ command, env: bench.env }), after: () => requireNone(server, prefix) };
    },
  };
}

function handCandidate(server: BulkServer, bench: BenchWorld): Candidate {
  return {
    label: `${server.title}: the same plan by hand, in batches over one connection`,
    turn: async (round) => {
      const prefix = `v-hand-${round}-`;
      const names = namesOf(prefix);
      await server.make(bench, names);
      return { run: () => server.drop(bench, names), after: () => requireNone(server, prefix) };
    },
  };
}

async function requireNone(server: BulkServer, prefix: string): Promise<void> {
  const left = await server.count(prefix);
  if (left > 0) throw new BenchFailed(`${left} users of ${server.title} were left behind`);
}
