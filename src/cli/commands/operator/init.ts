import { isJsonObject, type JsonObject } from "../../../base/json.ts";
import { readVariable } from "../../../contract/environment.ts";
import { EXIT } from "../../../contract/exit-codes.ts";
import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { CommandFailure, localFailure } from "../../failure.ts";
import { wrapText } from "../../go-text.ts";
import { answer, type Outcome, type Result } from "../../outcome.ts";
import { keyLines, textsOf } from "../../output/key-ceremonies.ts";
import { plainValue } from "../../output/plain-values.ts";
import { storeToken } from "../../token-helper.ts";

const WHOLE_KEY_SEALS = ["keychain", "key-file", "passphrase", "env"] as const;
const SHAMIR = "shamir";
const SEALS = [...WHOLE_KEY_SEALS, SHAMIR] as const;

/** As Vault's. */
const SHARES_DEFAULT = 5;
const THRESHOLD_DEFAULT = 3;

const PGP_FLAGS = ["pgp-keys", "root-token-pgp-key", "recovery-pgp-keys"] as const;
const RECOVERY_FLAGS = ["recovery-shares", "recovery-threshold"] as const;

interface InitFlags {
  readonly seal: string | undefined;
  readonly "key-shares": number | undefined;
  readonly "key-threshold": number | undefined;
  readonly "pgp-keys": readonly string[];
  readonly "root-token-pgp-key": string | undefined;
  readonly "recovery-shares": number | undefined;
  readonly "recovery-threshold": number | undefined;
  readonly "recovery-pgp-keys": readonly string[];
}

/** Refuses what these seals cannot do, before anything is created. */
function check(flags: InitFlags): void {
  const { seal } = flags;
  if (seal !== undefined && !SEALS.some((known) => known === seal))
    throw localFailure(`Unknown seal "${seal}"; choose one of: ${SEALS.join(", ")}`);
  for (const name of PGP_FLAGS) {
    if ((flags[name]?.length ?? 0) === 0) continue;
    throw localFailure(
      `-${name} cannot be used: keys and tokens are not encrypted with PGP; leave the flag out`,
    );
  }
  for (const name of RECOVERY_FLAGS) {
    if (flags[name] !== undefined)
      throw localFailure(`-${name} cannot be used: no seal here has recovery keys; leave the flag out`);
  }
  if (seal === undefined || seal === SHAMIR) return;
  for (const name of ["key-shares", "key-threshold"] as const) {
    const count = flags[name];
    if (count === undefined || count === 1) continue;
    throw localFailure(
      `-${name}=${count} cannot be used: a ${seal} seal holds one key; leave the flag out, or use -seal=${SHAMIR}`,
    );
  }
}

/** Shares are asked for by their number, or by the seal that has them. */
function bodyOf(flags: InitFlags): JsonObject {
  const { seal, "key-shares": shares, "key-threshold": threshold } = flags;
  const type = seal === undefined ? {} : { seal: { type: seal } };
  const asksForShares = seal === SHAMIR || (seal === undefined && (shares ?? threshold) !== undefined);
  if (!asksForShares) return type;
  return {
    ...type,
    secret_shares: shares ?? SHARES_DEFAULT,
    secret_threshold: threshold ?? THRESHOLD_DEFAULT,
  };
}

async function reportStatus(context: CommandContext): Promise<Result> {
  try {
    const response = await context.send(
      { method: "GET", path: "sys/init" },
      { prefix: "Error checking init status", token: null },
    );
    const initialized = dataOf(response).initialized === true;
    const text = initialized ? "Vault is initialized" : "Vault is not initialized";
    return {
      outcomes: [{ show: "text", text, data: { initialized } }],
      exitCode: initialized ? EXIT.ok.code : EXIT.remote.code,
    };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    throw new CommandFailure(EXIT.local.code, error.message, { cause: error });
  }
}

/** What the holders of shares have to know. */
function shareAdvice(shares: number, threshold: number): readonly string[] {
  return [
    `Vault initialized with ${shares} key shares and a key threshold of ${threshold}. Hand each share to its holder: they are shown this once. When the store is sealed, or its daemon starts again, ${threshold} of them unseal it.`,
    "The root key is not stored anywhere but encrypted. Without enough of the shares the store stays sealed for good.",
    'The shares can be replaced, while enough of them are there: see "vsec operator rekey".',
  ];
}

function initOutcome(data: JsonObject, threshold: number): Outcome {
  const keys = textsOf(data.keys_base64);
  const token = `Initial Root Token: ${plainValue(data.root_token ?? "")}`;
  const advice = shareAdvice(keys.length, threshold).flatMap((paragraph) => ["", wrapText(paragraph)]);
  const text = keys.length === 0 ? [token] : [...keyLines("Unseal Key", keys), "", token, ...advice];
  return {
    show: "text",
    text: text.join("\n"),
    data: {
      unseal_keys_b64: keys,
      unseal_keys_hex: textsOf(data.keys),
      unseal_shares: keys.length,
      unseal_threshold: threshold,
      recovery_keys_b64: [],
      recovery_keys_hex: [],
      recovery_keys_shares: 0,
      recovery_keys_threshold: 0,
      root_token: data.root_token ?? "",
      seal: data.seal ?? null,
    },
  };
}

const NEXT_ENABLE = "\nNext, enable an engine:\n\n    vsec secrets enable database";
const NEXT_UNSEAL =
  "\nNext, start the daemon, which keeps the store open, and have the shares given to it:\n\n    vsec daemon\n    vsec operator unseal";

/** Tells the person what was made and where, and what to type next; never a key or the token. */
async function tell(context: CommandContext, data: JsonObject, tokenPath: string | undefined): Promise<void> {
  const { world, options } = context;
  const seal = isJsonObject(data.seal) ? data.seal : {};
  const detail = plainValue(seal.detail ?? "");
  await context.note(`Store:  ${world.storeDirectory(options)}`);
  await context.note(`Seal:   ${plainValue(seal.type ?? "")}${detail === "" ? "" : `: ${detail}`}`);
  await context.note(`Token:  ${tokenPath ?? "not stored; set VSEC_TOKEN to use it"}`);
  if (tokenPath !== undefined && readVariable(world.env, "VSEC_TOKEN") !== undefined)
    await context.note("A token is set in the environment too, and wins over the stored one.");
  await context.note(seal.type === SHAMIR ? NEXT_UNSEAL : NEXT_ENABLE);
}

export const command = defineCommand({
  usage: "[options]",
  description: `
Creates a store: its root key, the seal that guards it, and the first root token. The token is remembered for later commands unless told otherwise.

    $ vsec operator init

A seal for a machine without a keychain:

    $ vsec operator init -seal=key-file

A key in five shares, of which three holders together unseal the store, in a daemon:

    $ vsec operator init -key-shares=5 -key-threshold=3`,
  flags: {
    seal: {
      kind: "string",
      words: SEALS,
      text: "What guards the store's root key: the system's keychain, a key file, a passphrase, an environment variable, or people who hold shares of it (shamir). Absent: shares where their number is given, else the best that works here.",
    },
    "no-store-token": { kind: "bool", text: "Do not remember the root token for later commands." },
    status: { kind: "bool", text: "Only tell whether the store exists: exit 0 if so, else 2." },
    "key-shares": {
      kind: "int",
      aliases: ["n"],
      text: "Into how many shares the key is split; chooses the seal shamir. Absent: 5.",
    },
    "key-threshold": {
      kind: "int",
      aliases: ["t"],
      text: "How many of the shares unseal the store; chooses the seal shamir. Absent: 3.",
    },
    "pgp-keys": { kind: "list", text: "Refused: keys are not encrypted with PGP." },
    "root-token-pgp-key": { kind: "string", text: "Refused: the token is not encrypted with PGP." },
    "recovery-shares": { kind: "int", text: "Refused: no seal here has recovery keys." },
    "recovery-threshold": { kind: "int", text: "Refused: no seal here has recovery keys." },
    "recovery-pgp-keys": { kind: "list", text: "Refused: no seal here has recovery keys." },
  },
  args: { min: 0, max: 0 },
  output: { format: true },
  requests: true,
  async run(context, flags) {
    if (flags.status) return reportStatus(context);
    check(flags);
    const body = bodyOf(flags);
    const response = await context.send(
      { method: "PUT", path: "sys/init", body },
      { prefix: "Error initializing", token: null },
    );
    const data = dataOf(response);
    const outcome = initOutcome(data, typeof body.secret_threshold === "number" ? body.secret_threshold : 0);
    const token = typeof data.root_token === "string" ? data.root_token : "";
    let tokenPath: string | undefined;
    try {
      if (!flags["no-store-token"] && token !== "") tokenPath = storeToken(context.world.env, token);
    } catch (error) {
      // The root token exists only here: it is shown although it could not be stored.
      const reason = error instanceof Error ? error.message : String(error);
      throw new CommandFailure(EXIT.remote.code, `Error storing token: ${reason}`, { cause: error, outcome });
    }
    await tell(context, data, tokenPath);
    return answer(outcome);
  },
});
