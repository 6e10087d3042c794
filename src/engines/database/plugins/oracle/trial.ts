import { StatementRefused } from "../../failures.ts";
import type { NewUser } from "../../plugin.ts";
import type { Problem, Trial } from "../../trial.ts";
import type { Session } from "./connection.ts";
import { identifier, sessionsOf } from "./drop-user.ts";
import type { OracleSettings } from "./settings.ts";

/** Lends one of the administrator's sessions. @throws DatabaseError. */
type Use = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

interface Need {
  /** A system privilege. */
  readonly privilege: string;
  readonly what: string;
}

/** What the built-in plan cannot do without. */
const NEEDS: readonly Need[] = [
  { privilege: "CREATE USER", what: "make users" },
  { privilege: "ALTER USER", what: "lock users and change their passwords" },
  { privilege: "GRANT ANY PRIVILEGE", what: "take the right to log in from users" },
  { privilege: "GRANT ANY ROLE", what: "take the role CONNECT from users" },
  { privilege: "DROP USER", what: "drop users" },
];
const TO_END_SESSIONS: Need = { privilege: "ALTER SYSTEM", what: "end the sessions of users" };

/** How a user's life is tried on Oracle, where data definition commits by itself. */
export class OracleTrial implements Trial {
  readonly plainUser = [
    'CREATE USER {{name}} IDENTIFIED BY "{{password}}"',
    "GRANT CREATE SESSION TO {{name}}",
  ];
  readonly #use: Use;
  readonly #settings: Pick<OracleSettings, "username" | "endsSessions">;

  constructor(use: Use, settings: Pick<OracleSettings, "username" | "endsSessions">) {
    this.#use = use;
    this.#settings = settings;
  }

  /** The server lists the privileges that are in force, those of roles too, by their names. */
  rehearse({ username }: NewUser): Promise<readonly Problem[]> {
    const { endsSessions } = this.#settings;
    const needs = endsSessions ? [...NEEDS, TO_END_SESSIONS] : NEEDS;
    return this.#use(async (session) => {
      const rows = await session.query("SELECT privilege FROM session_privs");
      const held = new Set(rows.map(({ PRIVILEGE }) => String(PRIVILEGE)));
      const missing = needs
        .filter(({ privilege }) => !held.has(privilege))
        .map(({ privilege, what }) =>
          this.#problem(what, `it does not have the privilege ${privilege}`, privilege),
        );
      return endsSessions ? [...missing, ...(await this.#seeing(session, username))] : missing;
    });
  }

  async #seeing(session: Session, username: string): Promise<readonly Problem[]> {
    try {
      await sessionsOf(session, username);
      return [];
    } catch (error) {
      if (!(error instanceof StatementRefused)) throw error;
      return [this.#problem("see the sessions of users", error.message, "SELECT ON sys.gv_$session")];
    }
  }

  #problem(what: string, words: string, privilege: string): Problem {
    const remedy = `GRANT ${privilege} TO ${identifier(this.#settings.username)}`;
    return { what, words, remedy, keepsUsers: true };
  }
}
