/**
 * The whole way of a credential, for a person to watch: every command is printed, then its output. It runs the compiled
 * binary against a PostgreSQL 18 of its own, in a home directory of its own, and checks what it shows.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type PostgresServer, startPostgres } from "../test/servers/postgres.ts";

const VSEC = resolve(import.meta.dirname, "..", "dist", "vsec");
const home = mkdtempSync(join(tmpdir(), "vsec-demo-"));
const env = { PATH: process.env.PATH ?? "", HOME: home, VSEC_STORE: join(home, "store") };
const paint = process.stdout.isTTY
  ? (text: string) => `\u001b[1;36m${text}\u001b[0m`
  : (text: string) => text;

class DemoFailed extends Error {}

function say(text: string): void {
  process.stdout.write(`\n${paint(`# ${text}`)}\n`);
}

/** Prints a command as a person would type it, runs it, prints what it prints. @returns Its standard output. */
function run(line: string, args: readonly string[], stdin = ""): string {
  process.stdout.write(`${paint(`$ ${line}`)}\n`);
  const result = spawnSync(VSEC, args, { env, cwd: home, input: stdin, encoding: "utf8" });
  process.stdout.write(result.stdout + result.stderr);
  if (result.status !== 0) throw new DemoFailed(`${line}: exit code ${result.status}`);
  return result.stdout;
}

function vsec(...args: readonly string[]): string {
  const shown = args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg}'`)).join(" ");
  return run(`vsec ${shown}`, args);
}

/** The users that vsec has made on the server, as `\du` would list them. */
async function showUsers(server: PostgresServer): Promise<string[]> {
  const rows = await server.query<{ rolname: string; until: string }>(
    "SELECT rolname, rolvaliduntil::text AS until FROM pg_roles WHERE rolname LIKE 'v-%' ORDER BY 1",
  );
  process.stdout.write(`${paint("postgres=# \\du v-*")}\n`);
  for (const { rolname, until } of rows) process.stdout.write(`  ${rolname}  (valid until ${until})\n`);
  process.stdout.write(`  (${rows.length} rows)\n`);
  return rows.map(({ rolname }) => rolname);
}

async function expectUsers(server: PostgresServer, count: number): Promise<void> {
  const users = await showUsers(server);
  if (users.length !== count) throw new DemoFailed(`expected ${count} users, found ${users.length}`);
}

async function until(what: string, isDone: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    if (await isDone()) return;
    await new Promise((done) => setTimeout(done, 250));
  }
  throw new DemoFailed(`${what}: it did not come about within a minute`);
}

async function setUp(server: PostgresServer): Promise<void> {
  say("A store, its key and a root token, in one command; no server, no unseal ritual");
  vsec("operator", "init");
  vsec("status");
  vsec("secrets", "enable", "database");
  vsec("secrets", "enable", "-path=other", "database");
  vsec("secrets", "tune", "-max-lease-ttl=8h", "other");
  vsec("secrets", "move", "other", "billing");
  vsec("secrets", "list", "-detailed");
  vsec("secrets", "disable", "billing");
  vsec("secrets", "list");
  vsec("path-help", "database");
  vsec("path-help", "database/roles/readonly");
  say("An administrator that may create roles and nothing else; its password comes from standard input");
  const admin = await server.createAdmin("createrole", "vsec_admin");
  await server.query("CREATE ROLE readers NOLOGIN");
  await server.query("GRANT pg_read_all_data TO readers");
  await server.query("GRANT readers TO vsec_admin WITH ADMIN OPTION");
  const url = `postgresql://{{username}}:{{password}}@127.0.0.1:${server.port}/postgres?sslmode=disable`;
  const config = [
    "plugin_name=postgresql-database-plugin",
    "allowed_roles=readonly,short",
    `connection_url=${url}`,
    `username=${admin.username}`,
    "password=-",
  ];
  const shown = config
    .map((pair) => (pair.startsWith("connection_url") ? `'${pair}'` : pair))
    .join(" \\\n    ");
  const line = `vsec write database/config/postgresql \\\n    ${shown} < admin-password`;
  run(line, ["write", "database/config/postgresql", ...config], admin.password);
  const sql =
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' IN ROLE readers;\n";
  writeFileSync(join(home, "readonly.sql"), sql);
  process.stdout.write(`${paint("$ cat readonly.sql")}\n${sql}`);
  const role = ["db_name=postgresql", "creation_statements=@readonly.sql"];
  vsec("write", "database/roles/readonly", ...role, "default_ttl=1h", "max_ttl=24h");
  vsec("write", "database/roles/short", ...role, "default_ttl=5s", "max_ttl=1m");
}

async function useOne(server: PostgresServer): Promise<void> {
  say("A credential: a database user that lives as long as its lease");
  vsec("read", "database/creds/readonly");
  const output = run("vsec read -format=json database/creds/readonly > creds.json", [
    "read",
    "-format=json",
    "database/creds/readonly",
  ]);
  const answer = JSON.parse(output) as { lease_id: string; data: { username: string; password: string } };
  const { lease_id: lease, data } = answer;
  const session = await server.connect({ user: data.username, password: data.password });
  const ended = new Promise((done) => session.once("error", done));
  const { rows } = await session.query("SELECT current_user, count(*) AS tables FROM pg_tables");
  process.stdout.write(`${paint("$ psql, as that user: SELECT current_user, count(*) FROM pg_tables")}\n`);
  process.stdout.write(`  ${rows[0].current_user}  ${rows[0].tables}\n`);
  await expectUsers(server, 2);
  vsec("list", "sys/leases/lookup/database/creds/readonly");
  vsec("lease", "list");
  vsec("lease", "lookup", lease);
  vsec("lease", "lookup", data.username);
  vsec("lease", "renew", "-increment=2h", lease);
  say("Revoked means gone: the user is dropped, and its open session is ended");
  vsec("lease", "revoke", lease);
  await ended;
  process.stdout.write("  the open psql session was ended by the server\n");
  await expectUsers(server, 1);
  vsec("lease", "revoke", "-prefix", "database/creds/readonly");
  await expectUsers(server, 0);
  vsec("read", "-field=username", "database/creds/readonly");
  process.stdout.write("\n");
  vsec("lease", "revoke", "-prefix=database/creds/readonly");
  await expectUsers(server, 0);
}

async function runCommand(server: PostgresServer): Promise<void> {
  say("The end of a command ends its credentials; its output is masked");
  vsec(
    "run",
    "-env",
    "DB=database/creds/readonly",
    "--",
    "sh",
    "-c",
    'echo "  the command is $DB_USERNAME, with the password $DB_PASSWORD"',
  );
  await expectUsers(server, 0);
}

async function rotateAndExpire(server: PostgresServer): Promise<void> {
  say("Nobody knows the administrator's password any more");
  vsec("write", "-force", "database/rotate-root/postgresql");
  say("The daemon: a lease of 5 seconds ends while it runs");
  process.stdout.write(`${paint("$ vsec daemon &")}\n`);
  const daemon: ChildProcess = spawn(VSEC, ["daemon"], {
    env,
    cwd: home,
    stdio: ["ignore", "inherit", "inherit"],
  });
  try {
    vsec("read", "database/creds/short");
    await expectUsers(server, 1);
    await until("the expiry of the lease", async () => {
      const rows = await server.query("SELECT 1 FROM pg_roles WHERE rolname LIKE 'v-%'");
      return rows.length === 0;
    });
    await expectUsers(server, 0);
  } finally {
    const stopped = new Promise((done) => daemon.once("exit", done));
    daemon.kill("SIGTERM");
    await stopped;
  }
}

const server = await startPostgres({ version: 18 });
try {
  mkdirSync(env.VSEC_STORE, { mode: 0o700 });
  await setUp(server);
  await useOne(server);
  await runCommand(server);
  await rotateAndExpire(server);
  vsec("doctor");
  say("Nothing is left: no user on the server, no lease in the store, no readable name in its file");
  await expectUsers(server, 0);
  // The log beside the store's file counts too.
  const words = "readonly|postgresql|vsec_admin";
  const found = spawnSync("grep", ["-r", "-a", "-l", "-E", words, env.VSEC_STORE], { encoding: "utf8" });
  process.stdout.write(
    `${paint(`$ grep -r -l -E '${words}' store/`)}\n${found.stdout}  (no file has any of them)\n`,
  );
  if (found.status !== 1) throw new DemoFailed("a name is readable in the store");
} finally {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
}
