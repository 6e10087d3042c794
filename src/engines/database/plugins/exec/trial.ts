import { messageOf } from "../../../../base/errors.ts";
import { DatabaseError, type DatabasePlugin, type NewUser } from "../../plugin.ts";
import type { Problem, Trial } from "../../trial.ts";

/**
 * How a user's life is tried with a program: by the operations that it has anyway. Only on request: what making a user means, and
 * what it costs, is the program's business.
 */
export class ExecTrial implements Trial {
  readonly plainUser: readonly string[] = [];
  readonly isOnRequestOnly = true;
  readonly #plugin: Pick<DatabasePlugin, "deleteUsers">;

  constructor(plugin: Pick<DatabasePlugin, "deleteUsers">) {
    this.#plugin = plugin;
  }

  /** A program has to take the end of a user that was never made. */
  async rehearse({ username }: NewUser): Promise<readonly Problem[]> {
    const [failure = null] = await this.#plugin.deleteUsers([{ username, revocationStatements: [] }]);
    if (failure === null) return [];
    if (failure instanceof DatabaseError && failure.kind === "unreachable") throw failure;
    return [{ what: "take a user away", words: messageOf(failure), keepsUsers: true }];
  }
}
