import type { JsonObject } from "../base/json.ts";
import { dataOf } from "./answers.ts";
import type { CommandContext } from "./command-context.ts";
import { CommandFailure, localFailure } from "./failure.ts";
import { unsealKey } from "./unseal-key.ts";

/** An operation that takes keys of several people, one command each. */
export interface KeyCeremony {
  /** Where its state is, and where a key goes. */
  readonly statusPath: string;
  readonly updatePath: string;
  /** `Error getting rekey status` */
  readonly statusPrefix: string;
  /** What is said when there is nothing to give a key to. */
  readonly notStarted: string;
  /** `Rekey operation nonce`, before the key is asked for. */
  readonly nonceLabel: string;
  /** What to type where there is no terminal. */
  readonly withoutTerminal: string;
}

/** The flags and arguments of a command that gives a key. */
export interface GivenKey {
  readonly nonce: string | undefined;
  readonly key: string | undefined;
}

/** The operation's state. */
export async function ceremonyStatus(context: CommandContext, of: KeyCeremony): Promise<JsonObject> {
  return dataOf(
    await context.send({ method: "GET", path: of.statusPath }, { prefix: of.statusPrefix, token: null }),
  );
}

/**
 * Gives one key. Typed on the terminal it is for the operation under way; else the nonce has to say for which.
 * @returns The answer.
 * @throws CommandFailure (exit 1) without a nonce, or when nothing is under way.
 */
export async function giveKey(
  context: CommandContext,
  of: KeyCeremony,
  given: GivenKey,
): Promise<JsonObject> {
  if (given.key !== undefined && given.nonce === undefined)
    throw localFailure("Missing nonce value: specify it via the -nonce flag");
  const status = await ceremonyStatus(context, of);
  const isStarted = status.started === true;
  // Who names an operation that is over may be asking again for an answer that was lost on its way.
  if (!isStarted && given.nonce === undefined) throw localFailure(of.notStarted);
  const nonce = given.nonce ?? String(status.nonce ?? "");
  if (given.key === undefined) await context.note(`${of.nonceLabel}: ${nonce}`);
  const key = await unsealKey(context, given.key, of.withoutTerminal);
  try {
    const request = { method: "PUT", path: of.updatePath, body: { key, nonce } } as const;
    return dataOf(await context.send(request, { prefix: "Error posting unseal key", token: null }));
  } catch (error) {
    if (isStarted || !(error instanceof CommandFailure) || error.status !== 400) throw error;
    throw localFailure(of.notStarted, error);
  }
}
