import type { Problem, Trial } from "../../trial.ts";
import type { ElasticsearchConnection } from "./connection.ts";

/** Lends the administrator's connection. @throws DatabaseError. */
type Use = <T>(work: (connection: ElasticsearchConnection) => Promise<T>) => Promise<T>;

/** The cluster privilege for everything about users and roles. @see Elasticsearch's security privileges. */
const PRIVILEGE = "manage_security";

/** How a user's life is tried on Elasticsearch. */
export class ElasticsearchTrial implements Trial {
  /** With a role of its own that may nothing, so that the making of roles is tried too. */
  readonly plainUser = [JSON.stringify({ elasticsearch_role_definition: { cluster: [] } })];
  readonly #use: Use;

  constructor(use: Use) {
    this.#use = use;
  }

  /** Everybody may ask what rights he has. An answer that is none decides nothing: what follows is tried. */
  async rehearse(): Promise<readonly Problem[]> {
    const { status, body } = await this.#use((connection) =>
      connection.ask("POST", "/user/_has_privileges", { cluster: [PRIVILEGE] }),
    );
    if (status !== 200 || body.has_all_requested !== false) return [];
    const words = `it does not have the cluster privilege ${PRIVILEGE}`;
    return [{ what: "make and delete users and roles", words, keepsUsers: true }];
  }
}
