import { formatGoDuration } from "../../../base/duration.ts";
import { isJsonObject, type JsonObject } from "../../../base/json.ts";
import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { localFailure } from "../../failure.ts";
import { answer, type Cell, type Outcome } from "../../outcome.ts";
import { render } from "../../output/render.ts";
import { dataPath } from "../../paths.ts";

const PAGE = 1000;
const LIMIT_DEFAULT = 1000;
const REFRESH_MS = 2000;
/** Cursor to the first line, and all that was there is cleared. @see ECMA-48, CUP and ED. */
const CLEAR_SCREEN = "\u001b[H\u001b[2J";

export const command = defineCommand({
  usage: "[options] [PREFIX]",
  description: `
Lists leases, those that end first at the top: the time that is left, what the backend calls the credential, the process that the lease is for, and its label.

    $ vsec lease list
    $ vsec lease list database/creds/readonly
    $ vsec lease list -watch`,
  flags: {
    limit: { kind: "int", text: `The most leases to show. Default ${LIMIT_DEFAULT}.` },
    watch: { kind: "bool", text: "Show the list again and again, until Ctrl-C. Needs a terminal." },
  },
  args: { min: 0, max: 1 },
  output: { format: true },
  requests: true,
  async run(context, flags, [first]) {
    const limit = flags.limit ?? LIMIT_DEFAULT;
    if (limit < 1) throw localFailure("-limit must be at least 1");
    const prefix = first === undefined ? "" : dataPath(first);
    if (flags.watch) await watch(context, prefix, limit);
    return answer(await list(context, prefix, limit));
  },
});

/** Redraws until the process is ended: there is nothing to undo. */
async function watch(context: CommandContext, prefix: string, limit: number): Promise<never> {
  const { stdout, clock } = context.world;
  if (!stdout.isTTY || context.options.format !== "table")
    throw localFailure("-watch needs a terminal, and -format=table");
  const noSignal = new AbortController().signal;
  for (;;) {
    const outcome = await list(context, prefix, limit);
    const { stdout: text } = await render(outcome, { format: "table", newlineAfterField: true });
    await stdout.write(CLEAR_SCREEN + text);
    await clock.sleep(REFRESH_MS, noSignal);
  }
}

async function list(context: CommandContext, prefix: string, limit: number): Promise<Outcome> {
  const { leases, isAll } = await fetchLeases(context, prefix, limit);
  const sorted = leases.sort((a, b) => Number(a.ttl) - Number(b.ttl));
  if (!isAll) await context.note(`Only ${leases.length} of the leases are shown; see -limit.`);
  if (context.options.format === "table" && sorted.length === 0)
    return { show: "line", text: "No leases.", when: "table" };
  return {
    show: "table",
    header: ["Lease", "Left", "Principal", "Process", "Label", "State"],
    rows: sorted.map(rowOf),
    data: sorted,
  };
}

async function fetchLeases(
  context: CommandContext,
  prefix: string,
  limit: number,
): Promise<{ readonly leases: JsonObject[]; readonly isAll: boolean }> {
  const leases: JsonObject[] = [];
  const path = prefix === "" ? "sys/leases/details" : `sys/leases/details/${prefix}`;
  let after = "";
  do {
    const query = { limit: String(Math.min(PAGE, limit - leases.length)), after };
    const response = await context.send({ method: "GET", path, query }, { prefix: "Error listing leases" });
    const { leases: page, next } = dataOf(response);
    leases.push(...(Array.isArray(page) ? page.filter(isJsonObject) : []));
    after = typeof next === "string" ? next : "";
  } while (after !== "" && leases.length < limit);
  return { leases, isAll: after === "" };
}

function rowOf(lease: JsonObject): readonly Cell[] {
  const { id, ttl, principal, label, state, owner_pid: pid, owner_host: host } = lease;
  const left = Number(ttl);
  return [
    String(id),
    left > 0 ? formatGoDuration(left) : "overdue",
    text(principal),
    pid === undefined ? "" : `${pid}@${host}`,
    text(label),
    state === undefined ? "active" : text(state),
  ];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
