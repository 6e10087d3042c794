import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../../../../src/base/json.ts";
import { temporaryDirectory } from "../../../servers/process.ts";
import { databaseContract, type PluginServer, type Session } from "../contract.ts";
import type { Login } from "../world.ts";

const EXAMPLE = join(import.meta.dir, "../../../../docs/examples/htpasswd-plugin");

function missing(): string | undefined {
  try {
    execFileSync("python3", ["--version"], { stdio: "pipe" });
    execFileSync("openssl", ["version"], { stdio: "pipe" });
    return undefined;
  } catch {
    return "no python3 or no openssl here";
  }
}

function hashOf(password: string, salt?: string): string {
  const args = ["passwd", "-6", "-stdin", ...(salt === undefined ? [] : ["-salt", salt])];
  return execFileSync("openssl", args, { input: `${password}\n`, encoding: "utf8" }).trim();
}

/** A web server's password file, and the example of the documentation, which manages it. */
class PasswordFileContract implements PluginServer {
  readonly pluginName = "exec-database-plugin";
  readonly usernamePattern = /^v-root-contract-[A-Za-z0-9]{20}-[0-9]{10}$/;
  readonly role = {};
  readonly failingCreation = { creation_statements: ["GRANT everything"] };
  readonly canEndSessions = true;
  readonly #directory = temporaryDirectory("vsec-exec-");
  readonly #file = join(this.#directory.path, "passwords");
  readonly #program: string;
  #adminCount = 0;

  constructor() {
    // The folder that the plugin's process was told of; the first use of the engine in this process reads it.
    const plugins = join(this.#directory.path, "plugins");
    mkdirSync(plugins, { mode: 0o755 });
    process.env.VSEC_PLUGIN_DIRECTORY = plugins;
    this.#program = join(plugins, "htpasswd-plugin");
    copyFileSync(EXAMPLE, this.#program);
    chmodSync(this.#program, 0o755);
    writeFileSync(this.#file, "", { mode: 0o600 });
  }

  async newAdmin(): Promise<JsonObject> {
    this.#adminCount += 1;
    const login = { username: `admin-${this.#adminCount}`, password: `adm1n-${this.#adminCount}-s3cret` };
    writeFileSync(this.#file, `${this.#text()}${login.username}:${hashOf(login.password)}\n`);
    return { program: this.#program, file: this.#file, ...login };
  }

  #text(): string {
    return readFileSync(this.#file, "utf8");
  }

  #entries(): ReadonlyMap<string, string> {
    const lines = this.#text()
      .split("\n")
      .filter((line) => line !== "");
    return new Map(lines.map((line) => line.split(":") as [string, string]));
  }

  /** Each request to a web server is a login. */
  async logIn({ username, password }: Login): Promise<Session> {
    const isAlive = async () => {
      const stored = this.#entries().get(username);
      return stored !== undefined && hashOf(password, stored.split("$")[2]) === stored;
    };
    if (!(await isAlive())) throw new Error("401 Unauthorized");
    return { isAlive, close: async () => undefined };
  }

  async users(): Promise<readonly string[]> {
    return [...this.#entries().keys()];
  }

  async dropUser(username: string): Promise<void> {
    const kept = [...this.#entries()].filter(([name]) => name !== username);
    writeFileSync(this.#file, kept.map(([name, stored]) => `${name}:${stored}\n`).join(""));
  }

  async halt(): Promise<void> {
    renameSync(this.#file, `${this.#file}.away`);
  }

  async resume(): Promise<void> {
    renameSync(`${this.#file}.away`, this.#file);
  }

  async stop(): Promise<void> {
    this.#directory.remove();
  }
}

const reason = missing();
databaseContract({
  title: "the documentation's exec plugin for password files",
  missing: reason,
  start: async () => new PasswordFileContract(),
});
