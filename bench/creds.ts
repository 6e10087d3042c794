import { existsSync } from "node:fs";
import { join } from "node:path";
import type { PostgresServer } from "../test/servers/postgres.ts";
import type { BenchContext } from "./context.ts";
import { type Candidate, interleave, median, programCandidate } from "./measure.ts";
import { compileProgram, ONE_STATEMENT } from "./programs.ts";
import { type Figure, type Ratio, timeRow } from "./report.ts";
import { type BenchWorld, benchWorld, CREDS_PATH } from "./world.ts";

const ROUNDS = 40;

/** Any well-formed verifier: the server does not look into it when a role is made. */
export const VERIFIER =
  "SCRAM-SHA-256$4096:AAAAAAAAAAAAAAAAAAAAAA==$6Gfb5fo1OyR6i8zzGWfuOa8Rz2Xy9u8W6k3BFAmVVhM=:V7MVcXTTuvwd1bkUo0ZUa9sGmXnO2OwBxEm3jTqiQCM=";

/** What the role's creation statements come to. */
export function createUser(name: string): string {
  return `CREATE ROLE "${name}" WITH LOGIN PASSWORD '${VERIFIER}' VALID UNTIL '2099-01-01 00:00:00+0000'`;
}

/** How long one credential takes, cold, beside `psql` and a bare program doing only the SQL of it with the same login. */
export async function credsFigure(context: BenchContext): Promise<Figure> {
  const server = await context.postgres();
  const bench = await benchWorld(server);
  try {
    const yardsticks = yardsticksOf(context, server, bench);
    const ours = programCandidate(`vsec read ${CREDS_PATH}`, () => ({
      command: [context.vsec, "read", CREDS_PATH],
      env: bench.env,
    }));
    const candidates = [ours, ...yardsticks.map(({ candidate }) => candidate)];
    const [first = [], ...others] = await interleave(candidates, ROUNDS);
    return {
      title: "creds: one credential, cold (scram-sha-256, PostgreSQL 18 that flushes to disk)",
      rows: candidates.map(({ label }, index) => timeRow(label, [first, ...others][index] ?? [])),
      ratios: yardsticks.map(
        ({ name, atMost }, index): Ratio => ({
          what: `vsec / ${name}`,
          value: median(first) / median(others[index] ?? []),
          ...(atMost === undefined ? {} : { atMost }),
        }),
      ),
    };
  } finally {
    bench.world.remove();
  }
}

interface Yardstick {
  readonly name: string;
  readonly atMost?: number;
  readonly candidate: Candidate;
}

function yardsticksOf(context: BenchContext, server: PostgresServer, bench: BenchWorld): Yardstick[] {
  const { username, password } = bench.admin;
  const env = {
    PGHOST: server.host,
    PGPORT: String(server.port),
    PGUSER: username,
    PGPASSWORD: password,
    PGDATABASE: "postgres",
  };
  const yardstick = (
    name: string,
    label: string,
    command: readonly string[],
    atMost?: number,
  ): Yardstick => ({
    name,
    ...(atMost === undefined ? {} : { atMost }),
    candidate: programCandidate(label, (round) => ({
      command: [...command, createUser(`v-${name.replaceAll(" ", "-")}-${round}`)],
      env,
    })),
  });
  const bare = compileProgram("one-statement", ONE_STATEMENT, join(context.directory, "programs"));
  const psql = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", "-c"];
  const found: Yardstick[] = [];
  const typed = Bun.which("psql");
  if (typed !== null) found.push(yardstick("psql", `psql (${typed})`, [typed, ...psql], 0.9));
  // Debian's psql is a script that looks for the right version; this is what it starts in the end.
  const [client] = ["18", "17", "16", "15"]
    .map((version) => `/usr/lib/postgresql/${version}/bin/psql`)
    .filter(existsSync);
  if (client !== undefined)
    found.push(yardstick("psql client", `the client alone (${client})`, [client, ...psql]));
  return [...found, yardstick("bare program", "a compiled program with pg, and no lease", [bare])];
}
