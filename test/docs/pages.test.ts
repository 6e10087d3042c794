import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../binary/built.ts";
import { initDatabase } from "../e2e/database.ts";
import { World } from "../e2e/world.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { examplesOf } from "./examples.ts";

/** What is needed to run a page's examples. */
interface Page {
  readonly page: string;
  /** Texts of the page that stand for something of the reader's own, and what they are here. */
  replace?(at: Place): Readonly<Record<string, string>>;
  /** Makes what the page takes for granted. */
  prepare?(at: Place): Promise<void>;
  /** Commands that cannot be run here, by how they begin; each with the reason. */
  readonly skip?: Readonly<Record<string, string>>;
}

interface Place {
  readonly world: World;
  readonly server: PostgresServer;
}

const READERS = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' IN ROLE readers;";

async function prepareDatabase({ world, server }: Place): Promise<void> {
  await server.query("DROP ROLE IF EXISTS readers");
  const admin = await server.createAdmin("createrole");
  const client = await server.connect({ user: admin.username, password: admin.password });
  await client.query("CREATE ROLE readers");
  await client.end();
  world.file("admin-password", admin.password);
  world.file("admin-name", admin.username);
  world.file("readonly.sql", READERS);
}

/** A database with a role, a secret, and the files that the pages about commands name. */
async function prepareSecrets({ world, server }: Place): Promise<void> {
  await initDatabase(world, server, { roles: { readonly: "1h", app: "1h" } });
  await world.ok("secrets enable -path=secret kv-v2");
  await world.ok("kv put secret/app token=open-sesame");
  await world.ok("auth enable approle");
  world.file("app.hcl", 'path "database/creds/app" { capabilities = ["read"] }');
  await world.ok("policy write app app.hcl");
  await world.ok("write auth/approle/role/app token_policies=app");
  world.file("role-id", await world.ok("read -field=role_id auth/approle/role/app/role-id"));
  world.file("secret-id", await world.ok("write -force -field=secret_id auth/approle/role/app/secret-id"));
  world.file("app.env", "URL=postgresql://{{ database/creds/readonly#username }}@db.example/app\n");
  world.file("app.conf.tpl", "token = {{ secret/app#token }}\n");
  world.file("migrate.sh", '#!/bin/sh\ntest -n "$DB_PASSWORD"\n');
  chmodSync(join(world.home, "migrate.sh"), 0o700);
  world.file("app.conf.ctmpl", '{{ with secret "database/creds/app" }}{{ .Data.username }}{{ end }}\n');
  const page = readFileSync(join(ROOT, "docs", "agent.md"), "utf8");
  const [, config = ""] = /```hcl\n([\s\S]*?)```/.exec(page) ?? [];
  // Whoever reads the page has a service to reload and a daemon at that place.
  world.file("agent.hcl", config.replace("systemctl reload app", "true").replace(/^ *address = .*$/m, ""));
}

const addressOf = (server: PostgresServer): string => `127.0.0.1:${server.port}/postgres?sslmode=disable`;

const DATABASE_PAGES: readonly Page[] = [
  {
    page: "first-credential.md",
    prepare: prepareDatabase,
    replace: ({ world, server }) => ({
      "db.example:5432/app": addressOf(server),
      "username=vsec_admin": `username=${readFileSync(join(world.home, "admin-name"), "utf8")}`,
      "operator init": "operator init -seal=key-file",
    }),
  },
  {
    page: "run.md",
    prepare: prepareSecrets,
    skip: {
      "vsec run -pg": "a shell of the database waits for a person",
      "vsec run -aws": "makes what Terraform is told to",
      "vsec render -watch": "stays until it is ended",
    },
  },
  {
    page: "agent.md",
    prepare: prepareSecrets,
    skip: { "vsec agent -config": "stays until it is ended" },
  },
  {
    page: "ci.md",
    prepare: async ({ world }) => {
      await world.ok("operator init -seal=key-file");
    },
    skip: {
      "vsec write auth/jwt/config": "asks GitHub's issuer, which is not to be reached",
      "vsec login -method=approle": "needs a role of the reader's own",
    },
  },
  {
    page: "acme.md",
    prepare: async ({ world }) => {
      await world.ok("operator init -seal=key-file");
    },
    skip: {
      certbot:
        "needs a name and a daemon that the world reaches; test/e2e/acme.test.ts has a client of its own",
    },
  },
  {
    page: "pki.md",
    prepare: async ({ world }) => {
      await world.ok("operator init -seal=key-file");
    },
    skip: { "openssl ocsp": "needs a daemon; test/engines/pki/ocsp.test.ts asks one in this way" },
  },
];

/** Pages of engines that need nothing but a store. */
const ENGINE_PAGES: readonly Page[] = ["transit.md", "totp.md", "ssh.md"].map((page) => ({
  page,
  prepare: async ({ world }) => {
    await world.ok("operator init -seal=key-file");
    mkdirSync(join(world.home, ".ssh"), { mode: 0o700 });
    spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(world.home, ".ssh", "id_ed25519")]);
  },
}));

const PAGES: readonly Page[] = [...DATABASE_PAGES, ...ENGINE_PAGES];

/** Pages without a row above, each with the reason. */
const NOT_RUN: Readonly<Record<string, string>> = {
  "moving-from-vault.md": "needs a Vault server beside it",
  "daemon.md": "its commands are run by the daemon's own tests",
  "threat-model.md": "makes users of the system",
  "databases.md": "each example needs a server of its own kind: test/engines/database runs what they say",
  "exec-plugin.md": "installs into the system; test/e2e/drivers.test.ts runs the same example elsewhere",
};

describe("the documentation", () => {
  const pages = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));

  test("has its examples run, or says why not", () => {
    const run = PAGES.map(({ page }) => page);
    const silent = pages.filter((page) => !run.includes(page) && !Object.hasOwn(NOT_RUN, page));
    expect(silent.filter((page) => examplesOf(page).length > 0)).toEqual([]);
  });

  test("has every page in its index, and no link that leads nowhere", () => {
    const index = readFileSync(join(ROOT, "docs", "README.md"), "utf8");
    expect(pages.filter((page) => page !== "README.md" && !index.includes(`(${page})`))).toEqual([]);
    const broken = [...pages.map((page) => join("docs", page)), "README.md", "ARCHITECTURE.md"].flatMap(
      (page) => {
        const text = readFileSync(join(ROOT, page), "utf8");
        const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, to]) => to ?? "");
        return links.filter((to) => !existsSync(join(ROOT, dirname(page), to))).map((to) => `${page}: ${to}`);
      },
    );
    expect(broken).toEqual([]);
  });
});

describe.skipIf(postgresMissing(18) !== undefined).each(PAGES.map((page) => [page.page, page] as const))(
  "the examples of docs/%s",
  (_, page) => {
    const world = new World();
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres({ version: 18 });
      await page.prepare?.({ world, server });
    });
    afterAll(async () => {
      await server?.stop();
      world.remove();
    });

    function run(command: string): string {
      const replaced = Object.entries(page.replace?.({ world, server }) ?? {}).reduce(
        (text, [from, to]) => text.replaceAll(from, to),
        command,
      );
      const { status, stdout, stderr } = spawnSync("bash", ["-c", replaced], {
        cwd: world.home,
        encoding: "utf8",
        env: {
          PATH: `${dirname(world.binary)}:${process.env.PATH ?? ""}`,
          HOME: world.home,
          VSEC_STORE: world.store,
        },
      });
      if (status !== 0) throw new Error(`${replaced}\nexit code ${status}\n${stdout}${stderr}`);
      return stdout;
    }

    for (const { line, command } of examplesOf(page.page)) {
      const reason = Object.entries(page.skip ?? {}).find(([start]) => command.startsWith(start))?.[1];
      const name = `line ${line}: ${command.split("\n")[0]}`;
      test.skipIf(reason !== undefined)(reason === undefined ? name : `${name} (${reason})`, () => {
        expect(() => run(command)).not.toThrow();
      });
    }
  },
);
