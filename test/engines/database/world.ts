import type { JsonObject } from "../../../src/base/json.ts";
import { CoreWorld, dataOf } from "../../core/world.ts";
import type { PluginServer } from "./contract.ts";

/** A name and a password, as they are. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** A core with a database engine at `database/`, one connection to a real server, and the role `contract` on it. */
export class DatabaseWorld {
  readonly core: CoreWorld;
  /** The connection's details. */
  readonly admin: JsonObject;
  readonly adminName: string;
  readonly adminPassword: string;

  private constructor(core: CoreWorld, admin: JsonObject) {
    this.core = core;
    this.admin = admin;
    this.adminName = String(admin.username);
    this.adminPassword = String(admin.password);
  }

  /** @param connection - The connection's name. @param details - Those of an administrator there is; by default a new one is made. */
  static async on(server: PluginServer, connection: string, details?: JsonObject): Promise<DatabaseWorld> {
    const admin = details ?? (await server.newAdmin());
    const world = new DatabaseWorld(await CoreWorld.create(Date.now()), admin);
    await world.must("sys/mounts/database", { type: "database" });
    const config = { plugin_name: server.pluginName, allowed_roles: "*", ...admin };
    await world.must(`database/config/${connection}`, config);
    const terms = { db_name: connection, default_ttl: "1h", max_ttl: "24h" };
    await world.must("database/roles/contract", { ...terms, ...server.role });
    return world;
  }

  /** A write that has to succeed. @returns Its data. */
  async must(path: string, body: JsonObject = {}): Promise<JsonObject> {
    const answer = await this.core.put(path, body);
    if (answer.status >= 300) throw new TypeError(`${path}: ${JSON.stringify(answer)}`);
    return dataOf(answer);
  }

  /** Issues a user of a role. @throws TypeError with the answer when that is refused. */
  async issue(role = "contract"): Promise<{ readonly lease: string; readonly login: Login }> {
    const answer = await this.core.get(`database/creds/${role}`);
    if (answer.status !== 200) throw new TypeError(`no user: ${JSON.stringify(answer)}`);
    const { username, password } = dataOf(answer);
    const login = { username: String(username), password: String(password) };
    return { lease: (answer.body as { lease_id: string }).lease_id, login };
  }

  /** Revokes one lease, which has to succeed. */
  async revoke(lease: string): Promise<void> {
    await this.must("sys/leases/revoke", { lease_id: lease, sync: true });
  }

  async leaseCount(): Promise<number> {
    return (await this.core.barrier.scan("lease/", { limit: 1000 })).entries.length;
  }

  /** Lets time pass, with the daemon at work, until nothing is left to try again. */
  async settle(): Promise<void> {
    for (let round = 0; round < 12; round += 1) {
      await this.core.daemon();
      this.core.advance(60);
    }
  }

  close(): Promise<void> {
    return this.core.core.close();
  }
}
