/**
 * What a plugin says to a preflight: which of the things that a user's life needs the administrator may not do.
 * A server with transactions about users is tried in one that is rolled back ({@link DatabasePlugin.preflight}). On all others a
 * user is really made and dropped again, under a record in the store, and a {@link Trial} says how.
 */

import type { NewUser } from "./plugin.ts";

/** Something that the administrator cannot do. */
export interface Problem {
  /** `make a user`: what follows "the administrator cannot". */
  readonly what: string;
  /** The server's own words, with its code. */
  readonly words: string;
  /** The statement that grants what is missing, where that is certain. Absent: it is not a matter of a grant, or not known. */
  readonly remedy?: string | undefined;
  /** A user that is made could not be taken away again: so none is made. */
  readonly keepsUsers?: true;
}

/** A step of a user's life that the plugin's own methods do. */
export type TrialStep = "create" | "delete";

/** How a user's life is tried where the server takes nothing back. All of its methods throw DatabaseError when the server could not be asked. */
export interface Trial {
  /** The creation statements of a plain user, which needs nothing that only a role knows of. */
  readonly plainUser: readonly string[];
  /** It is tried when somebody asks for it, and not whenever a connection is configured. */
  readonly isOnRequestOnly?: true;
  /** Tries, on a name that nobody has, what takes a user away. */
  rehearse(probe: NewUser): Promise<readonly Problem[]>;
  /** Tries what else is done to users, on one that is there now. */
  tryOn?(probe: NewUser): Promise<readonly Problem[]>;
  /** The statement that grants what a refused step needs. */
  remedyFor?(step: TrialStep, refusal: Error, probe: NewUser): Promise<string | undefined>;
}

/** One sentence: who cannot do what, in the server's words, and what would help. @param administrator - Its name; "": it has none. */
export function problemText({ what, words, remedy }: Problem, administrator: string): string {
  const who = administrator === "" ? "the administrator" : `the administrator "${administrator}"`;
  const help = remedy === undefined ? "" : `; grant it with: ${remedy}`;
  return `${who} cannot ${what}: ${words}${help}`;
}

const GRANT_ON = /^\s*GRANT\s+([\s\S]+?)\s+ON\s+([\s\S]+?)\s+TO\s/i;
const GRANT_ROLE = /^\s*GRANT\s+([\s\S]+?)\s+TO\s/i;

/**
 * What an SQL administrator must hold itself in order to run a role's GRANT: the same, with the right to hand it on.
 * @param grantee - The administrator, as the server writes it.
 * @returns Undefined for a statement that is no GRANT.
 */
export function grantToHandOn(statement: string, grantee: string): string | undefined {
  const onObject = GRANT_ON.exec(statement);
  if (onObject !== null) return `GRANT ${onObject[1]} ON ${onObject[2]} TO ${grantee} WITH GRANT OPTION`;
  const role = GRANT_ROLE.exec(statement);
  return role === null ? undefined : `GRANT ${role[1]} TO ${grantee} WITH ADMIN OPTION`;
}
