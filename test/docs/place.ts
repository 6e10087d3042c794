/** Where a page's examples run: a machine of the reader's own, and the servers that the page speaks of. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { World } from "../e2e/world.ts";
import { type CassandraServer, cassandraMissing, startCassandra } from "../servers/cassandra.ts";
import { type FerretServer, ferretdbMissing, startFerretdb } from "../servers/ferretdb.ts";
import { type MotoServer, motoMissing, startMoto } from "../servers/moto.ts";
import { type MysqlServer, mysqlMissing, startMysql } from "../servers/mysql.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { type RedisServer, redisMissing, startRedis } from "../servers/redis.ts";
import { ReaderShell, type Surroundings } from "./shell.ts";

interface Kinds {
  readonly postgres: PostgresServer;
  readonly mariadb: MysqlServer;
  readonly redis: RedisServer;
  readonly cassandra: CassandraServer;
  readonly ferretdb: FerretServer;
  readonly moto: MotoServer;
}

export type ServerName = keyof Kinds;

interface Source<T> {
  /** Why there is none on this machine; undefined: there is. */
  missing(): string | undefined;
  start(): Promise<T>;
}

const SOURCES: { readonly [N in ServerName]: Source<Kinds[N]> } = {
  postgres: { missing: () => postgresMissing(18), start: () => startPostgres({ version: 18 }) },
  mariadb: { missing: () => mysqlMissing("MariaDB"), start: () => startMysql({ flavour: "MariaDB" }) },
  redis: { missing: redisMissing, start: () => startRedis({ aclFile: true }) },
  cassandra: { missing: cassandraMissing, start: startCassandra },
  ferretdb: { missing: ferretdbMissing, start: startFerretdb },
  moto: { missing: motoMissing, start: () => startMoto() },
};

export const serverMissing = (name: ServerName): string | undefined => SOURCES[name].missing();

/** The servers of a test file, each started when it is first asked for, and shared by the pages. */
export class Servers {
  readonly #running = new Map<ServerName, Promise<{ stop(): Promise<void> }>>();

  get<N extends ServerName>(name: N): Promise<Kinds[N]> {
    const running = this.#running.get(name) ?? SOURCES[name].start();
    this.#running.set(name, running);
    return running as Promise<Kinds[N]>;
  }

  async stop(): Promise<void> {
    for (const running of this.#running.values()) await (await running.catch(() => undefined))?.stop();
  }
}

export class Place {
  readonly world: World;
  readonly servers: Servers;
  /** Texts of the page that stand for something of the reader's own, and what they are here. */
  readonly replaced = new Map<string, string>();
  /** What is typed while a command runs, by how the command begins. */
  readonly typed = new Map<string, string>();
  /** Ends what was begun for the page, last first. */
  readonly #endings: (() => unknown)[] = [];
  #shell: ReaderShell | undefined;
  #startedBy: readonly string[] = [];
  #env: Readonly<Record<string, string>> = {};

  constructor(servers: Servers) {
    this.servers = servers;
    this.world = new World();
    mkdirSync(this.#notes);
    mkdirSync(join(this.world.home, "bin"));
  }

  get #notes(): string {
    return join(dirname(this.world.home), "notes");
  }

  /** The reader's shell, which is opened when it is first asked for. */
  get shell(): ReaderShell {
    this.#shell ??= new ReaderShell(this.surroundings);
    return this.#shell;
  }

  /** Has the shell be started by a program. To be called before it is opened. */
  shellStartedBy(program: readonly string[]): void {
    this.#startedBy = program;
  }

  /** Gives the shell variables. To be called before it is opened. */
  shellHas(env: Readonly<Record<string, string>>): void {
    this.#env = { ...this.#env, ...env };
  }

  /** Where the shell runs. */
  get surroundings(): Surroundings {
    const { home, binary, environment } = this.world;
    const { PATH = "", ...env } = environment;
    const path = [dirname(binary), join(home, "bin"), PATH].join(":");
    return {
      cwd: home,
      env: { ...env, PATH: path, LC_ALL: "C.UTF-8", ...this.#env },
      notes: this.#notes,
      startedBy: this.#startedBy,
    };
  }

  /** The folder that stands for `/` where a page writes to the system. */
  get root(): string {
    return join(dirname(this.world.home), "system");
  }

  /** A file, by the name that a page gives to it: from the home directory, or from `/`. */
  at(name: string): string {
    return name.startsWith("/") ? join(this.root, name) : join(this.world.home, name.replace(/^~\//, ""));
  }

  /** A program on the reader's path. */
  program(name: string, script: string): void {
    writeFileSync(this.at(`bin/${name}`), script, { mode: 0o700 });
  }

  /** A script of the reader's own, in the home directory. */
  script(name: string, text: string): void {
    writeFileSync(this.at(name), `#!/bin/sh\n${text}\n`, { mode: 0o700 });
  }

  /** Puts what is so here into a text of the page. */
  here(text: string): string {
    return swap(text, [...this.replaced]);
  }

  /** Puts what is so on the page into a text of here. */
  onPage(text: string): string {
    return swap(
      text,
      [...this.replaced].map(([from, to]) => [to, from]),
    );
  }

  /** Has something be done when the page is through. */
  finally(ending: () => unknown): void {
    this.#endings.unshift(ending);
  }

  async close(): Promise<void> {
    await this.#shell?.close();
    for (const ending of this.#endings) await ending();
    this.world.remove();
  }
}

/** Longer texts first, so that one that holds another is found. */
function swap(text: string, pairs: readonly (readonly [string, string])[]): string {
  const ordered = pairs.filter(([from]) => from !== "").sort(([a], [b]) => b.length - a.length);
  return ordered.reduce((result, [from, to]) => result.replaceAll(from, to), text);
}
