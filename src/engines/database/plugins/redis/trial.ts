import { DatabaseError, type NewUser } from "../../plugin.ts";
import type { Problem, Trial, TrialStep } from "../../trial.ts";
import type { RedisConnection } from "./connection.ts";

/** Lends the administrator's connection. @throws DatabaseError. */
type Use = <T>(work: (connection: RedisConnection) => Promise<T>) => Promise<T>;

/** The first word of a refusal for want of a command in the administrator's rules. */
const NO_PERMISSION = "NOPERM";

/** How a user's life is tried on Redis and Valkey. */
export class RedisTrial implements Trial {
  /** By the plugin's own rules. */
  readonly plainUser: readonly string[] = [];
  readonly #use: Use;
  readonly #administrator: string;

  constructor(use: Use, administrator: string) {
    this.#use = use;
    this.#administrator = administrator;
  }

  /** What looks for a user and deletes it, sent together: on a name that nobody has both change nothing. */
  async rehearse({ username }: NewUser): Promise<readonly Problem[]> {
    const found = await this.#use((connection) =>
      Promise.all([
        this.#refusal(connection, "look for a user", ["ACL", "GETUSER", username]),
        this.#refusal(connection, "delete users", ["ACL", "DELUSER", username]),
      ]),
    );
    return found.filter((problem) => problem !== null);
  }

  async #refusal(
    connection: RedisConnection,
    what: string,
    command: readonly string[],
  ): Promise<Problem | null> {
    try {
      await connection.send(...command);
      return null;
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.kind !== "statement") throw error;
      return { what, words: error.message, remedy: this.#remedy(error), keepsUsers: true };
    }
  }

  async remedyFor(_step: TrialStep, refusal: Error): Promise<string | undefined> {
    return this.#remedy(refusal);
  }

  /** The server names the command that the rules lack, since version 7 with its subcommand. */
  #remedy(refusal: Error): string | undefined {
    if (!(refusal instanceof DatabaseError) || refusal.serverCode !== NO_PERMISSION) return undefined;
    const command = /'([a-z_]+(?:\|[a-z_]+)?)' command/.exec(refusal.message)?.[1];
    return command === undefined ? undefined : `ACL SETUSER ${this.#administrator} +${command}`;
  }
}
