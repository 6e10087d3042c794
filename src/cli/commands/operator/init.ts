import { isJsonObject, type Json, type JsonObject } from "../../../base/json.ts";
import { readVariable } from "../../../contract/environment.ts";
import { EXIT } from "../../../contract/exit-codes.ts";
import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { CommandFailure, localFailure } from "../../failure.ts";
import { answer, type Outcome, type Result } from "../../outcome.ts";
import { plainValue } from "../../output/plain-values.ts";
import { storeToken } from "../../token-helper.ts";

const SEALS = ["keychain", "key-file", "passphrase", "env"] as const;

interface InitFlags {
  readonly seal: string | undefined;
  readonly "key-shares": number | undefined;
  readonly "key-threshold": number | undefined;
}

/** Refuses what these seals cannot do, before anything is created. */
function check(flags: InitFlags): void {
  const { seal } = flags;
  if (seal !== undefined && !SEALS.some((known) => known === seal))
    throw localFailure(`Unknown seal "${seal}"; choose one of: ${SEALS.join(", ")}`);
  for (const name of ["key-shares", "key-threshold"] as const) {
    const count = flags[name];
    if (count === undefined || count === 1) continue;
    throw localFailure(
      `-${name}=${count} cannot be used: a store has one key, which its seal (${SEALS.join(", ")}) holds; leave the flag out`,
    );
  }
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

const texts = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? (value as readonly Json[]).map(plainValue) : [];

function initOutcome(data: JsonObject): Outcome {
  const keys = texts(data.keys_base64);
  const lines = keys.map((key, index) => `Unseal Key ${index + 1}: ${key}`);
  const text = [
    ...lines,
    ...(lines.length > 0 ? [""] : []),
    `Initial Root Token: ${plainValue(data.root_token ?? "")}`,
  ];
  return {
    show: "text",
    text: text.join("\n"),
    data: {
      unseal_keys_b64: keys,
      unseal_keys_hex: texts(data.keys),
      unseal_shares: keys.length,
      unseal_threshold: keys.length,
      recovery_keys_b64: [],
      recovery_keys_hex: [],
      recovery_keys_shares: 0,
      recovery_keys_threshold: 0,
      root_token: data.root_token ?? "",
      seal: data.seal ?? null,
    },
  };
}

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
  await context.note("\nNext, enable an engine:\n\n    vsec secrets enable database");
}

export const command = defineCommand({
  usage: "[options]",
  description: `
Creates a store: its root key, the seal that guards it, and the first root token. The token is remembered for later commands unless told otherwise.

    $ vsec operator init

A seal for a machine without a keychain:

    $ vsec operator init -seal=key-file`,
  flags: {
    seal: {
      kind: "string",
      words: SEALS,
      text: "What guards the store's root key: the system's keychain, a key file, a passphrase, or an environment variable. Absent: the best of them that works here.",
    },
    "no-store-token": { kind: "bool", text: "Do not remember the root token for later commands." },
    status: { kind: "bool", text: "Only tell whether the store exists: exit 0 if so, else 2." },
    "key-shares": {
      kind: "int",
      aliases: ["n"],
      text: "Accepted for compatibility: these seals have one key.",
    },
    "key-threshold": {
      kind: "int",
      aliases: ["t"],
      text: "Accepted for compatibility: these seals have one key.",
    },
  },
  args: { min: 0, max: 0 },
  output: { format: true },
  requests: true,
  async run(context, flags) {
    if (flags.status) return reportStatus(context);
    check(flags);
    const body = flags.seal === undefined ? {} : { seal: { type: flags.seal } };
    const response = await context.send(
      { method: "PUT", path: "sys/init", body },
      { prefix: "Error initializing", token: null },
    );
    const data = dataOf(response);
    const outcome = initOutcome(data);
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
