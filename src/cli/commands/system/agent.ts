import { constants } from "node:os";
import { HclError } from "../../../base/hcl/error.ts";
import { systemProcesses } from "../../../platform/processes.ts";
import { runAgent } from "../../agent/agent.ts";
import { type AgentConfig, parseAgentConfig } from "../../agent/config.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { localFailure } from "../../failure.ts";
import { EndingSignals } from "../../run/ending-signals.ts";

const SIGNAL_BASE = 128;

export const command = defineCommand({
  usage: "[options] -config=FILE",
  description: `Log in, keep the token renewed, and render templates or run a process with secrets, as a configuration file says.

    $ vsec agent -config=agent.hcl

The file has the form that Vault's agent reads, in HCL or JSON: vault, auto_auth with the methods approle, jwt and token_file and the sink file, template, template_config, env_template and exec. What is not supported is refused with its line and column.

The leases of templates are renewed, and read anew when that is refused; they are revoked when the agent ends, unless it was to exit after its login.`,
  flags: {
    config: { kind: "string", text: "The configuration file." },
    "exit-after-auth": {
      kind: "bool",
      text: "Log in, fill the sinks, render every template once, and end.",
    },
  },
  args: { min: 0, max: 0 },
  output: {},
  requests: true,
  async run(context, flags) {
    if (flags.config === undefined || flags.config === "")
      throw localFailure("Must specify exactly at least one config path using -config");
    const read = await readConfig(context, flags.config);
    const config = flags["exit-after-auth"] ? { ...read, exitsAfterAuth: true } : read;
    const owner = config.exitsAfterAuth ? null : systemProcesses().self();
    const purpose = { label: "agent", ...(owner === null ? {} : { owner }) };
    const ending = new EndingSignals();
    try {
      await context.note("==> vsec agent started");
      const end = await runAgent(context, config, purpose, ending.signal);
      if (end === null) return { outcomes: [] };
      const exitCode = end.signal === null ? (end.code ?? 1) : SIGNAL_BASE + constants.signals[end.signal];
      return { outcomes: [], exitCode };
    } finally {
      ending.close();
    }
  },
});

async function readConfig(context: CommandContext, path: string): Promise<AgentConfig> {
  try {
    return parseAgentConfig(await context.world.readFile(path));
  } catch (error) {
    if (error instanceof HclError)
      throw localFailure(`${path}:${error.line}:${error.column}: ${error.reason}`, error);
    if (error instanceof SyntaxError) throw localFailure(error.message, error);
    throw error;
  }
}
