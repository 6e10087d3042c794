import type { PostgresServer } from "../test/servers/postgres.ts";
import type { BenchContext } from "./context.ts";
import { VERIFIER } from "./creds.ts";
import { BenchFailed, type Candidate, interleave, median, runProgram } from "./measure.ts";
import { type Figure, formatMs } from "./report.ts";
import { addLeases, type BenchWorld, benchWorld, leaseKind, openInstance, tokenOf } from "./world.ts";

const LEASES = 5000;
/** The loop takes minutes: what it does for each role takes the server longer the more roles there are. */
const ROUNDS = 1;

/** How fast a flood of expired leases ends, beside a loop that drops equal roles over one connection and does nothing else. */
export async function revokeFigure(context: BenchContext): Promise<Figure> {
  const server = await context.postgres();
  const bench = await benchWorld(server);
  try {
    const candidates = [daemonCandidate(context, server, bench), loopCandidate(server, bench)];
    const [ours = [], loop = []] = await interleave(candidates, ROUNDS, 0);
    const [oursRate, loopRate] = [LEASES / (median(ours) / 1000), LEASES / (median(loop) / 1000)];
    const count = LEASES.toLocaleString("en");
    return {
      title: `revoke: ${count} leases that have expired (an administrator with CREATEROLE and nothing else)`,
      rows: [
        { what: "vsec daemon -once", value: `${oursRate.toFixed(0)} a second (${formatMs(median(ours))})` },
        {
          what: "a loop of the same statements",
          value: `${loopRate.toFixed(0)} a second (${formatMs(median(loop))})`,
        },
      ],
      ratios: [{ what: "vsec's rate / the loop's", value: oursRate / loopRate, atLeast: 0.8 }],
    };
  } finally {
    bench.world.remove();
  }
}

const ROLES_PER_TRANSACTION = 500;

/**
 * Makes the roles in bulk. The superuser does it, since each role that an administrator makes takes the server longer than
 * the one before; the administrator gets the same rights as if it had made them.
 */
async function makeRoles(server: PostgresServer, { admin }: BenchWorld, prefix: string): Promise<void> {
  for (let start = 0; start < LEASES; start += ROLES_PER_TRANSACTION) {
    await server.query(`DO $$ BEGIN FOR i IN ${start}..${start + ROLES_PER_TRANSACTION - 1} LOOP
      EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L VALID UNTIL ''2099-01-01''', '${prefix}' || i, '${VERIFIER}');
      EXECUTE format('GRANT %I TO %I WITH ADMIN TRUE, INHERIT FALSE, SET FALSE', '${prefix}' || i, '${admin.username}');
    END LOOP; END $$`);
  }
}

async function rolesLeft(server: PostgresServer, prefix: string): Promise<number> {
  const rows = await server.query("SELECT 1 FROM pg_roles WHERE starts_with(rolname, $1)", [prefix]);
  return rows.length;
}

function daemonCandidate(context: BenchContext, server: PostgresServer, bench: BenchWorld): Candidate {
  return {
    label: "vsec daemon -once",
    turn: async (round) => {
      const prefix = `v-root-lease-${round}-`;
      await makeRoles(server, bench, prefix);
      const instance = openInstance(bench);
      try {
        const kind = await leaseKind(instance, tokenOf(bench));
        await addLeases(kind, LEASES, (index) => `${prefix}${index}`, Date.now() - 60_000);
      } finally {
        await instance.close();
      }
      return {
        run: () => runProgram({ command: [context.vsec, "daemon", "-once"], env: bench.env }),
        after: async () => {
          const left = await rolesLeft(server, prefix);
          if (left > 0) throw new BenchFailed(`the daemon left ${left} roles behind`);
        },
      };
    },
  };
}

function loopCandidate(server: PostgresServer, bench: BenchWorld): Candidate {
  return {
    label: "loop",
    turn: async (round) => {
      const prefix = `v-root-loop-${round}-`;
      await makeRoles(server, bench, prefix);
      const client = await server.connect({ user: bench.admin.username, password: bench.admin.password });
      return {
        run: async () => {
          for (let index = 0; index < LEASES; index += 1)
            await client.query(dropStatements(`${prefix}${index}`));
        },
        after: async () => {
          await client.end();
          const left = await rolesLeft(server, prefix);
          if (left > 0) throw new BenchFailed(`the loop left ${left} roles behind`);
        },
      };
    },
  };
}

/** One message, which the server carries out as one transaction: a plain loop cannot do with less. */
function dropStatements(name: string): string {
  return `ALTER ROLE "${name}" NOLOGIN;
    GRANT "${name}" TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${name}';
    DROP ROLE "${name}"`;
}
