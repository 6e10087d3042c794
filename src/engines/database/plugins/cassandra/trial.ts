import { StatementRefused } from "../../failures.ts";
import type { Problem, Trial, TrialStep } from "../../trial.ts";
import type { CassandraConnection } from "./connection.ts";

/** Lends the administrator's connection. @throws DatabaseError. */
type Use = <T>(work: (connection: CassandraConnection) => Promise<T>) => Promise<T>;

const ALL_ROLES = "<all roles>";

/**
 * How a user's life is tried on Cassandra. Who makes a role is given the rights to change and to drop it, so that the right to make
 * one is all that there has to be.
 */
export class CassandraTrial implements Trial {
  /** By the plugin's own statement. */
  readonly plainUser: readonly string[] = [];
  readonly #use: Use;
  readonly #administrator: string;

  constructor(use: Use, administrator: string) {
    this.#use = use;
    this.#administrator = administrator;
  }

  rehearse(): Promise<readonly Problem[]> {
    const self = quoted(this.#administrator);
    return this.#use(async (connection) => {
      try {
        const held = await connection.query(`LIST ALL PERMISSIONS OF ${self}`);
        if (held.some(({ resource, permission }) => resource === ALL_ROLES && permission === "CREATE"))
          return [];
        const roles = await connection.query(`LIST ROLES OF ${self}`);
        if (roles.some((role) => role.super === true)) return [];
      } catch (error) {
        // Where permissions are not kept there are none to be listed, and none to be missed.
        if (error instanceof StatementRefused) return [];
        throw error;
      }
      const words = `it holds no CREATE permission on ${ALL_ROLES}`;
      return [
        { what: "make users", words, remedy: `GRANT CREATE ON ALL ROLES TO ${self}`, keepsUsers: true },
      ];
    });
  }

  /** The server names the permission and what it would have to be on. */
  async remedyFor(_step: TrialStep, refusal: Error): Promise<string | undefined> {
    const found = /has no (\w+) permission on <([a-z ]+?)(?: ([^>]+))?>/.exec(refusal.message);
    if (found === null) return undefined;
    const [, permission = "", kind = "", name = ""] = found;
    const resource = RESOURCES[kind]?.(name);
    return resource && `GRANT ${permission} ON ${resource} TO ${quoted(this.#administrator)}`;
  }
}

/** What the server calls a resource, as a GRANT has it. */
const RESOURCES: Readonly<Record<string, (name: string) => string>> = {
  "all roles": () => "ALL ROLES",
  "all keyspaces": () => "ALL KEYSPACES",
  keyspace: (name) => `KEYSPACE ${name}`,
  table: (name) => `TABLE ${name}`,
  role: (name) => `ROLE ${quoted(name)}`,
};

/** A role's name, which keeps its case in double quotes only. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
