import type { JsonObject } from "../../../../src/base/json.ts";
import { type CassandraServer, cassandraMissing, startCassandra } from "../../../servers/cassandra.ts";
import { databaseContract, type PluginServer, type Session } from "../contract.ts";
import type { Login } from "../world.ts";

const CREATE = `CREATE USER '{{username}}' WITH PASSWORD '{{password}}' NOSUPERUSER`;

class CassandraContract implements PluginServer {
  readonly pluginName = "cassandra-database-plugin";
  readonly usernamePattern = /^v_root_contract_[a-z0-9]{20}_[0-9]{10}$/;
  readonly role = { creation_statements: [CREATE, "GRANT SELECT ON app.things TO '{{username}}'"] };
  readonly failingCreation = {
    creation_statements: [CREATE, "GRANT SELECT ON app.nothing TO '{{username}}'"],
  };
  readonly canEndSessions = true;
  readonly #server: CassandraServer;
  #adminCount = 0;

  constructor(server: CassandraServer) {
    this.#server = server;
  }

  static async start(): Promise<CassandraContract> {
    const server = await startCassandra();
    await server.query(
      "CREATE KEYSPACE app WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    );
    await server.query("CREATE TABLE app.things (id int PRIMARY KEY)");
    return new CassandraContract(server);
  }

  /** No superuser: it may make roles, drop and see them, and hand out what it holds itself. */
  newAdmin(): Promise<JsonObject> {
    return this.#newRole(
      ...["CREATE", "ALTER", "DROP", "DESCRIBE", "AUTHORIZE"].map((right) => `${right} ON ALL ROLES`),
      ...["SELECT", "AUTHORIZE"].map((right) => `${right} ON KEYSPACE app`),
    );
  }

  /** It may see roles, without which it could not be configured. */
  newPowerlessAdmin(): Promise<JsonObject> {
    return this.#newRole("DESCRIBE ON ALL ROLES");
  }

  async #newRole(...rights: readonly string[]): Promise<JsonObject> {
    this.#adminCount += 1;
    const login = { username: `admin_${this.#adminCount}`, password: `adm1n'${this.#adminCount}-s3cret` };
    const password = login.password.replaceAll("'", "''");
    await this.#server.query(`CREATE ROLE ${login.username} WITH LOGIN = true AND PASSWORD = '${password}'`);
    for (const right of rights) await this.#server.query(`GRANT ${right} TO ${login.username}`);
    return { hosts: "127.0.0.1", port: this.#server.port, ...login };
  }

  async logIn(login: Login): Promise<Session> {
    const client = await this.#server.connect(login);
    return {
      isAlive: () =>
        client.execute("SELECT * FROM app.things").then(
          () => true,
          () => false,
        ),
      close: () => client.shutdown(),
    };
  }

  async users(): Promise<readonly string[]> {
    const rows = await this.#server.query("LIST ROLES");
    return rows.map(({ role }) => String(role));
  }

  async dropUser(username: string): Promise<void> {
    await this.#server.query(`DROP ROLE '${username}'`);
  }

  halt = () => this.#server.kill();
  resume = () => this.#server.restart();
  stop = () => this.#server.stop();
}

databaseContract({
  title: "Cassandra",
  missing: cassandraMissing(),
  // Two starts of a Java server, perhaps on a busy machine.
  timeoutMs: 180_000,
  start: () => CassandraContract.start(),
});
