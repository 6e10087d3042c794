import type { JsonObject } from "../../../../src/base/json.ts";
import { REDIS_ADMIN, type RedisServer, redisMissing, startRedis } from "../../../servers/redis.ts";
import { databaseContract, type PluginServer, type Session } from "../contract.ts";
import type { Login } from "../world.ts";

class RedisContract implements PluginServer {
  readonly pluginName = "redis-database-plugin";
  readonly usernamePattern = /^V_ROOT_CONTRACT_[A-Z0-9]{20}_[0-9]{10}$/;
  readonly role = { creation_statements: [JSON.stringify(["~*", "+ping"])] };
  readonly failingCreation = { creation_statements: [JSON.stringify(["+ping", "+@no-such-category"])] };
  readonly canEndSessions = true;
  readonly #server: RedisServer;
  #adminCount = 0;

  constructor(server: RedisServer) {
    this.#server = server;
  }

  newAdmin(): Promise<JsonObject> {
    return this.#newUser("+ping", "+acl", "+client|kill", "+config|rewrite");
  }

  /** It can be configured: that a server keeps its users is tried with it. */
  newPowerlessAdmin(): Promise<JsonObject> {
    return this.#newUser("+ping", "+config|rewrite");
  }

  async #newUser(...rules: readonly string[]): Promise<JsonObject> {
    this.#adminCount += 1;
    const login = { username: `admin-${this.#adminCount}`, password: `adm1n-${this.#adminCount}-s3cret` };
    await this.#admin("ACL", "SETUSER", login.username, "reset", "on", `>${login.password}`, ...rules);
    await this.#admin("CONFIG", "REWRITE");
    return { host: "127.0.0.1", port: this.#server.port, persistence_mode: "rewrite", ...login };
  }

  async #admin(...command: string[]): Promise<unknown> {
    return (await this.#server.run(REDIS_ADMIN, command))[0];
  }

  logIn(login: Login): Promise<Session> {
    return this.#server.session(login);
  }

  async users(): Promise<readonly string[]> {
    return (await this.#admin("ACL", "USERS")) as string[];
  }

  async dropUser(username: string): Promise<void> {
    await this.#admin("ACL", "DELUSER", username);
  }

  halt = () => this.#server.kill();
  resume = () => this.#server.restart();
  stop = () => this.#server.stop();
}

databaseContract({
  title: "Redis",
  missing: redisMissing(),
  start: async () => new RedisContract(await startRedis()),
});
