import { statSync } from "node:fs";
import { join } from "node:path";
import { formatGoDuration } from "../../base/duration.ts";
import { messageOf, VsecError } from "../../base/errors.ts";
import { isJsonObject, type JsonObject } from "../../base/json.ts";
import { dataOf } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../failure.ts";
import { type Finding, fine, note, problem } from "./finding.ts";

/** Clocks that differ by less agree. */
const CLOCK_SKEW_MS_MAX = 5000;
/** What is due is done within seconds where somebody looks after it. */
const LAG_SECONDS_MAX = 60;
/** As many of the leases that cannot be revoked are named. */
const NAMED_MAX = 3;

const IRREVOCABLE = { type: "irrevocable" };

/** How the store stands: whether it opens, who looks after it, and what waits. Later checks need the earlier ones. */
export async function storeFindings(context: CommandContext): Promise<readonly Finding[]> {
  const findings = [await seal(context)];
  if (findings[0]?.state === "problem") return findings;
  const checks = [daemon, clock, token, overdueWork, irrevocableLeases];
  for (const check of checks) findings.push(await check(context));
  return findings;
}

/** The answer's data. @throws what {@link CommandContext.send} throws. */
async function ask(context: CommandContext, path: string, query: JsonObject = {}): Promise<JsonObject> {
  return dataOf(await context.send({ method: "GET", path, query }, { prefix: "" }));
}

/** What a check found, or why it could not look. */
async function looking(name: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof CommandFailure && error.status === 403)
      return note(name, "not looked at: this token may not ask");
    if (error instanceof CommandFailure || error instanceof VsecError) return problem(name, oneLine(error));
    throw error;
  }
}

function oneLine(error: Error): string {
  return messageOf(error).split("\n").filter(Boolean).at(-1)?.replace(/^\* /, "") ?? "";
}

async function seal(context: CommandContext): Promise<Finding> {
  return looking("store", async () => {
    const status = await ask(context, "sys/seal-status");
    if (status.initialized !== true)
      return problem("store", "there is none yet: run `vsec operator init` to make one");
    if (status.sealed !== false)
      return problem(
        "store",
        "it is sealed, and nothing is revoked until it is unsealed: run `vsec operator unseal`",
      );
    const type = typeof status.type === "string" ? status.type : "unknown";
    return fine("store", `unsealed; its key is kept by: ${type}`);
  });
}

async function daemon(context: CommandContext): Promise<Finding> {
  const where = (await context.client()).url("").replace(/\/v1\/$/, "");
  if (!where.startsWith("vsec://local")) return fine("daemon", `it answers at ${where}`);
  const text =
    "none answers: what expires ends with the next command; run `vsec daemon`, or `vsec daemon -once` from cron";
  return note("daemon", text);
}

async function clock(context: CommandContext): Promise<Finding> {
  return looking("clock", async () => {
    const now = context.world.clock.now();
    const health = await ask(context, "sys/health");
    const theirs = Number(health.server_time_utc ?? 0) * 1000;
    if (Math.abs(theirs - now) > CLOCK_SKEW_MS_MAX + 1000)
      return problem("clock", "the daemon's clock and this machine's differ: leases end by the daemon's");
    if (lastWrite(context.world.storeDirectory(context.options)) > now + CLOCK_SKEW_MS_MAX)
      return problem(
        "clock",
        "the store was written in the future: the clock was set back, and leases end late",
      );
    return fine("clock", "it agrees with the store");
  });
}

/** When the store's files were last written, in milliseconds since the epoch; 0 where they are not to be seen. */
function lastWrite(directory: string): number {
  const times = ["store.db", "store.db-wal"].map((name) => {
    try {
      return statSync(join(directory, name)).mtimeMs;
    } catch {
      return 0; // Another machine's store, or another user's.
    }
  });
  return Math.max(...times);
}

async function token(context: CommandContext): Promise<Finding> {
  return looking("token", async () => {
    try {
      const { ttl, policies } = await ask(context, "auth/token/lookup-self");
      const names = Array.isArray(policies) ? policies.join(", ") : "";
      const seconds = typeof ttl === "number" ? ttl : 0;
      const life = seconds === 0 ? "it does not expire" : `it expires in ${formatGoDuration(seconds)}`;
      return fine("token", `${life}; policies: ${names}`);
    } catch (error) {
      if (!(error instanceof CommandFailure) || error.status !== 403) throw error;
      return problem("token", "there is none, or it is not valid any more: run `vsec login`");
    }
  });
}

async function overdueWork(context: CommandContext): Promise<Finding> {
  return looking("due work", async () => {
    const { Gauges: gauges } = await ask(context, "sys/metrics");
    const list = Array.isArray(gauges) ? gauges.filter(isJsonObject) : [];
    const lag = Number(list.find(({ Name }) => Name === "vsec.due.lag_seconds")?.Value ?? 0);
    if (lag <= LAG_SECONDS_MAX) return fine("due work", "nothing waits");
    const since = formatGoDuration(Math.round(lag));
    return problem(
      "due work",
      `the oldest has been waiting for ${since}: run \`vsec daemon\`, and see its log`,
    );
  });
}

async function irrevocableLeases(context: CommandContext): Promise<Finding> {
  return looking("leases", async () => {
    const { lease_count: count } = await ask(context, "sys/leases/count", IRREVOCABLE);
    if (count === 0) return fine("leases", "none that cannot be revoked");
    const { leases } = await ask(context, "sys/leases", IRREVOCABLE);
    const named = (Array.isArray(leases) ? leases.filter(isJsonObject) : [])
      .slice(0, NAMED_MAX)
      .map(({ lease_id, error }) => `${lease_id} (${error})`);
    return problem("leases", `${count} cannot be revoked, and are tried again for ever: ${named.join("; ")}`);
  });
}
