import { readVariable } from "../../../contract/environment.ts";
import { defineCommand } from "../../command.ts";
import { LOG_LEVELS } from "../../context.ts";
import { localFailure } from "../../failure.ts";

const FORMATS = ["standard", "json"] as const;

export const command = defineCommand({
  usage: "[options]",
  description: `
Revokes leases as they expire, and does what else falls due, until it is told to stop by SIGINT or SIGTERM. Logs go to standard error.

From a timer instead of as a service:

    $ vsec daemon -once`,
  flags: {
    once: { kind: "bool", text: "Do what is due now, and end." },
    "log-level": {
      kind: "string",
      words: LOG_LEVELS,
      text: `The least serious messages to log: ${LOG_LEVELS.join(", ")}. Absent: info.`,
      env: "VSEC_LOG_LEVEL",
    },
    "log-format": {
      kind: "string",
      words: FORMATS,
      text: `How to log: ${FORMATS.join(" or ")}. Absent: standard.`,
      env: "VSEC_LOG_FORMAT",
    },
    store: { kind: "string", text: "Directory of the store to use.", env: "VSEC_STORE" },
  },
  args: { min: 0, max: 0 },
  output: {},
  requests: false,
  async run({ world, options }, flags) {
    const level = flags["log-level"] ?? readVariable(world.env, "VSEC_LOG_LEVEL") ?? "info";
    const logLevel = LOG_LEVELS.find((known) => known === level);
    if (logLevel === undefined) {
      const valid = `[${LOG_LEVELS.join(" ")}]`;
      throw localFailure(`${level} is an unknown log level. Valid log levels are: ${valid}`);
    }
    const format = flags["log-format"] ?? readVariable(world.env, "VSEC_LOG_FORMAT") ?? "standard";
    const logFormat = FORMATS.find((known) => known === format);
    if (logFormat === undefined)
      throw localFailure(`${format} is an unknown log format. Valid log formats are: [${FORMATS.join(" ")}]`);
    const exitCode = await world.runDaemon({
      once: flags.once,
      logLevel,
      logFormat,
      ...(options.storeDir === undefined ? {} : { storeDir: options.storeDir }),
    });
    return { outcomes: [], exitCode };
  },
});
