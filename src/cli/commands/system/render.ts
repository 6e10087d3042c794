import { messageOf } from "../../../base/errors.ts";
import { systemProcesses } from "../../../platform/processes.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { localFailure } from "../../failure.ts";
import type { Flags, FlagValues } from "../../flags.ts";
import { answer, type Result } from "../../outcome.ts";
import { PRIVATE_MODE, parseMode, runAfter, writeRendered } from "../../render/target.ts";
import { STATIC_INTERVAL_MS, watchTemplates } from "../../render/watch.ts";
import { Credentials } from "../../run/credentials.ts";
import { EndingSignals } from "../../run/ending-signals.ts";
import { commandEnvironment } from "../../run/gifts.ts";
import { type Part, parseTemplate, renderParts } from "../../run/reference.ts";
import { STDIN_BYTES_MAX } from "../../streams.ts";

const FLAGS = {
  out: {
    kind: "string",
    aliases: ["o"],
    text: "The file to write, in one step. Absent: standard output.",
  },
  perms: { kind: "string", text: "The file's permissions. Absent: 0600." },
  watch: {
    kind: "bool",
    text: "Stay: renew the leases, render again when one cannot be renewed or a value has changed, and run COMMAND after each change. The leases are revoked at the end. It needs -out.",
  },
  interval: {
    kind: "duration",
    text: "How often -watch looks at values that have no lease. Absent: 5m.",
  },
} as const satisfies Flags;

export const command = defineCommand({
  usage: "[options] TEMPLATE [-- COMMAND [ARGUMENTS...]]",
  description: `Put values into a template: {{ path#field }} stands for one.

    $ vsec render app.conf.tpl
    $ vsec render -out=app.conf app.conf.tpl
    $ vsec render -watch -out=app.conf app.conf.tpl -- systemctl reload app

TEMPLATE is a file, or - for standard input. {{{{ stands for two braces. Every path is read once, so all fields of a credential are of the same one. Without -watch a credential lives as long as its lease; with it, as long as this command.`,
  flags: FLAGS,
  args: { min: 1 },
  output: {},
  requests: true,
  async run(context, flags, [template = "", ...after]) {
    const parts = await readParts(context, template);
    const mode = modeOf(flags.perms);
    if (flags.watch) return watch(context, flags, { parts, mode, after });
    if (after.length > 0) throw localFailure("a command is run by -watch only");
    const credentials = new Credentials(context, { label: "render" });
    try {
      const text = await renderParts(parts, (reference) => credentials.value(reference));
      if (flags.out === undefined) await context.world.stdout.write(text);
      else await writeRendered(flags.out, text, mode);
    } catch (error) {
      await credentials.giveBack();
      throw error;
    }
    return answer({ show: "nothing" });
  },
});

async function readParts({ world, sources }: CommandContext, path: string): Promise<readonly Part[]> {
  const shown = path === "-" ? "standard input" : path;
  try {
    const text = path === "-" ? await sources.stdin.readAll(STDIN_BYTES_MAX) : await world.readFile(path);
    return parseTemplate(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const text = messageOf(error);
    throw localFailure(text.startsWith("open ") ? text : `${shown}:${text}`, error);
  }
}

function modeOf(text: string | undefined): number {
  try {
    return text === undefined ? PRIVATE_MODE : parseMode(text);
  } catch (error) {
    throw localFailure(`-perms: ${messageOf(error)}`, error);
  }
}

interface Watched {
  readonly parts: readonly Part[];
  readonly mode: number;
  readonly after: readonly string[];
}

async function watch(
  context: CommandContext,
  flags: FlagValues<typeof FLAGS>,
  { parts, mode, after }: Watched,
): Promise<Result> {
  const { out } = flags;
  if (out === undefined) throw localFailure("-watch needs -out");
  const ending = new EndingSignals();
  const owner = systemProcesses().self();
  const credentials = new Credentials(context, { label: "render", ...(owner === null ? {} : { owner }) });
  const note = (text: string): void => void context.note(`vsec: ${text}`);
  try {
    await watchTemplates({
      credentials,
      clock: context.world.clock,
      signal: ending.signal,
      intervalMs: (flags.interval ?? 0) * 1000 || STATIC_INTERVAL_MS,
      onFailure: note,
      async render() {
        const text = await renderParts(parts, (reference) => credentials.value(reference));
        if (!(await writeRendered(out, text, mode)) || after.length === 0) return;
        const problem = await runAfter(after, commandEnvironment(context.world.env, {}), ending.signal);
        if (problem !== null) note(problem);
      },
    });
  } finally {
    for (const problem of await credentials.giveBack()) note(`not revoked yet, and due: ${problem}`);
    ending.close();
  }
  return { outcomes: [], ...(ending.by === undefined ? {} : { signal: ending.by }) };
}
