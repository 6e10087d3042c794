import { constants } from "node:os";
import { basename } from "node:path";
import { isLabel } from "../../../contract/lease-headers.ts";
import { LABEL_CHARS_MAX } from "../../../contract/wire.ts";
import { CannotStart } from "../../../platform/child/cannot-start.ts";
import { findProgram, replaceProcess, startable } from "../../../platform/child/program.ts";
import { systemProcesses } from "../../../platform/processes.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { CommandFailure, localFailure } from "../../failure.ts";
import type { Flags, FlagValues } from "../../flags.ts";
import type { Result } from "../../outcome.ts";
import { Credentials } from "../../run/credentials.ts";
import { commandEnvironment, fulfil } from "../../run/gifts.ts";
import { RENEW_FAILURE_WORDS, supervise } from "../../run/supervise.ts";
import { type Wishes, wishesOf } from "../../run/wishes.ts";

/** As shells and env(1) have them. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
const SIGNAL_BASE = 128;

/** Signals by which this process then ends too. Others would write its memory, where the secrets are, into a core file. */
const PASSED_ON: ReadonlySet<NodeJS.Signals> = new Set(["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2"]);

const FLAGS = {
  env: {
    kind: "list",
    text: "NAME=path gives the command a variable for each field that is read there: NAME_USERNAME, NAME_PASSWORD. NAME=path#field gives it one. May be repeated.",
  },
  template: {
    kind: "list",
    text: "A file of NAME=value lines, as in .env files, where {{ path#field }} stands for a value. May be repeated.",
  },
  file: {
    kind: "list",
    text: "NAME=path puts what is read there, as JSON, into a file of this name; NAME=path#field puts one value there. The files are in memory, for this user alone, below $CREDENTIALS_DIRECTORY, and go when the command ends. May be repeated.",
  },
  pg: {
    kind: "string",
    text: "A path of database credentials for PostgreSQL's clients and drivers: PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE. Host, port, database and TLS are the connection's. PGSERVICE is taken out, since it would win.",
  },
  mysql: {
    kind: "string",
    text: "The same for MySQL and MariaDB: MYSQL_HOST, MYSQL_TCP_PORT, MYSQL_USER, MYSQL_PWD, MYSQL_DATABASE, and an option file in MYSQL_HOME, which their clients read, with the connection's TLS. It wins over ~/.my.cnf.",
  },
  aws: {
    kind: "string",
    text: "A path of AWS credentials, for AWS's tools and SDKs: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. AWS_PROFILE is taken out, since it would win.",
  },
  label: {
    kind: "string",
    text: "What the leases are called in lists of leases. Absent: the command's name.",
  },
  "no-mask": {
    kind: "bool",
    text: "Leave the command's output as it is. Otherwise every value that was read, also in base64, in a URL and in JSON, is shown as ********.",
  },
  "on-renew-failure": {
    kind: "string",
    words: RENEW_FAILURE_WORDS,
    text: 'What to do when a lease cannot be renewed any longer: "warn" says so when the command has ended; "reread" reads new credentials, replaces the files of -file and sends -signal; "restart" starts the command anew with new credentials; "stop" ends it. Absent: warn.',
  },
  signal: {
    kind: "string",
    text: "The signal that -on-renew-failure=reread sends. Absent: HUP.",
  },
  exec: {
    kind: "bool",
    text: "Become the command instead of running it: nothing is renewed or masked, and the leases end with their TTL, or when a later command or the daemon finds that the command has ended.",
  },
} as const satisfies Flags;

export const command = defineCommand({
  usage: "[options] -- COMMAND [ARGUMENTS...]",
  description: `Run a command with credentials that end with it.

What the flags name is leased, handed to the command, renewed at half of its time while the command runs, and revoked when the command ends: by itself, by a signal, or with its terminal. Should vsec itself be killed, the next vsec command or the daemon on this machine revokes the leases.

    $ vsec run -env DB=database/creds/readonly -- ./migrate.sh
    $ vsec run -pg database/creds/readonly -- psql
    $ vsec run -aws aws/sts/deploy -- terraform apply
    $ vsec run -template app.env -- ./server

The command gets neither vsec's token nor any of its variables. Its exit code is passed on: 127 stands for a command that is not found, 126 for one that cannot be started, and a command that a signal ended ends vsec by the same signal.`,
  flags: FLAGS,
  output: {},
  requests: true,
  async run(context, flags, args) {
    const [name] = args;
    if (name === undefined)
      throw localFailure("Not enough arguments: name the command to run, as in: vsec run -- env");
    const program = startable(programOf(name, context.world.env.PATH ?? ""), args);
    const signal = signalOf(flags.signal ?? "HUP");
    const wishes = await wishesOf(context, flags);
    const credentials = new Credentials(context, purposeOf(flags.label ?? basename(name)));
    if (flags.exec) return become(context, flags, wishes, credentials, program);
    const onRenewFailure = onRenewFailureOf(flags["on-renew-failure"]);
    const plan = { ...program, wishes, masks: !flags["no-mask"], onRenewFailure, signal };
    const end = await supervise(context, plan, credentials).catch(notExecutable);
    return resultOf(end.code, end.signal);
  },
});

function programOf(name: string, searchPath: string): string {
  const found = findProgram(name, searchPath);
  if ("path" in found) return found.path;
  if (found.problem === "missing") throw new CommandFailure(NOT_FOUND, `${name}: command not found`);
  throw new CommandFailure(NOT_EXECUTABLE, `${name}: permission denied`);
}

/** @throws what it was, with the exit code that shells have for it. */
function notExecutable(error: unknown): never {
  throw error instanceof CannotStart ? new CommandFailure(NOT_EXECUTABLE, error.message) : error;
}

function signalOf(text: string): NodeJS.Signals {
  const name = `SIG${text.toUpperCase().replace(/^SIG/, "")}`;
  if (Object.hasOwn(constants.signals, name)) return name as NodeJS.Signals;
  throw localFailure(`-signal: there is no signal "${text}"`);
}

function onRenewFailureOf(text: string | undefined): (typeof RENEW_FAILURE_WORDS)[number] {
  const word = RENEW_FAILURE_WORDS.find((candidate) => candidate === (text ?? "warn"));
  if (word === undefined)
    throw localFailure(`-on-renew-failure: "${text}" is none of ${RENEW_FAILURE_WORDS.join(", ")}`);
  return word;
}

function purposeOf(label: string) {
  const shown = label.replace(/[^\x20-\x7e]/g, "?").slice(0, LABEL_CHARS_MAX);
  const owner = systemProcesses().self();
  return { ...(owner === null ? {} : { owner }), ...(isLabel(shown) ? { label: shown } : {}) };
}

function resultOf(code: number | null, signal: NodeJS.Signals | null): Result {
  if (signal === null) return { outcomes: [], exitCode: code ?? 1 };
  const exitCode = SIGNAL_BASE + constants.signals[signal];
  return { outcomes: [], exitCode, ...(PASSED_ON.has(signal) ? { signal } : {}) };
}

/** @throws CommandFailure */
function noDirectory(): never {
  throw localFailure(
    "-exec leaves nobody who could remove the file of those who vouch for the server, which its connection has as text",
  );
}

/** The leases stay this process's, whose number the command takes over: it is the one that they end with. */
async function become(
  context: CommandContext,
  flags: FlagValues<typeof FLAGS>,
  wishes: Wishes,
  credentials: Credentials,
  { file, argv }: { file: string; argv: readonly string[] },
): Promise<Result> {
  if (flags.file.length > 0 || flags.mysql !== undefined)
    throw localFailure("-exec leaves nobody who could remove the files of -file and -mysql");
  let failure: unknown;
  try {
    const { variables } = await fulfil(context.world.env, wishes, credentials, noDirectory);
    await context.close();
    await replaceProcess(file, argv, commandEnvironment(context.world.env, variables));
  } catch (error) {
    failure = error;
  }
  await credentials.giveBack();
  return notExecutable(failure);
}
