/**
 * Where vsec is killed: one database server, and for every kill a store of its own, copied from one that is set up. A case
 * has a database role name of its own, by which its users are told from those of the cases beside it.
 */

import { cpSync } from "node:fs";
import { type Creds, initDatabase, readCreds, writeConfig } from "../e2e/database.ts";
import { type Ended, type RunOptions, World } from "../e2e/world.ts";
import { type PostgresServer, type PostgresVersion, startPostgres } from "../servers/postgres.ts";

/** Roles issue leases of this length. */
export const TTL_MS = 3600_000;
/** Longer than any lease, pending or taken, waits for a process that is gone. */
export const RECOVERY_MS = 200_000;
/** Beyond the end of every lease. */
const AT_LAST_MS = 25 * 3600_000;

export interface Lease {
  readonly id: string;
  readonly user: string;
  readonly state: string;
}

/** What is there, on both sides. */
export interface Found {
  readonly leases: readonly Lease[];
  readonly users: readonly string[];
}

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

export class Case {
  readonly server: PostgresServer;
  readonly world: World;
  readonly role: string;
  /** What an operation's preparation leaves to its command: a lease's id, an old password. */
  memory = "";

  /** A database beside the one that the connection is to, where everybody may make schemas. */
  readonly otherDatabase: string;

  constructor(server: PostgresServer, world: World, role: string, otherDatabase: string) {
    this.server = server;
    this.world = world;
    this.role = role;
    this.otherDatabase = otherDatabase;
  }

  get credsPath(): string {
    return `database/creds/${this.role}`;
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

  /** Runs a command as if the clock were ahead. */
  at(offsetMs: number, line: string, options: RunOptions = {}): Promise<Ended> {
    const env = { ...options.env, VSEC_CLOCK_OFFSET_MS: String(offsetMs) };
    return this.world.run(line, { ...options, env });
  }

  async leases(): Promise<Lease[]> {
    const listed = await this.world.run(`list -format=json sys/leases/lookup/${this.credsPath}`);
    const names =
      listed.code === 2 && listed.stdout === "{}\n" ? [] : (JSON.parse(listed.stdout) as string[]);
    return Promise.all(names.map((name) => this.#lease(`${this.credsPath}/${name}`)));
  }

  async #lease(id: string): Promise<Lease> {
    type Looked = { readonly data: { readonly principal: string; readonly state?: string } };
    const { data } = await this.world.json<Looked>(`lease lookup ${id}`);
    return { id, user: data.principal, state: data.state ?? "active" };
  }

  async users(): Promise<string[]> {
    const rows = await this.server.query<{ rolname: string }>(
      "SELECT rolname FROM pg_roles WHERE rolname LIKE $1 ORDER BY 1",
      [`v-%-${this.role}-%`],
    );
    return rows.map((row) => row.rolname);
  }

  /** Users without any lease: credentials that nobody will ever revoke. */
  async orphans(): Promise<string[]> {
    const users = await this.users();
    const found = await Promise.all(users.map((user) => this.world.run(`lease lookup ${user}`)));
    return users.filter((_, index) => found[index]?.code !== 0);
  }

  /**
   * Lets a daemon look when the dead process's claims have run out, and once more: where a creator may have been at work,
   * a lease is kept for a second look after all of a creation's time.
   */
  async recover(offsetMs = RECOVERY_MS): Promise<Recovered> {
    const line = "daemon -once -log-level=warn";
    const daemons = [await this.at(offsetMs, line), await this.at(offsetMs + RECOVERY_MS, line)];
    const [users, leases] = await Promise.all([this.users(), this.leases()]);
    const active = leases.filter(({ state }) => state === "active").map(({ user }) => user);
    return {
      complaints: daemons
        .filter(({ code, stderr }) => code !== 0 || stderr !== "")
        .map(({ stderr }) => stderr),
      leases: leases.length,
      // Empty where every lease is in force and has its user, and every user its lease.
      differences: [
        ...symmetricDifference(active, users),
        ...leases.filter(({ state }) => state !== "active"),
      ],
    };
  }

  /** The same when every lease has ended. */
  async recoverAtLast(): Promise<Found> {
    await this.at(AT_LAST_MS, "daemon -once");
    return { users: await this.users(), leases: await this.leases() };
  }
}

export interface Recovered {
  /** What daemons said that had something to warn of, or failed. */
  readonly complaints: readonly string[];
  readonly leases: number;
  readonly differences: readonly unknown[];
}

export const NOTHING: Found = { leases: [], users: [] };

/** How a recovery that went well looks, with so many leases in force. */
export function recovered(leases: number): Recovered {
  return { complaints: [], leases, differences: [] };
}

function symmetricDifference(left: readonly string[], right: readonly string[]): string[] {
  return [...new Set(left).symmetricDifference(new Set(right))];
}
