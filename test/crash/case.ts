import type { Ended, RunOptions, World } from "../e2e/world.ts";

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

export const NOTHING: Found = { leases: [], users: [] };

export interface Recovered {
  /** What daemons said that had something to warn of, or failed. */
  readonly complaints: readonly string[];
  readonly leases: number;
  readonly differences: readonly unknown[];
}

/** How a recovery that went well looks, with so many leases in force. */
export function recovered(leases: number): Recovered {
  return { complaints: [], leases, differences: [] };
}

/** A store whose commands are killed, with one role, and the users that were made for it. */
export abstract class KillCase {
  readonly world: World;
  readonly credsPath: string;
  readonly role: string;
  /** What an operation's preparation leaves to its command: a lease's id, an old password. */
  memory = "";
  readonly #recoveryMs: number;

  /** @param recoveryMs - Longer than any lease, pending or taken, waits for a process that is gone. */
  constructor(world: World, credsPath: string, role: string, recoveryMs: number) {
    this.world = world;
    this.credsPath = credsPath;
    this.role = role;
    this.#recoveryMs = recoveryMs;
  }

  /** The users of the role that are there, by their names. */
  abstract users(): Promise<string[]>;

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
  async recover(offsetMs = this.#recoveryMs): Promise<Recovered> {
    const line = "daemon -once -log-level=warn";
    const daemons = [await this.at(offsetMs, line), await this.at(offsetMs + this.#recoveryMs, line)];
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

function symmetricDifference(left: readonly string[], right: readonly string[]): string[] {
  return [...new Set(left).symmetricDifference(new Set(right))];
}
