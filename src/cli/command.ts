import type { CommandContext } from "./command-context.ts";
import type { Flag, Flags, FlagValues } from "./flags.ts";
import type { Result } from "./outcome.ts";

/** How many arguments a command takes, and how messages say so. */
export interface ArgumentCount {
  readonly min: number;
  /** Absent: any number. */
  readonly max?: number;
  /** How Vault tells the minimum, where not as a number or range. */
  readonly least?: string;
}

/** What a command declares about its output. */
export interface OutputSupport {
  /** Has `-format`. */
  readonly format?: boolean;
  /** Has `-field`. */
  readonly field?: boolean;
  /** `-format=raw` is allowed. */
  readonly raw?: boolean;
  /** `-format=env` and `-format=dotenv` are allowed. */
  readonly environment?: boolean;
  /** Has `-detailed`. */
  readonly detailed?: boolean;
}

/** One command: everything that parsing, help, man pages and completions need, and its action. */
export interface Command<F extends Flags> {
  /** What follows `vsec <words>` in the usage line: `[options] PATH [K=V...]`. */
  readonly usage: string;
  /** Paragraphs for help and manual; lines that begin with four blanks are examples and are kept as they are. */
  readonly description: string;
  readonly flags: F;
  /** Absent: the command checks its arguments itself. */
  readonly args?: ArgumentCount;
  readonly output: OutputSupport;
  /** False: talks to nothing, so it has none of the flags for requests. */
  readonly requests: boolean;
  /** True: whatever arguments are given, they are ignored. */
  readonly ignoresArguments?: boolean;
  run(context: CommandContext, flags: FlagValues<F>, args: readonly string[]): Promise<Result>;
}

/** A command whose flags are not known statically, as tables hold it. */
export type AnyCommand = Command<Flags>;

/** Checks a declaration, and gives `run` the types of its own flags. */
export function defineCommand<const F extends Flags>(command: Command<F>): AnyCommand {
  return command;
}

/** One line of the table of commands. */
export interface CommandEntry {
  /** `lease revoke`. */
  readonly words: string;
  readonly synopsis: string;
  /** Left out of the list that bare `vsec` shows. */
  readonly hidden?: boolean;
  load(): Promise<{ readonly command: AnyCommand }>;
}

/** One line of the table of groups, whose words alone are no command. */
export interface GroupEntry {
  readonly words: string;
  readonly synopsis: string;
  readonly description: string;
}

/** All there is to dispatch on. */
export interface Catalogue {
  readonly commands: readonly CommandEntry[];
  readonly groups: readonly GroupEntry[];
}

/** Flags of every command that sends requests. */
export const REQUEST_FLAGS = {
  store: {
    kind: "string",
    text: "Directory of the store to use.",
    env: "VSEC_STORE",
  },
  address: {
    kind: "string",
    text: "Address of a daemon that answers instead of this process: https://host:port, http://host:port or unix:///path.",
    env: "VSEC_ADDR",
  },
  "ca-cert": {
    kind: "string",
    text: "A PEM file with the authorities to trust when the address is https. It wins over -ca-path.",
    env: "VSEC_CACERT",
  },
  "ca-path": {
    kind: "string",
    text: "A directory of PEM files with the authorities to trust.",
    env: "VSEC_CAPATH",
  },
  "client-cert": {
    kind: "string",
    text: "A PEM file with the certificate to show to the daemon; it needs -client-key.",
    env: "VSEC_CLIENT_CERT",
  },
  "client-key": {
    kind: "string",
    text: "A PEM file with the key of that certificate.",
    env: "VSEC_CLIENT_KEY",
  },
  "tls-server-name": {
    kind: "string",
    text: "The name that the daemon's certificate must be for, where the address has another.",
    env: "VSEC_TLS_SERVER_NAME",
  },
  "tls-skip-verify": {
    kind: "bool",
    text: "Do not check the daemon's certificate: whoever answers gets the token.",
    env: "VSEC_SKIP_VERIFY",
  },
  header: {
    kind: "map",
    text: "A further HTTP header for requests to a daemon. Names that begin with X-Vault- are refused. May be repeated.",
  },
  "non-interactive": {
    kind: "bool",
    text: "Never ask on the terminal, and take standard input as empty.",
  },
  "output-curl-string": {
    kind: "bool",
    text: "Print the curl command for the request instead of sending it.",
  },
  "output-policy": {
    kind: "bool",
    text: "Print the policy that the request needs instead of sending it.",
  },
  "wrap-ttl": {
    kind: "duration",
    text: "Wrap the answer in a token that lives this long and can be used once.",
    env: "VSEC_WRAP_TTL",
  },
} as const satisfies Flags;

const FORMAT_FLAG = {
  kind: "string",
  text: 'How to print the answer: "table", "json", "yaml", or, where it says so, "raw".',
  words: ["table", "json", "yaml", "raw"],
  env: "VSEC_FORMAT",
} as const satisfies Flag;
const ENVIRONMENT_FORMAT_FLAG: Flag = {
  ...FORMAT_FLAG,
  text: `${FORMAT_FLAG.text} Only the data, as lines of NAME=value, in "env" for a shell's eval, in "dotenv" for an environment file.`,
  words: [...FORMAT_FLAG.words, "env", "dotenv"],
};
const FIELD_FLAG: Flag = {
  kind: "string",
  text: "Print only this field of the answer; on a pipe without a newline after it. Durations are in seconds.",
};
const DETAILED_FLAG: Flag = {
  kind: "optional-bool",
  text: "Show more about each entry.",
  env: "VSEC_DETAILED",
};

/** A titled set of flags, as help shows it. */
export interface FlagGroup {
  readonly title: string;
  readonly flags: Flags;
}

/** All flags of a command, in the groups in which help lists them; empty groups are left out. */
export function flagGroups(command: AnyCommand): readonly FlagGroup[] {
  const { field, format, detailed, environment } = command.output;
  const formatFlag = environment === true ? ENVIRONMENT_FORMAT_FLAG : FORMAT_FLAG;
  const groups = [
    { title: "HTTP Options", flags: command.requests ? REQUEST_FLAGS : {} },
    {
      title: "Output Options",
      flags: {
        ...(field === true ? { field: FIELD_FLAG } : {}),
        ...(format === true ? { format: formatFlag } : {}),
        ...(detailed === true ? { detailed: DETAILED_FLAG } : {}),
      },
    },
    { title: "Command Options", flags: command.flags },
  ];
  return groups.filter((group) => Object.keys(group.flags).length > 0);
}

/** All flags of a command by name. */
export function allFlags(command: AnyCommand): Flags {
  return Object.assign({}, ...flagGroups(command).map((group) => group.flags)) as Flags;
}
