/** The pages about the first credential, about commands that get some, and about what is special to the database engine. */

import { expect } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../binary/built.ts";
import { CREATE_USER } from "../../e2e/database.ts";
import { addMariadbRole } from "../../e2e/mariadb.ts";
import { motoMissing } from "../../servers/moto.ts";
import { mysqlMissing } from "../../servers/mysql.ts";
import type { PageExamples } from "../examples.ts";
import type { Place } from "../place.ts";
import { programMissing } from "../programs.ts";
import { addAws } from "./aws.ts";
import { CI_PAGE } from "./ci.ts";
import { MOVING_PAGE } from "./moving.ts";
import {
  asOwner,
  contentOf,
  expectNoUsers,
  initDatabase,
  namesHost,
  runAsAdmin,
  withPostgres,
} from "./postgres.ts";
import { addMariadb } from "./servers.ts";

/** What the pages about commands take for granted: two roles, a secret, and a script that wants a password. */
async function prepareSecrets(at: Place): Promise<void> {
  await initDatabase(at, "pg", ["readonly", "app"]);
  await at.world.ok("secrets enable -path=secret kv-v2");
  await at.world.ok("kv put secret/app token=open-sesame");
  at.script("migrate.sh", 'test -n "$DB_USERNAME" && test -n "$DB_PASSWORD"');
  at.replaced.set("systemctl reload app", "touch reloaded");
}

const mysqlClientMissing = mysqlMissing("MariaDB") ?? programMissing("mysql");
const terraformMissing = motoMissing() ?? programMissing("terraform");

async function prepareRun(at: Place): Promise<void> {
  await prepareSecrets(at);
  at.typed.set("vsec run -pg", "SELECT current_user;\n");
  at.typed.set("vsec run -aws", "yes\n");
  at.world.file("main.tf", 'output "applied" {\n  value = true\n}\n');
  if (mysqlClientMissing === undefined) {
    await addMariadb(at, "mysql");
    await addMariadbRole(at.world, "readonly", "mysql");
  }
  if (terraformMissing === undefined) await addAws(at);
}

async function prepareAgent(at: Place): Promise<void> {
  await prepareSecrets(at);
  const { world } = at;
  world.file("app.hcl", 'path "database/creds/app" { capabilities = ["read"] }');
  await world.ok("policy write app app.hcl");
  at.script(
    "app",
    'grep -q "^user = \\"v-approle-app-" app.conf && test -n "$DB_PASSWORD" && touch served; exec sleep 60',
  );
  const daemon = await world.daemon();
  at.finally(async () => {
    daemon.kill("SIGTERM");
    await daemon.ended;
  });
  at.replaced.set("/run/vsec/daemon.sock", join(world.store, "daemon.sock"));
}

/** That the newest user may read the table that the owner has made. */
async function expectReader(at: Place): Promise<void> {
  const server = await at.servers.get("postgres");
  const client = await server.connect({ database: "app" });
  const [user] = await server.query<{ rolname: string }>(
    "SELECT quote_ident(rolname) AS rolname FROM pg_roles WHERE rolname LIKE 'v-%' ORDER BY oid DESC",
  );
  await client.query(`SET ROLE ${user?.rolname}; SELECT * FROM orders`);
  await client.end();
}

const FIRST: PageExamples = {
  page: "docs/first-credential.md",
  needs: ["postgres"],
  prepare: async (at) => {
    await withPostgres(at);
    await namesHost(at);
    at.replaced.set("operator init", "operator init -seal=key-file");
    at.replaced.set("/home/ann/.local/share/vsec", at.world.store);
    at.replaced.set("/home/ann", at.world.home);
  },
  figures: { "CREATE ROLE readers": runAsAdmin, "GRANT SELECT": asOwner },
  after: { "vsec read database/creds/readonly": expectReader, "vsec lease revoke": expectNoUsers },
};

const RUN: PageExamples = {
  page: "docs/run.md",
  needs: ["postgres"],
  prepare: prepareRun,
  skip: {
    "vsec run -pg": programMissing("psql"),
    "vsec run -mysql": mysqlClientMissing,
    "vsec run -aws": terraformMissing,
  },
  stays: { "vsec render -watch": (at) => existsSync(at.at("reloaded")) },
  after: {
    "vsec run -env DB": expectNoUsers,
    "vsec read -format=dotenv": (at) => expect(contentOf(at, ".env")).toContain("open-sesame"),
    "vsec render -out": (at) =>
      expect(contentOf(at, "app.conf")).toMatch(/^user = v-root-readonly-\S+\ntoken = open-sesame\n$/),
  },
};

const AGENT: PageExamples = {
  page: "docs/agent.md",
  needs: ["postgres"],
  prepare: prepareAgent,
  stays: { "vsec agent -config": (at) => existsSync(at.at("reloaded")) && existsSync(at.at("served")) },
  after: {
    "vsec agent -config": async (at) => {
      await expectNoUsers(at);
      rmSync(at.at("reloaded"));
    },
    "vsec agent -exit-after-auth": (at) =>
      expect(contentOf(at, "app.conf")).toStartWith('user = "v-approle-app-'),
  },
};

const STATIC_ROLES: PageExamples = {
  page: "docs/static-roles.md",
  needs: ["postgres"],
  prepare: async (at) => {
    await initDatabase(at, "pg", []);
    await namesHost(at);
    await asOwner(at, "CREATE ROLE billing LOGIN; CREATE ROLE report LOGIN");
  },
  figures: { "GRANT billing": asOwner },
};

const DATABASE: PageExamples = {
  page: "docs/database.md",
  needs: ["postgres"],
  prepare: async (at) => {
    await initDatabase(at, "pg", ["app"]);
    await namesHost(at);
    await runAsAdmin(at, "CREATE ROLE reports LOGIN PASSWORD 'of-someone-who-may-do-little'");
    at.world.file("reports-password", "of-someone-who-may-do-little");
  },
  figures: {
    "CREATE ROLE readers": async (at, text) => {
      const [make = "", grant = ""] = text.split("\n");
      await runAsAdmin(at, make);
      await asOwner(at, grant);
    },
  },
  after: {
    "vsec write database/roles/app": async (at) => {
      await at.world.ok("read database/creds/app");
      await expectReader(at);
    },
    // Somebody has made a user of this name, and nobody has a lease for it.
    "vsec write database/preflight/pg role=app": (at) =>
      runAsAdmin(at, 'CREATE ROLE "v-root-app-0QtP0EXyU8CzqVhA1kRd-1795880000" LOGIN'),
  },
};

const README: PageExamples = {
  page: "README.md",
  needs: ["postgres"],
  prepare: async (at) => {
    await withPostgres(at);
    await namesHost(at);
    at.world.file("readonly.sql", CREATE_USER);
    at.replaced.set("operator init", "operator init -seal=key-file");
    at.typed.set("vsec run -pg", "SELECT 1;\n");
    // That there are such targets; what they do would take longer than all of the tests.
    at.replaced.set("make ", `make --dry-run -C ${ROOT} `);
  },
  skip: { "vsec run -pg": programMissing("psql") },
  stays: { "vsec daemon": ({ world }) => existsSync(join(world.store, "daemon.sock")) },
  after: {
    "vsec read database/creds/readonly": (at, printed) => {
      const [, lease = ""] = /^lease_id +(\S+)$/m.exec(printed) ?? [];
      at.replaced.set("database/creds/readonly/eowITnejErjowdUzh3IXPuW6", lease);
    },
    "vsec lease revoke": expectNoUsers,
  },
};

export const POSTGRES_PAGES: readonly PageExamples[] = [
  ...[README, FIRST, RUN, AGENT, STATIC_ROLES, DATABASE],
  ...[MOVING_PAGE, CI_PAGE],
];
