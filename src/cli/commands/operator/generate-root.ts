import { decodeWithOtp, newOtp, OTP_CHARS } from "../../../base/root-otp.ts";
import { systemRandom } from "../../../platform/random.ts";
import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { localFailure } from "../../failure.ts";
import { ceremonyStatus, type GivenKey, giveKey, type KeyCeremony } from "../../key-ceremony.ts";
import { answer, type Result, sentence } from "../../outcome.ts";
import { rootStatusOutcome } from "../../output/key-ceremonies.ts";
import { plainValue } from "../../output/plain-values.ts";
import { secretArgument } from "../../secret-argument.ts";
import { unsealKey } from "../../unseal-key.ts";

const ROOT: KeyCeremony = {
  statusPath: "sys/generate-root/attempt",
  updatePath: "sys/generate-root/update",
  statusPrefix: "Error getting root generation status",
  notStarted: 'No root generation is in progress. Start one with "vsec operator generate-root -init".',
  nonceLabel: "Operation nonce",
  withoutTerminal: "vsec operator generate-root -nonce=NONCE -",
};

/** The value alone for people and pipes, and the object for programs. */
function value(
  context: CommandContext,
  name: string,
  data: Readonly<Record<string, string | number>>,
): Result {
  return context.options.format === "table"
    ? answer({ show: "secret", body: { data }, field: name })
    : answer({ show: "text", text: "", data });
}

function generateOtp(context: CommandContext): Result {
  return value(context, "otp", { otp: newOtp(systemRandom), otp_length: OTP_CHARS });
}

async function decode(
  context: CommandContext,
  encodedArgument: string,
  otp: string | undefined,
): Promise<Result> {
  if (otp === undefined || otp === "") throw localFailure("Missing otp: use -otp to supply it");
  const encoded = await secretArgument(context, encodedArgument);
  if (encoded === "") throw localFailure("Missing encoded value: use -decode=<value> to supply it");
  try {
    return value(context, "token", { token: decodeWithOtp(encoded, otp) });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw localFailure(`Error decoding token: ${error.message}`, error);
  }
}

async function start(context: CommandContext, otp: string | undefined): Promise<Result> {
  const response = await context.send(
    { method: "PUT", path: ROOT.statusPath, body: otp === undefined ? {} : { otp } },
    { prefix: "Error initializing root generation", token: null },
  );
  if (otp === undefined)
    await context.note(
      "A one-time password was made; it is the OTP below, and is shown this once. Without it the root token cannot be decoded.",
    );
  return answer(rootStatusOutcome(dataOf(response)));
}

async function cancel(context: CommandContext): Promise<Result> {
  await context.send(
    { method: "DELETE", path: ROOT.statusPath },
    { prefix: "Error canceling root generation", token: null },
  );
  return sentence("Success! Root token generation canceled (if it was started)");
}

/** Where the store's key is not split, who holds it needs no ceremony. */
async function once(context: CommandContext, argument: string | undefined): Promise<Result> {
  const key =
    argument === undefined ? "" : await unsealKey(context, argument, "vsec operator generate-root -once -");
  const response = await context.send(
    { method: "PUT", path: "sys/generate-root/once", body: key === "" ? {} : { key } },
    { prefix: "Error generating root token", token: null },
  );
  return value(context, "token", { token: plainValue(dataOf(response).root_token ?? "") });
}

async function provide(context: CommandContext, given: GivenKey): Promise<Result> {
  return answer(rootStatusOutcome(await giveKey(context, ROOT, given)));
}

export const command = defineCommand({
  usage: "[options] [KEY]",
  description: `
Makes a new root token. It takes no token but the store's keys, so a lost root token is not the end of a store.

Where the key is split, holders of enough shares agree, one command each, through the daemon; the token is shown encoded, and only who has the one-time password can read it:

    $ vsec operator generate-root -init
    $ vsec operator generate-root
    $ vsec operator generate-root -decode=ENCODED -otp=OTP

Where the seal holds one key, who can open the store needs no more than this, without a daemon:

    $ VSEC_DAEMON=off vsec operator generate-root -once

A daemon asks for that key: the passphrase, the value of VSEC_SEAL_KEY, or what is in the key file.

    $ vsec operator generate-root -once - < store.key`,
  flags: {
    init: { kind: "bool", text: "Start the generation of a root token." },
    cancel: { kind: "bool", text: "Cancel it." },
    status: { kind: "bool", text: "Show its progress." },
    once: {
      kind: "bool",
      text: "Make a root token and print it, where the store's key is not split. KEY is that key; it can be left out where no daemon answers.",
    },
    "generate-otp": { kind: "bool", text: "Print a one-time password for -init." },
    otp: { kind: "string", text: "The one-time password, for -init and -decode." },
    "pgp-key": { kind: "string", text: "Refused: tokens are not encrypted with PGP." },
    decode: { kind: "string", text: "Decode this encoded token with -otp; - reads it from standard input." },
    nonce: { kind: "string", text: "The nonce of the operation; needed when KEY is given." },
  },
  args: { min: 0, max: 1 },
  output: { format: true },
  requests: true,
  async run(context, flags, args) {
    if (flags["pgp-key"] !== undefined) {
      if (flags.otp !== undefined)
        throw localFailure("Error initializing: cannot specify both -otp and -pgp-key");
      throw localFailure("-pgp-key cannot be used: tokens are not encrypted with PGP; use an OTP instead");
    }
    if (flags["generate-otp"]) return generateOtp(context);
    if (flags.decode !== undefined) return decode(context, flags.decode, flags.otp);
    if (flags.once) return once(context, args[0]);
    if (flags.cancel) return cancel(context);
    if (flags.init) return start(context, flags.otp);
    if (flags.status) return answer(rootStatusOutcome(await ceremonyStatus(context, ROOT)));
    return provide(context, { nonce: flags.nonce, key: args[0] });
  },
});
