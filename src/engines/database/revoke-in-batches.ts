import type { RevokeOutcome } from "../../framework/secret.ts";
import type { DoomedUser } from "./plugin.ts";

/** How a plugin makes users gone. */
export interface RevocationPlan {
  /** As many users go in one batch of the built-in plan, at most. */
  readonly batchMax: number;
  /** Whether the role's own statements are to be run for this user. */
  isCustom(user: DoomedUser): boolean;
  /** Drops users by the built-in plan, and says of each what came of it. @throws when the server is out of reach. */
  dropBatch(usernames: readonly string[], outcomes: Map<string, RevokeOutcome>): Promise<void>;
  /** Runs the role's own statements. @throws when the server is out of reach. */
  runCustom(user: DoomedUser): Promise<RevokeOutcome>;
  /** Puts into words that the server is out of reach. */
  failure(error: unknown): Error;
}

/**
 * Makes users gone: by the role's own statements where there are any, else by the built-in plan, in batches.
 * @returns One outcome for each user, in order. Where the server goes out of reach, those that have none by then share that.
 */
export async function revokeInBatches(
  users: readonly DoomedUser[],
  plan: RevocationPlan,
): Promise<readonly RevokeOutcome[]> {
  const outcomes = new Map<string, RevokeOutcome>();
  const custom = users.filter((user) => plan.isCustom(user));
  const isCustom = new Set(custom.map(({ username }) => username));
  const builtIn = [...new Set(users.map(({ username }) => username))].filter((name) => !isCustom.has(name));
  try {
    for (let start = 0; start < builtIn.length; start += plan.batchMax) {
      await plan.dropBatch(builtIn.slice(start, start + plan.batchMax), outcomes);
    }
    for (const user of custom) outcomes.set(user.username, await plan.runCustom(user));
  } catch (error) {
    const failure = plan.failure(error);
    return users.map(({ username }) => outcomes.get(username) ?? (outcomes.has(username) ? null : failure));
  }
  return users.map(({ username }) => outcomes.get(username) ?? null);
}
