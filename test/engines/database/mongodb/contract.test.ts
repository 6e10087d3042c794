import type { JsonObject } from "../../../../src/base/json.ts";
import { type FerretServer, ferretdbMissing, startFerretdb } from "../../../servers/ferretdb.ts";
import { databaseContract, type PluginServer, type Session } from "../contract.ts";
import type { Login } from "../world.ts";

/** Short ones: the suite takes the server away. */
const TIMEOUTS = { server_selection_timeout: "2s", socket_timeout: "2s" };

class FerretContract implements PluginServer {
  readonly pluginName = "mongodb-database-plugin";
  readonly usernamePattern = /^v-root-contract-[A-Za-z0-9]{20}-[0-9]{10}$/;
  readonly role = { creation_statements: ['{"db": "admin", "roles": [{"role": "readWrite", "db": "app"}]}'] };
  readonly failingCreation = undefined;
  // FerretDB looks at a user only when it logs in.
  readonly canEndSessions = false;
  readonly #server: FerretServer;
  #adminCount = 0;

  constructor(server: FerretServer) {
    this.#server = server;
  }

  async newAdmin(): Promise<JsonObject> {
    this.#adminCount += 1;
    const login = { username: `admin-${this.#adminCount}`, password: `adm1n:${this.#adminCount}@s3cret/%` };
    await this.#server.run("admin", { createUser: login.username, pwd: login.password, roles: ["root"] });
    const url = `mongodb://{{username}}:{{password}}@127.0.0.1:${this.#server.port}/admin`;
    return { connection_url: url, ...TIMEOUTS, ...login };
  }

  async logIn(login: Login): Promise<Session> {
    const client = await this.#server.connect(login);
    return {
      isAlive: () =>
        client
          .db("app")
          .command({ find: "things" })
          .then(
            () => true,
            () => false,
          ),
      close: () => client.close(),
    };
  }

  async users(): Promise<readonly string[]> {
    const { users } = await this.#server.run("admin", { usersInfo: { forAllDBs: true } });
    return (users as readonly { user: string }[]).map(({ user }) => user);
  }

  async dropUser(username: string): Promise<void> {
    await this.#server.run("admin", { dropUser: username });
  }

  halt = () => this.#server.kill();
  resume = () => this.#server.restart();
  stop = () => this.#server.stop();
}

databaseContract({
  title: "the plugin for MongoDB, on FerretDB",
  missing: ferretdbMissing(),
  start: async () => new FerretContract(await startFerretdb()),
});
