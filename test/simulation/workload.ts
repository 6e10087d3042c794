import type { JsonObject } from "../../src/base/json.ts";
import type { ApiRequest, ApiResponse } from "../../src/contract/wire.ts";
import type { Chance } from "./chance.ts";
import { type Credential, Violation, type Watch } from "./invariants.ts";
import { CONFIG, type Process, ROLE, STATIC_ROLE, type World } from "./world.ts";

type Wire = Omit<ApiRequest, "token">;

interface Issue {
  readonly lease_id: string;
  readonly lease_duration: number;
  readonly data: { readonly username: string };
}

const put = (path: string, body: ApiRequest["body"] = {}): Wire => ({ method: "PUT", path, body });

/** What people do, one request after the other, in one process. */
export class Workload {
  readonly #world: World;
  readonly #watch: Watch;
  readonly #chance: Chance;
  readonly #ttlSeconds: number;
  readonly #preflights: number;
  /** What was asked and answered, for who replays a seed. */
  readonly journal: string[] = [];

  /** @param preflights - The part of preflights beyond the usual. */
  constructor(world: World, watch: Watch, chance: Chance, ttlSeconds: number, preflights = 0) {
    this.#world = world;
    this.#watch = watch;
    this.#chance = chance;
    this.#ttlSeconds = ttlSeconds;
    this.#preflights = preflights;
  }

  /** Does one thing. @throws Violation when the answer itself is one. */
  async act(process: Process): Promise<unknown> {
    const dice = this.#chance.int(124) - 24;
    if (this.#preflights > 0 && this.#chance.roll(this.#preflights)) {
      return this.#plain(process, put("database/preflight/db"));
    }
    if (dice < 0) return this.#actOnStatic(process, dice + 24);
    if (dice < 38) return this.#read(process, this.#chance.pick(["read", "readonly", "capped"]));
    if (dice < 50) return this.#renew(process);
    if (dice < 60) return this.#revoke(process);
    if (dice < 67) return this.#revokePrefix(process);
    if (dice < 72) return this.#plain(process, put("database/rotate-root/db"));
    if (dice < 76) return this.#plain(process, put("database/preflight/db"));
    if (dice < 79) return this.#disable(process);
    if (dice < 83) return this.#plain(process, put("database/config/db", this.#someConfig()));
    if (dice < 85) return this.#plain(process, { method: "DELETE", path: "database/config/db" });
    if (dice < 88) return this.#plain(process, put("database/roles/read", this.#someRole()));
    if (dice < 89) return this.#plain(process, { method: "DELETE", path: "database/roles/readonly" });
    if (dice < 91) return this.#enable(process);
    const seconds = this.#chance.pick([10, 100, this.#ttlSeconds, this.#ttlSeconds * 2]);
    return this.#world.scheduler.sleep(process, this.#chance.int(seconds * 1000));
  }

  /** @param dice - 0 to 23. */
  async #actOnStatic(process: Process, dice: number): Promise<unknown> {
    if (dice < 12) return this.#plain(process, put("database/rotate-role/svc"));
    if (dice < 15) return this.#plain(process, { method: "GET", path: "database/static-creds/svc" });
    if (dice < 17) return this.#plain(process, put("database/static-roles/svc", this.#someStaticRole()));
    if (dice < 19) return this.#plain(process, { method: "DELETE", path: "database/static-roles/svc" });
    if (dice < 21) return this.#changeOutside();
    return this.#plain(
      process,
      put("database/config/db", { rotation_period: this.#chance.pick([0, 100, 400]) }),
    );
  }

  #someStaticRole(): JsonObject {
    return {
      ...STATIC_ROLE,
      username: this.#staticUser,
      rotation_period: this.#chance.pick([20, 150, 1000]),
    };
  }

  /** Somebody changes the static role's password behind everybody's back. */
  #changeOutside(): void {
    this.journal.push(
      `${this.#world.scheduler.elapsedMs} somebody changes the password of ${this.#staticUser}`,
    );
    this.#world.database.changeOutside(this.#staticUser);
  }

  #someConfig(): ApiRequest["body"] {
    const password = this.#chance.roll(0.5) ? {} : { password: "initial" };
    return { max_open_connections: this.#chance.int(9), ...password };
  }

  #someRole(): ApiRequest["body"] {
    return { ...ROLE, default_ttl: this.#chance.pick([this.#ttlSeconds, 30]) };
  }

  async #plain(process: Process, wire: Wire): Promise<ApiResponse> {
    const name = `${process.name} ${wire.method} ${wire.path} ${JSON.stringify(wire.body ?? "")}`;
    this.journal.push(`${this.#world.scheduler.elapsedMs} ${name}`);
    const answer = await this.#world.request(process, wire);
    const text = JSON.stringify(answer.body)?.slice(0, 300);
    this.journal.push(`${this.#world.scheduler.elapsedMs} ${name} -> ${answer.status} ${text}`);
    if (text?.includes("internal error")) throw new Violation("unanswered", `${name}: ${text}`);
    return answer;
  }

  /** Runs a request and tells the earliest wall time that it can have seen. */
  async #timed(process: Process, wire: Wire): Promise<{ answer: ApiResponse; sawMin: number }> {
    const { scheduler } = this.#world;
    const [wall, elapsed] = [scheduler.wall, scheduler.elapsedMs];
    const answer = await this.#plain(process, wire);
    return { answer, sawMin: Math.min(wall, scheduler.wall - (scheduler.elapsedMs - elapsed)) };
  }

  async #read(process: Process, role: string): Promise<void> {
    const { answer, sawMin } = await this.#timed(process, { method: "GET", path: `database/creds/${role}` });
    if (answer.status !== 200) return;
    const body = answer.body as unknown as Issue;
    const isRevocationAsked = this.#prefixesAsked.some((asked) => body.lease_id.startsWith(asked.prefix));
    this.#watch.issued({
      leaseId: body.lease_id,
      username: body.data.username,
      endsAtMin: sawMin + body.lease_duration * 1000,
      renewals: 0,
      isRevocationAsked,
      isRevocationConfirmed: false,
    });
  }

  /** Revocations by prefix that have begun, and so may or may not meet what is being issued now. */
  readonly #prefixesAsked: { prefix: string }[] = [];

  #admins = 0;
  /** Each mount has a user of its own, for the same reason. */
  #staticUser = "svc";

  #someCredential(): Credential | undefined {
    const all = [...this.#watch.credentials.values()];
    return all.length === 0 ? undefined : all[this.#chance.int(all.length)];
  }

  async #renew(process: Process): Promise<void> {
    const credential = this.#someCredential();
    if (credential === undefined) return this.#read(process, "read");
    const increment = this.#chance.pick([5, 20, this.#ttlSeconds, this.#ttlSeconds * 3]);
    const { scheduler } = this.#world;
    credential.renewals += 1;
    const before = credential.endsAtMin;
    // Until it is answered, and also when it never is, either end may be the one that holds.
    credential.endsAtMin = Math.min(before, scheduler.wall + increment * 1000);
    const body = { lease_id: credential.leaseId, increment };
    const { answer, sawMin } = await this.#timed(process, put("sys/leases/renew", body));
    if (answer.status !== 200) return;
    const seconds = (answer.body as unknown as Issue).lease_duration;
    // With others under way nobody can say which was last.
    if (credential.renewals > 1) {
      credential.endsAtMin = Math.min(credential.endsAtMin, sawMin + seconds * 1000);
    } else {
      credential.endsAtMin = sawMin + seconds * 1000;
      credential.renewals = 0;
    }
  }

  async #revoke(process: Process): Promise<void> {
    const credential = this.#someCredential();
    if (credential === undefined) return this.#read(process, "readonly");
    credential.isRevocationAsked = true;
    const answer = await this.#plain(
      process,
      put("sys/leases/revoke", { lease_id: credential.leaseId, sync: true }),
    );
    if (answer.status === 204) this.#confirm([credential]);
  }

  async #revokePrefix(process: Process): Promise<void> {
    const prefix = this.#chance.pick(["database/creds/read", "database/creds", "database"]);
    await this.#endUnder(`${prefix}/`, put(`sys/leases/revoke-prefix/${prefix}`, { sync: true }), process);
  }

  async #disable(process: Process): Promise<void> {
    await this.#endUnder("database/", { method: "DELETE", path: "sys/mounts/database" }, process);
  }

  /** A revocation of many. Who was issued before it and is below it must be gone when it says so. */
  async #endUnder(prefix: string, wire: Wire, process: Process): Promise<void> {
    const asked = [...this.#watch.credentials.values()].filter((one) => one.leaseId.startsWith(prefix));
    for (const credential of asked) credential.isRevocationAsked = true;
    this.#prefixesAsked.push({ prefix });
    const answer = await this.#plain(process, wire);
    if (answer.status === 204 && wire.method !== "DELETE") this.#confirm(asked);
  }

  async #enable(process: Process): Promise<void> {
    const { status } = await this.#plain(process, put("sys/mounts/database", { type: "database" }));
    if (status !== 204) return;
    // Two mounts that rotate one administrator's password would lock each other out, and nobody could help it.
    this.#admins += 1;
    const username = `admin-${this.#admins}`;
    await this.#plain(process, put("database/config/db", { ...CONFIG, username }));
    await this.#plain(process, put("database/roles/read", this.#someRole()));
    this.#staticUser = `svc-${this.#admins}`;
    await this.#plain(process, put("database/static-roles/svc", this.#someStaticRole()));
  }

  #confirm(credentials: readonly Credential[]): void {
    for (const credential of credentials) credential.isRevocationConfirmed = true;
  }
}
