/** Tokens, policies, wrapping and cubbyholes, as their holders meet them. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { type Creds, initDatabase, readCreds, usersOn } from "./database.ts";
import type { Transport } from "./transport.ts";
import { type Ended, type Line, World } from "./world.ts";

const POLICY = `path "database/creds/app" {
  capabilities = ["read"]
}
`;
const UNTIDY = 'path  "database/creds/app"  {\ncapabilities=["read"]\n}\n';

interface TokenData {
  readonly data: Readonly<Record<string, unknown>> & { readonly accessor: string };
}

/** As somebody else. */
const as = (token: string): { env: Record<string, string> } => ({ env: { VSEC_TOKEN: token } });
const later = (seconds: number): { env: Record<string, string> } => ({
  env: { VSEC_CLOCK_OFFSET_MS: String(seconds * 1000) },
});

export function accessOver(transport: Transport): void {
  const title = `tokens and policies (${transport})`;
  describe.skipIf(postgresMissing(18) !== undefined)(title, () => access(transport));
}

function access(transport: Transport): void {
  const world = new World("vsec-failpoints", { VSEC_SWEEP: "off" });
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    await world.reachOver(transport);
    await initDatabase(world, server, { roles: { app: "1h", other: "1h" } });
    world.file("apps.hcl", POLICY);
    await world.ok("policy write apps apps.hcl");
  });
  afterAll(async () => {
    await server?.stop();
    await world.close();
  });

  const newToken = async (flags = "-policy=apps", by?: string): Promise<string> =>
    world.ok(`token create -field=token ${flags}`, by === undefined ? {} : as(by));

  const lookup = async (token: string): Promise<TokenData["data"]> =>
    (await world.json<TokenData>(["token", "lookup", token])).data;

  const aliveUsers = async (...creds: readonly Creds[]): Promise<boolean[]> => {
    const users = await usersOn(server);
    return creds.map(({ data }) => users.includes(data.username));
  };

  function refused({ code, stdout, stderr }: Ended, status: number, text: string): void {
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(` ${world.address}/v1/`);
    expect(stderr).toContain(`Code: ${status}. Errors:\n\n* ${text}`);
  }

  test("a policy is written from a file, from standard input and as JSON, read, listed, formatted, deleted", async () => {
    expect(await world.ok("policy read apps")).toBe(POLICY);
    expect(await world.ok("policy write piped -", { stdin: UNTIDY })).toBe(
      "Success! Uploaded policy: piped\n",
    );
    const json = JSON.stringify({ path: { "database/creds/app": { capabilities: ["read"] } } });
    world.file("apps.json", json);
    await world.ok("policy write json apps.json");
    expect(await world.ok("policy list")).toBe("apps\ndefault\njson\npiped\nroot\n");
    world.file("untidy.hcl", UNTIDY);
    expect(await world.ok("policy fmt untidy.hcl")).toContain("Success! Formatted policy: ");
    await world.ok("policy write tidy untidy.hcl");
    expect(await world.ok("policy read tidy")).toBe(POLICY);
    for (const name of ["apps", "piped", "json", "tidy"]) {
      const token = await newToken(`-policy=${name}`);
      await world.ok("read database/creds/app", as(token));
    }
    expect(await world.ok("policy delete piped")).toBe("Success! Deleted policy: piped\n");
    refused(await world.run("policy delete root"), 400, 'cannot delete "root" policy');
    expect((await world.run("policy read piped")).code).toBe(2);
  });

  test("a mistake in a policy is told with its place, and nothing is stored", async () => {
    const { code, stderr } = await world.run("policy write wrong -", {
      stdin: 'path "x" {\n  capabilities = ["raed"]\n}\n',
    });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/raed/)]);
    expect(stderr).toMatch(/2[:,]|line 2/);
    expect(await world.ok("policy list")).not.toContain("wrong");
  });

  test("a token is allowed what its policies say, and denied everything else with exit code 2", async () => {
    const token = await newToken();
    const creds = await readCreds(world, "database/creds/app", as(token));
    expect(creds.data.username).toStartWith("v-token-app-");
    const before = await usersOn(server);
    const denied: readonly string[] = [
      "read database/creds/other",
      "read database/config/pg",
      "list database/roles",
      "write database/roles/app db_name=pg",
      "delete database/roles/app",
      "lease revoke -prefix database/",
      "policy read apps",
      "policy list",
      "token create -policy=apps",
      "secrets list",
      "auth enable userpass",
      "audit list",
      "operator rotate",
      "read nothing/here",
    ];
    for (const line of denied)
      refused(await world.run(line, as(token)), 403, "1 error occurred:\n\t* permission denied");
    refused(
      await world.run("read database/creds/app", as("hvs.nobody")),
      403,
      "2 errors occurred:\n\t* permission denied",
    );
    expect(await usersOn(server)).toEqual(before);
  });

  test("token create shows the table of the tutorial", async () => {
    const rows = (await world.ok("token create -policy=apps -ttl=1h")).trimEnd().split("\n");
    const table = Object.fromEntries(rows.map((row) => row.split(/ {2,}/)));
    expect(rows.map((row) => row.split(/ {2,}/)[0])).toEqual([
      "Key",
      "---",
      "token",
      "token_accessor",
      "token_duration",
      "token_renewable",
      "token_policies",
      "identity_policies",
      "policies",
    ]);
    expect(table).toMatchObject({
      token_duration: "1h",
      token_renewable: "true",
      token_policies: '["apps" "default"]',
      identity_policies: "[]",
      policies: '["apps" "default"]',
    });
  });

  test("token create knows every flag", async () => {
    await world.ok(
      "write auth/token/roles/ci allowed_policies=apps,default allowed_entity_aliases=runner path_suffix=fleet",
    );
    const data = await lookup(
      await newToken(
        "-id=my-chosen-id -display-name=deploy -ttl=2h -explicit-max-ttl=4h -use-limit=9 -renewable=false " +
          "-orphan -no-default-policy -metadata=team=blue -metadata=who=ann -policy=apps -type=service",
      ),
    );
    expect(data).toMatchObject({
      id: "my-chosen-id",
      display_name: "token-deploy",
      creation_ttl: 7200,
      explicit_max_ttl: 14400,
      num_uses: 9,
      renewable: false,
      orphan: true,
      policies: ["apps"],
      meta: { team: "blue", who: "ann" },
      type: "service",
    });
    expect(await lookup(await newToken("-period=30m"))).toMatchObject({
      period: 1800,
      ttl: expect.any(Number),
    });
    const byRole = await lookup(await newToken("-role=ci -entity-alias=runner"));
    expect(byRole).toMatchObject({ role: "ci", path: "auth/token/create/ci/fleet" });
    expect(byRole.entity_id).toBeString();
    const batch = await newToken("-type=batch -policy=apps -ttl=20m");
    expect(batch).toStartWith("hvb.");
    expect(await lookup(batch)).toMatchObject({ type: "batch", renewable: false, orphan: false });
    expect((await world.run("token create -type=nothing")).code).toBe(2);
  });

  test("a token is looked up, renewed and revoked: itself, another, by accessor", async () => {
    const token = await newToken("-policy=apps -ttl=10m");
    const { accessor } = await lookup(token);
    expect((await world.json<TokenData>("token lookup", as(token))).data.id).toBe(token);
    const byAccessor = (await world.json<TokenData>(`token lookup -accessor ${accessor}`)).data;
    expect(byAccessor).toMatchObject({ id: "", accessor });
    await world.ok("token renew -increment=30m", as(token));
    expect(Number((await lookup(token)).ttl)).toBeGreaterThan(1700);
    await world.ok(`token renew -increment=40m ${token}`);
    expect(Number((await lookup(token)).ttl)).toBeGreaterThan(2300);
    await world.ok(`token renew -accessor -increment=50m ${accessor}`);
    expect(Number((await lookup(token)).ttl)).toBeGreaterThan(2900);
    expect(await world.ok(`token capabilities ${token} database/creds/app`)).toBe("read\n");
    expect(await world.ok("token capabilities database/creds/other", as(token))).toBe("deny\n");
    const revocations: readonly ((token: string, accessor: string) => [Line, string?])[] = [
      (own) => ["token revoke -self", own],
      (own) => [`token revoke ${own}`],
      (_own, its) => [`token revoke -accessor ${its}`],
    ];
    for (const revocation of revocations) {
      const own = await newToken();
      const [line, by] = revocation(own, (await lookup(own)).accessor);
      expect(await world.ok(line, by === undefined ? {} : as(by))).toBe(
        "Success! Revoked token (if it existed)\n",
      );
      refused(await world.run("token lookup", as(own)), 403, "2 errors occurred:\n\t* permission denied");
      expect((await world.run(["token", "lookup", own])).code).toBe(2);
    }
  });

  test("revoking a token drops its users and those of its children, whatever their own TTLs", async () => {
    const parent = await newToken("-policy=root -ttl=1h");
    const child = await newToken("-policy=root -ttl=20h", parent);
    const grandchild = await newToken("-type=batch -policy=apps", child);
    const sibling = await newToken();
    const creds = [];
    for (const token of [parent, child, grandchild, sibling]) {
      creds.push(await readCreds(world, "database/creds/app", as(token)));
    }
    expect(await aliveUsers(...creds)).toEqual([true, true, true, true]);
    await world.ok(`token revoke ${parent}`);
    expect(await aliveUsers(...creds)).toEqual([false, false, false, true]);
    for (const token of [parent, child, grandchild]) {
      expect((await world.run("token lookup", as(token))).code).toBe(2);
    }
    await world.ok("token lookup", as(sibling));
  });

  test("-mode=orphan keeps the children and what they hold; -mode=path takes all below a path", async () => {
    const parent = await newToken("-policy=root");
    const child = await newToken("-policy=apps", parent);
    const creds = [
      await readCreds(world, "database/creds/app", as(parent)),
      await readCreds(world, "database/creds/app", as(child)),
    ];
    await world.ok(`token revoke -mode=orphan ${parent}`);
    expect(await aliveUsers(...creds)).toEqual([false, true]);
    expect(await lookup(child)).toMatchObject({ orphan: true });
    await world.ok("write auth/token/roles/batchy path_suffix=below allowed_policies=apps");
    const below = await newToken("-role=batchy -policy=apps");
    const held = await readCreds(world, "database/creds/app", as(below));
    await world.ok("token revoke -mode=path auth/token/create/batchy");
    expect((await world.run("token lookup", as(below))).code).toBe(2);
    expect(await aliveUsers(held, creds[1] as Creds)).toEqual([false, true]);
  });

  test("a token that ends before the lease it asks for takes the lease with it, and the answer says so", async () => {
    const token = await newToken("-policy=root -ttl=10m");
    const child = await newToken("-policy=apps -ttl=20h", token);
    const told = await world.run("read database/creds/app", as(token));
    expect([told.code, told.stderr]).toEqual([0, expect.stringContaining("the lease ends with it")]);
    const own = await readCreds(world, "database/creds/app", as(token));
    expect(own.warnings).toEqual([expect.stringContaining("the lease ends with it")]);
    const childs = await readCreds(world, "database/creds/app", as(child));
    const roots = await readCreds(world);
    expect([childs.warnings, roots.warnings]).toEqual([null, null]);
    expect(await aliveUsers(own, childs)).toEqual([true, true]);
    const daemon = await world.run("daemon -once", later(601));
    expect([daemon.code, daemon.stderr]).toEqual([0, expect.stringContaining("failed=0")]);
    expect(await aliveUsers(own, childs, roots)).toEqual([false, false, true]);
    expect((await world.run("token lookup", as(child))).code).toBe(2);
  });

  test("a token of so many uses is good for so many requests, denied ones too, and its leases end with it", async () => {
    const token = await newToken("-policy=apps -use-limit=3");
    const creds = await readCreds(world, "database/creds/app", as(token));
    refused(await world.run("policy list", as(token)), 403, "1 error occurred");
    expect(await aliveUsers(creds)).toEqual([true]);
    const before = await usersOn(server);
    const last = await world.run("read database/creds/app", as(token));
    expect([last.code, last.stderr]).toEqual([2, expect.stringContaining("token had one use left")]);
    const gone = new Set(await usersOn(server));
    expect(before.filter((user) => !gone.has(user))).toEqual([creds.data.username]);
    refused(await world.run("token lookup", as(token)), 403, "2 errors occurred");
  });

  test("a batch token's lease lives no longer than the token", async () => {
    const batch = await newToken("-type=batch -policy=apps -ttl=5m");
    const creds = await readCreds(world, "database/creds/app", as(batch));
    expect(creds.lease_duration).toBeLessThanOrEqual(300);
    refused(await world.run("write cubbyhole/a b=c", as(batch)), 400, "");
    await world.ok("daemon -once", later(301));
    expect(await aliveUsers(creds)).toEqual([false]);
  });

  // A daemon that is killed is the crash tests' matter.
  if (transport === "process") {
    test("killed in the middle of a tree's revocation: refused at once, finished by the daemon", async () => {
      const parent = await newToken("-policy=root");
      const child = await newToken("-policy=apps", parent);
      const creds = [
        await readCreds(world, "database/creds/app", as(parent)),
        await readCreds(world, "database/creds/app", as(child)),
      ];
      const died = await world.run(`token revoke ${parent}`, {
        env: { VSEC_FAILPOINT: "token:leases-ended" },
      });
      expect([died.signal, died.stdout]).toEqual(["SIGKILL", ""]);
      for (const token of [parent, child])
        refused(await world.run("token lookup", as(token)), 403, "2 errors");
      expect(await aliveUsers(...creds)).toEqual([true, false]);
      expect((await world.run("daemon -once -log-level=warn", later(200))).stderr).toBe("");
      expect(await aliveUsers(...creds)).toEqual([false, false]);
    });
  }

  test("an answer is wrapped, looked at, moved to a new token, unwrapped once", async () => {
    const wrapped = await world.ok("read -wrap-ttl=60s -field=wrapping_token database/creds/app");
    const info = await world.ok(`write -field=creation_path sys/wrapping/lookup token=${wrapped}`);
    expect(info).toBe("database/creds/app");
    const moved = await world.ok(`write -field=wrapping_token sys/wrapping/rewrap token=${wrapped}`);
    const stale = await world.run(`unwrap ${wrapped}`);
    refused(stale, 400, "wrapping token is not valid or does not exist");
    const creds = await world.json<Creds>(`unwrap ${moved}`);
    expect(await aliveUsers(creds)).toEqual([true]);
    refused(await world.run(`unwrap ${moved}`), 400, "wrapping token is not valid or does not exist");
    // Nobody but the holder of the wrapping token is needed.
    const again = await world.ok("read -wrap-ttl=60s -field=wrapping_token database/creds/app");
    const alone = await world.run("unwrap -format=json", as(again));
    expect(alone.code).toBe(0);
    const expired = await world.ok("read -wrap-ttl=60s -field=wrapping_token database/creds/app");
    const late = await world.where(later(61).env, (options) => world.run(`unwrap ${expired}`, options));
    refused(late, 400, "wrapping token is not valid or does not exist");
  });

  test("data that nests too deep or is too large is refused, and `__proto__` is nobody's", async () => {
    const deep = `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`;
    const large = JSON.stringify({ a: "x".repeat(40 * 1024 * 1024) });
    for (const stdin of [deep, large, "[1]", '"text"']) {
      const { code, stdout, stderr } = await world.run("write cubbyhole/odd -", { stdin });
      expect([code === 0, stdout, stderr.length < 2000]).toEqual([false, "", true]);
      expect(stderr).not.toMatch(/internal error|\n\s+at /);
    }
    const odd = '{"__proto__": {"policies": ["root"]}, "constructor": {"a": 1}, "policies": ["default"]}';
    const refusal = await world.run("write auth/token/create -", { stdin: odd });
    expect([refusal.code, refusal.stderr]).toEqual([
      1,
      expect.stringContaining('"__proto__" cannot be a key'),
    ]);
    for (const line of ["write cubbyhole/odd __proto__=x", "write cubbyhole/odd a=b __proto__=x"]) {
      const { code, stderr } = await world.run(line);
      expect([code, stderr]).toEqual([2, expect.stringContaining('"__proto__" cannot be a key')]);
    }
    expect((await world.run("read cubbyhole/odd")).code).toBe(2);
  });

  test("a cubbyhole is its token's alone, and ends with it", async () => {
    const [own, other] = [await newToken("-policy=default"), await newToken("-policy=default")];
    expect(await world.ok("write cubbyhole/kept note=mine", as(own))).toBe(
      "Success! Data written to: cubbyhole/kept\n",
    );
    expect(await world.ok("read -field=note cubbyhole/kept", as(own))).toBe("mine");
    expect(await world.ok("list cubbyhole/", as(own))).toContain("kept");
    for (const options of [as(other), {}]) {
      const { code, stderr } = await world.run("read cubbyhole/kept", options);
      expect([code, stderr]).toEqual([2, "No value found at cubbyhole/kept\n"]);
    }
    await world.ok("token revoke -self", as(own));
    expect((await world.run("read cubbyhole/kept", as(own))).code).toBe(2);
  });
}
