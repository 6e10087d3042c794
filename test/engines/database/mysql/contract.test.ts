import type { JsonObject } from "../../../../src/base/json.ts";
import { type MysqlFlavour, type MysqlServer, mysqlMissing, startMysql } from "../../../servers/mysql.ts";
import { databaseContract, type PluginServer, type Session } from "../contract.ts";
import type { Login } from "../world.ts";
import { CREATE_USER } from "./fixture.ts";

class MysqlContract implements PluginServer {
  readonly pluginName = "mysql-database-plugin";
  readonly usernamePattern = /^v-root-contract-[A-Za-z0-9]{16}$/;
  readonly role = { creation_statements: [CREATE_USER, "GRANT SELECT ON app.* TO '{{name}}'@'%'"] };
  readonly failingCreation = {
    creation_statements: [CREATE_USER, "GRANT SELECT ON mysql.* TO '{{name}}'@'%'"],
  };
  readonly canEndSessions = true;
  readonly #server: MysqlServer;

  constructor(server: MysqlServer) {
    this.#server = server;
  }

  async newAdmin(): Promise<JsonObject> {
    return { connection_url: this.#server.url(), ...(await this.#server.createAdmin()) };
  }

  async newPowerlessAdmin(): Promise<JsonObject> {
    return { connection_url: this.#server.url(), ...(await this.#server.createAdmin(undefined, "")) };
  }

  async logIn({ username, password }: Login): Promise<Session> {
    const client = await this.#server.connect({ user: username, password });
    return {
      isAlive: () =>
        client.query("SELECT COUNT(*) FROM app.items").then(
          () => true,
          () => false,
        ),
      close: async () => client.destroy(),
    };
  }

  users(): Promise<readonly string[]> {
    return this.#server.users();
  }

  async dropUser(username: string): Promise<void> {
    await this.#server.query("DROP USER ?@'%'", [username]);
  }

  halt(): Promise<void> {
    return this.#server.halt();
  }

  resume(): Promise<void> {
    return this.#server.resume();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

for (const flavour of ["MariaDB", "MySQL"] satisfies MysqlFlavour[]) {
  databaseContract({
    title: flavour,
    missing: mysqlMissing(flavour),
    start: async () => new MysqlContract(await startMysql({ flavour })),
  });
}
