/** The page about each kind of database. */

import { expect } from "bun:test";
import { cassandraMissing } from "../../servers/cassandra.ts";
import { ferretdbMissing } from "../../servers/ferretdb.ts";
import { mysqlMissing } from "../../servers/mysql.ts";
import { REDIS_ADMIN, redisMissing } from "../../servers/redis.ts";
import type { PageExamples } from "../examples.ts";
import type { Place } from "../place.ts";
import { initStore } from "./stores.ts";

const MISSING = {
  mariadb: mysqlMissing("MariaDB"),
  redis: redisMissing(),
  cassandra: cassandraMissing(),
  ferretdb: ferretdbMissing(),
};

/** The password that the page gives to each administrator. */
const PASSWORD = "a-first-password";

/** Kinds of which no server can be had: what they are given is read, stored and not tried. */
const NOT_HAD = ["elasticsearch", "mssql", "oracle"];

async function prepare(at: Place): Promise<void> {
  const { world, servers, replaced } = at;
  await initStore(at);
  world.file("admin-password", PASSWORD);
  for (const kind of NOT_HAD) {
    const plugin = `plugin_name=${kind}-database-plugin`;
    replaced.set(plugin, `${plugin} verify_connection=false`);
  }
  if (MISSING.mariadb === undefined) {
    const server = await servers.get("mariadb");
    await server.query("CREATE DATABASE shop");
    replaced.set("db.example:3306", `127.0.0.1:${server.port}`);
  }
  if (MISSING.redis === undefined) replaced.set("port=6379", `port=${(await servers.get("redis")).port}`);
  if (MISSING.cassandra === undefined) {
    const server = await servers.get("cassandra");
    await server.query(
      "CREATE KEYSPACE app WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    );
    replaced.set("hosts=10.0.0.1,10.0.0.2", `hosts=127.0.0.1 port=${server.port}`);
    replaced.set("local_datacenter=dc1", "local_datacenter=datacenter1");
  }
  if (MISSING.ferretdb === undefined) {
    const server = await servers.get("ferretdb");
    replaced.set("db.example:27017/admin?tls=true", `127.0.0.1:${server.port}/admin`);
  }
}

/** Statements of a fence, one a line, without their comments. */
const statementsOf = (text: string): readonly string[] =>
  text
    .trim()
    .split("\n")
    .map((line) => line.replace(/;( *--.*)?$/, ""));

async function runOnMariadb(at: Place, text: string): Promise<void> {
  const server = await at.servers.get("mariadb");
  for (const statement of statementsOf(text)) await server.query(statement);
}

async function runOnCassandra(at: Place, text: string): Promise<void> {
  const server = await at.servers.get("cassandra");
  for (const statement of statementsOf(text)) await server.query(statement);
}

async function runOnRedis(at: Place, text: string): Promise<void> {
  const server = await at.servers.get("redis");
  await server.run(REDIS_ADMIN, text.trim().split(" "));
}

/** What the page does in MongoDB's shell, which is JavaScript, is one call whose argument is a command for the server. */
async function runOnMongodb(at: Place, text: string): Promise<void> {
  const [, json = ""] = /\.createUser\(([\s\S]*)\)/.exec(text) ?? [];
  const { user, ...rest } = JSON.parse(json.replaceAll(/(\w+):/g, '"$1":')) as Record<string, unknown>;
  const server = await at.servers.get("ferretdb");
  await server.run("admin", { createUser: user, ...rest });
}

/** That a user of the role comes, and goes with its lease. */
async function issueAndRevoke({ world }: Place): Promise<void> {
  const { lease_id: lease } = await world.json<{ lease_id: string }>("read database/creds/reader");
  await world.ok(`lease revoke -sync ${lease}`);
}

const role = (connection: string): string => `vsec write database/roles/reader db_name=${connection}`;

export const DATABASES_PAGE: PageExamples = {
  page: "docs/databases.md",
  prepare,
  figures: {
    "CREATE USER 'vsec'": MISSING.mariadb ?? runOnMariadb,
    "ACL SETUSER": MISSING.redis ?? runOnRedis,
    "CREATE ROLE vsec": MISSING.cassandra ?? runOnCassandra,
    "db.getSiblingDB": MISSING.ferretdb ?? runOnMongodb,
  },
  skip: {
    "vsec write database/config/shop": MISSING.mariadb,
    "vsec write database/roles/app db_name=shop": MISSING.mariadb,
    "vsec read database/creds/app": MISSING.mariadb,
    "vsec write database/config/cache": MISSING.redis,
    [role("cache")]: MISSING.redis,
    "vsec write database/config/events": MISSING.cassandra,
    [role("events")]: MISSING.cassandra,
    "vsec write database/config/docs": MISSING.ferretdb,
    [role("docs")]: MISSING.ferretdb,
  },
  after: {
    "vsec read database/creds/app": async ({ world, servers }) => {
      await world.ok("write -force database/rotate-root/shop");
      await world.ok("lease revoke -prefix database/creds/app");
      const users = await (await servers.get("mariadb")).users();
      expect(users.filter((name) => name.startsWith("v-"))).toEqual([]);
    },
    [role("cache")]: issueAndRevoke,
    [role("events")]: issueAndRevoke,
    [role("docs")]: issueAndRevoke,
  },
};
