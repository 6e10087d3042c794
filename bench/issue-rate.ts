import { join } from "node:path";
import { type BulkServer, bulkMariadb, bulkPostgres } from "./bulk-users.ts";
import type { BenchContext } from "./context.ts";
import { startServer } from "./daemon.ts";
import { getMessage, type Load, measureLoads, messageLoad } from "./load.ts";
import type { Figure } from "./report.ts";
import { CREDS_PATH, tokenOf } from "./world.ts";

const READERS = 8;
const CREDENTIALS = 160;
const ROUNDS = 8;

/** How fast a daemon issues to several readers at once, beside the server's own rate for the statements of the role. */
export async function issueRateFigure(context: BenchContext): Promise<Figure> {
  const servers = [bulkPostgres(await context.postgres()), bulkMariadb(await context.mariadb())];
  const parts = [];
  for (const server of servers) parts.push(await measureServer(context, server));
  return {
    title: `issue-rate: ${READERS} readers of ${CREDS_PATH} at once, through the daemon's socket`,
    rows: parts.flatMap(({ rows }) => rows),
    ratios: parts.flatMap(({ ratios }) => ratios),
  };
}

async function measureServer(
  context: BenchContext,
  server: BulkServer,
): Promise<Pick<Figure, "rows" | "ratios">> {
  const bench = await server.newWorld(READERS);
  const daemon = await startServer([context.vsec, "daemon"], bench.env);
  try {
    const place = { path: join(bench.world.store, "daemon.sock") };
    const message = getMessage(CREDS_PATH, tokenOf(bench));
    const ours = await messageLoad(`${server.title}: vsec daemon`, place, message, {
      pieces: CREDENTIALS,
      connections: READERS,
    });
    const makers = await server.makers(bench, READERS);
    let made = 0;
    const own: Load = {
      label: `${server.title}: the same statements, ${READERS} connections`,
      clients: makers.map((maker) => () => {
        made += 1;
        return maker.make(`v-own-${made}`);
      }),
      pieces: CREDENTIALS,
      close: () => {
        for (const maker of makers) void maker.close();
      },
    };
    const { rates, rows } = await measureLoads([ours, own], ROUNDS);
    const [ourRate = 0, ownRate = 1] = rates;
    return {
      rows,
      ratios: [{ what: `${server.title}: vsec's rate / the server's own`, value: ourRate / ownRate }],
    };
  } finally {
    await daemon.stop();
    bench.world.remove();
  }
}
