import type { JsonObject } from "../../../base/json.ts";
import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { localFailure } from "../../failure.ts";
import { ceremonyStatus, type GivenKey, giveKey, type KeyCeremony } from "../../key-ceremony.ts";
import { answer, type Result, sentence } from "../../outcome.ts";
import {
  rekeyDoneOutcome,
  rekeyStatusOutcome,
  textsOf,
  verifyStatusOutcome,
} from "../../output/key-ceremonies.ts";

/** As Vault's. */
const SHARES_DEFAULT = 5;
const THRESHOLD_DEFAULT = 3;

const REKEY: KeyCeremony = {
  statusPath: "sys/rekey/init",
  updatePath: "sys/rekey/update",
  statusPrefix: "Error getting rekey status",
  notStarted: 'No rekey is in progress. Start one with "vsec operator rekey -init".',
  nonceLabel: "Rekey operation nonce",
  withoutTerminal: "vsec operator rekey -nonce=NONCE -",
};

const VERIFY: KeyCeremony = {
  ...REKEY,
  statusPath: "sys/rekey/verify",
  updatePath: "sys/rekey/verify",
  notStarted: "No rekey is in progress. There are no new keys to verify.",
  nonceLabel: "Rekey verification operation nonce",
  withoutTerminal: "vsec operator rekey -verify -nonce=NONCE -",
};

function checkTarget(target: string | undefined): void {
  if (target === undefined || target === "barrier") return;
  if (target !== "recovery" && target !== "hsm") throw localFailure(`Unknown target: ${target}`);
  throw localFailure(
    `-target=${target} cannot be used: no seal here has recovery keys; a seal of one key is rekeyed by that key`,
  );
}

async function start(context: CommandContext, body: JsonObject): Promise<Result> {
  const response = await context.send(
    { method: "PUT", path: REKEY.statusPath, body },
    { prefix: "Error initializing rekey", token: null },
  );
  await context.note(
    "The new keys are shown once, to whoever gives the last of the present ones. With -verify they become valid only when they have been given back.",
  );
  return answer(rekeyStatusOutcome(dataOf(response)));
}

async function cancel(context: CommandContext, path: string): Promise<Result> {
  await context.send({ method: "DELETE", path }, { prefix: "Error canceling rekey", token: null });
  return sentence("Success! Canceled rekeying (if it was started)");
}

async function provide(context: CommandContext, given: GivenKey): Promise<Result> {
  const body = await giveKey(context, REKEY, given);
  if (body.complete !== true) return answer(rekeyStatusOutcome(body));
  await warn(context, body);
  return answer(rekeyDoneOutcome(body));
}

async function verify(context: CommandContext, given: GivenKey): Promise<Result> {
  const body = await giveKey(context, VERIFY, given);
  if (body.complete !== true) return answer(verifyStatusOutcome(body));
  await warn(context, body);
  const text =
    "Success! Rekey verification complete. The new keys are valid; the former ones open the store no more.";
  return answer({ show: "text", text, data: body });
}

async function warn(context: CommandContext, body: JsonObject): Promise<void> {
  for (const warning of textsOf(body.warnings)) await context.note(`WARNING! ${warning}`);
}

async function backup(context: CommandContext, action: "retrieve" | "delete"): Promise<Result> {
  const path = "sys/rekey/backup";
  if (action === "delete") {
    await context.send({ method: "DELETE", path }, { prefix: "Error deleting backup" });
    return sentence("Success! Deleted backed up keys (if they existed)");
  }
  const response = await context.send(
    { method: "GET", path },
    { prefix: "Error retrieving rekey stored keys" },
  );
  return answer({ show: "secret", body: dataOf(response) });
}

export const command = defineCommand({
  usage: "[options] [KEY]",
  description: `
Replaces the keys that unseal the store. Holders of enough of the present keys give them, one command each; then new shares are shown. A store whose seal holds one key (a key file, the keychain, a passphrase, VSEC_SEAL_KEY) comes to be sealed by shares in this way: KEY is that key.

Start, with five new shares of which three unseal:

    $ vsec operator rekey -init -key-shares=5 -key-threshold=3 -verify

Give one of the present keys, typed on the terminal:

    $ vsec operator rekey

Give back the new ones, which makes them valid:

    $ vsec operator rekey -verify

Progress is kept by the daemon, and ends with it.`,
  flags: {
    init: { kind: "bool", text: "Start a rekey." },
    cancel: { kind: "bool", text: "Cancel it; with -verify, begin the verification anew." },
    status: { kind: "bool", text: "Show its progress; with -verify, that of the verification." },
    "key-shares": { kind: "int", aliases: ["n"], text: "How many new shares there are to be. Absent: 5." },
    "key-threshold": {
      kind: "int",
      aliases: ["t"],
      text: "How many of them are to unseal the store. Absent: 3.",
    },
    nonce: { kind: "string", text: "The nonce of the operation; needed when KEY is given." },
    target: { kind: "string", words: ["barrier"], text: "Which keys: barrier, the only ones there are." },
    verify: {
      kind: "bool",
      text: "With -init: the new keys become valid once they have been given back. Else: work on that.",
    },
    "pgp-keys": { kind: "list", text: "Refused: keys are not encrypted with PGP." },
    backup: { kind: "bool", text: "Refused by the API: a backup needs PGP keys." },
    "backup-retrieve": { kind: "bool", text: "Show the backed-up keys. There are none." },
    "backup-delete": { kind: "bool", text: "Delete the backed-up keys, if there were any." },
  },
  args: { min: 0, max: 1 },
  output: { format: true },
  requests: true,
  async run(context, flags, args) {
    checkTarget(flags.target);
    if (flags["pgp-keys"].length > 0)
      throw localFailure("-pgp-keys cannot be used: keys are not encrypted with PGP; leave the flag out");
    if (flags["backup-delete"]) return backup(context, "delete");
    if (flags["backup-retrieve"]) return backup(context, "retrieve");
    if (flags.init) {
      return start(context, {
        secret_shares: flags["key-shares"] ?? SHARES_DEFAULT,
        secret_threshold: flags["key-threshold"] ?? THRESHOLD_DEFAULT,
        backup: flags.backup,
        require_verification: flags.verify,
      });
    }
    if (flags.cancel) return cancel(context, flags.verify ? VERIFY.statusPath : REKEY.statusPath);
    if (flags.status) {
      const status = await ceremonyStatus(context, flags.verify ? VERIFY : REKEY);
      return answer(flags.verify ? verifyStatusOutcome(status) : rekeyStatusOutcome(status));
    }
    const given: GivenKey = { nonce: flags.nonce, key: args[0] };
    return flags.verify ? verify(context, given) : provide(context, given);
  },
});
