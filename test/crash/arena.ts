/**
 * Where vsec is killed: one database server, and for every kill a store of its own, copied from one that is set up. A case
 * has a database role name of its own, by which its users are told from those of the cases beside it.
 */

import { cpSync } from "node:fs";
import { type Creds, initDatabase, readCreds, writeConfig } from "../e2e/database.ts";
import { World } from "../e2e/world.ts";
import { type PostgresServer, type PostgresVersion, startPostgres } from "../servers/postgres.ts";
import { KillCase } from "./case.ts";

/** Roles issue leases of this length. */
export const TTL_MS = 3600_000;
/** Longer than any lease of a database user, pending or taken, waits for a process that is gone. */
export const RECOVERY_MS = 200_000;

export class Arena {
  readonly server: PostgresServer;
  readonly #template = new World("vsec-failpoints");
  readonly #cases: Case[] = [];
  readonly #otherDatabase: string;

  private constructor(server: PostgresServer, otherDatabase: string) {
    this.server = server;
    this.#otherDatabase = otherDatabase;
  }

  static async open(version: PostgresVersion): Promise<Arena> {
    const server = await startPostgres({ version });
    const otherDatabase = await server.createDatabase();
    await server.query(`GRANT CREATE ON DATABASE ${otherDatabase} TO PUBLIC`);
    const arena = new Arena(server, otherDatabase);
    await initDatabase(arena.#template, arena.server);
    return arena;
  }

  /** A new case: a copy of the store, with a role of its own. */
  async enter(): Promise<Case> {
    const world = new World("vsec-failpoints", { VSEC_SWEEP: "off" });
    cpSync(this.#template.store, world.store, { recursive: true });
    cpSync(this.#template.tokenFile, world.tokenFile);
    const role = `c${this.#cases.length + 1}`;
    const entered = new Case(this.server, world, role, this.#otherDatabase);
    this.#cases.push(entered);
    await world.ok([
      "write",
      `database/roles/${role}`,
      "db_name=pg",
      `creation_statements=${CREATE}`,
      TTL,
      MAX_TTL,
    ]);
    return entered;
  }

  async close(): Promise<void> {
    for (const { world } of this.#cases) world.remove();
    this.#template.remove();
    await this.server.stop();
  }
}

const CREATE = "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';";
const TTL = `default_ttl=${TTL_MS / 1000}`;
const MAX_TTL = "max_ttl=24h";

export class Case extends KillCase {
  readonly server: PostgresServer;
  /** A database beside the one that the connection is to, where everybody may make schemas. */
  readonly otherDatabase: string;

  constructor(server: PostgresServer, world: World, role: string, otherDatabase: string) {
    super(world, `database/creds/${role}`, role, RECOVERY_MS);
    this.server = server;
    this.otherDatabase = otherDatabase;
  }

  issue(): Promise<Creds> {
    return readCreds(this.world, this.credsPath);
  }

  /** Gives the connection an administrator of this case's own, whose password may change. @returns The password. */
  async useOwnAdmin(): Promise<string> {
    const admin = await this.server.createAdmin("createrole");
    await writeConfig(this.world, this.server, "database/config/pg", admin);
    return admin.password;
  }

  async users(): Promise<string[]> {
    const rows = await this.server.query<{ rolname: string }>(
      "SELECT rolname FROM pg_roles WHERE rolname LIKE $1 ORDER BY 1",
      [`v-%-${this.role}-%`],
    );
    return rows.map((row) => row.rolname);
  }
}
