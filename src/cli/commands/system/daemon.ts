import { hasCode, messageOf } from "../../../base/errors.ts";
import { type Env, readVariable } from "../../../contract/environment.ts";
import { defineCommand } from "../../command.ts";
import { type DaemonOptions, LOG_LEVELS } from "../../context.ts";
import { localFailure } from "../../failure.ts";
import type { Flags, FlagValues } from "../../flags.ts";

const FORMATS = ["standard", "json"] as const;
const DEV_LISTEN_ADDRESS = "127.0.0.1:8200";

const LISTEN_FLAGS = {
  socket: {
    kind: "string",
    text: "The unix socket to listen on. Absent: daemon.sock in the store's directory, where commands of the same store find it.",
  },
  "socket-group": {
    kind: "string",
    text: "A group, by name or number, whose members may use the socket. It needs -socket.",
  },
  listen: {
    kind: "list",
    text: "An address to listen on beside the socket, as host:port. May be repeated. Without a certificate only addresses of the loopback interface are allowed.",
  },
  "tls-cert-file": {
    kind: "string",
    text: "A PEM file with the certificate for -listen. Read again on SIGHUP.",
  },
  "tls-key-file": { kind: "string", text: "A PEM file with the key of that certificate." },
  "tls-client-ca-file": {
    kind: "string",
    text: "A PEM file with authorities: clients must show a certificate of one of them.",
  },
  "tls-disable": {
    kind: "bool",
    text: "Let -listen speak plain HTTP on other than loopback addresses. Whoever sees the network sees every secret.",
  },
  "no-listen": { kind: "bool", text: "Serve nobody: only do what falls due." },
} as const satisfies Flags;

const DEV_FLAGS = {
  dev: {
    kind: "bool",
    text: "Serve a throw-away store in memory, unsealed, and print its root token. For trying things out.",
  },
  "dev-root-token-id": {
    kind: "string",
    text: "The root token of -dev. Absent: a random one.",
    env: "VSEC_DEV_ROOT_TOKEN_ID",
  },
  "dev-listen-address": {
    kind: "string",
    text: `Where -dev listens, with plain HTTP. Absent: where -listen says, else ${DEV_LISTEN_ADDRESS}.`,
    env: "VSEC_DEV_LISTEN_ADDRESS",
  },
  "dev-no-store-token": {
    kind: "bool",
    text: "Do not remember the root token of -dev for this user's later commands.",
  },
} as const satisfies Flags;

const LOG_FLAGS = {
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
} as const satisfies Flags;

/** What was given of the flags that say where to listen. */
function listenOptions(flags: FlagValues<typeof LISTEN_FLAGS>): Partial<DaemonOptions> {
  const text = (name: string, value: string | undefined) =>
    value === undefined || value === "" ? {} : { [name]: value };
  return {
    ...text("socket", flags.socket),
    ...text("socketGroup", flags["socket-group"]),
    ...(flags.listen.length === 0 ? {} : { listen: flags.listen }),
    ...text("tlsCertFile", flags["tls-cert-file"]),
    ...text("tlsKeyFile", flags["tls-key-file"]),
    ...text("tlsClientCaFile", flags["tls-client-ca-file"]),
    ...(flags["tls-disable"] ? { tlsDisable: true } : {}),
    ...(flags["no-listen"] ? { noListen: true } : {}),
  };
}

/** The usual address is for those who name none. */
function devOptions(
  flags: FlagValues<typeof DEV_FLAGS & Pick<typeof LISTEN_FLAGS, "listen">>,
  env: Env,
): Partial<DaemonOptions> {
  if (!flags.dev) return {};
  const rootTokenId = flags["dev-root-token-id"] || readVariable(env, "VSEC_DEV_ROOT_TOKEN_ID");
  const named = flags["dev-listen-address"] || readVariable(env, "VSEC_DEV_LISTEN_ADDRESS");
  const listenAddress = named ?? (flags.listen.length === 0 ? DEV_LISTEN_ADDRESS : undefined);
  return {
    dev: {
      ...(listenAddress === undefined ? {} : { listenAddress }),
      ...(rootTokenId === undefined ? {} : { rootTokenId }),
      storeToken: !flags["dev-no-store-token"],
    },
  };
}

function logOptions(
  flags: FlagValues<typeof LOG_FLAGS>,
  env: Env,
): Pick<DaemonOptions, "logLevel" | "logFormat"> {
  const level = flags["log-level"] ?? readVariable(env, "VSEC_LOG_LEVEL") ?? "info";
  const logLevel = LOG_LEVELS.find((known) => known === level);
  if (logLevel === undefined) {
    const valid = `[${LOG_LEVELS.join(" ")}]`;
    throw localFailure(`${level} is an unknown log level. Valid log levels are: ${valid}`);
  }
  const format = flags["log-format"] ?? readVariable(env, "VSEC_LOG_FORMAT") ?? "standard";
  const logFormat = FORMATS.find((known) => known === format);
  if (logFormat === undefined)
    throw localFailure(`${format} is an unknown log format. Valid log formats are: [${FORMATS.join(" ")}]`);
  return { logLevel, logFormat };
}

export const command = defineCommand({
  usage: "[options]",
  description: `
Serves the HTTP API, revokes leases as they expire, and does what else falls due, until it is told to stop by SIGINT or SIGTERM. SIGHUP makes it read its certificates again. Logs go to standard error.

Commands of the same store notice it and ask it, instead of opening the store themselves:

    $ vsec daemon

For others too, over the network, or through a socket that a group may use:

    $ vsec daemon -listen=0.0.0.0:8200 -tls-cert-file=cert.pem -tls-key-file=key.pem

    $ vsec daemon -socket=/run/vsec/vsec.sock -socket-group=deploy

To try things out, with a store in memory that is gone afterwards:

    $ vsec daemon -dev

From a timer instead of as a service:

    $ vsec daemon -once`,
  flags: {
    once: { kind: "bool", text: "Do what is due now, and end. It listens nowhere." },
    ...LISTEN_FLAGS,
    ...DEV_FLAGS,
    ...LOG_FLAGS,
    store: { kind: "string", text: "Directory of the store to use.", env: "VSEC_STORE" },
  },
  args: { min: 0, max: 0 },
  output: {},
  requests: false,
  async run({ world, options }, flags) {
    if (flags.once && (flags.dev || flags.listen.length > 0 || flags.socket !== undefined))
      throw localFailure("-once listens nowhere: it cannot be used together with -dev, -listen or -socket");
    try {
      const exitCode = await world.runDaemon({
        once: flags.once,
        ...logOptions(flags, world.env),
        ...(options.storeDir === undefined ? {} : { storeDir: options.storeDir }),
        ...listenOptions(flags),
        ...devOptions(flags, world.env),
      });
      return { outcomes: [], exitCode };
    } catch (error) {
      // What cannot be listened on is of this side, as a bad flag is.
      throw hasCode(error, "LISTEN") ? localFailure(messageOf(error), error) : error;
    }
  },
});
