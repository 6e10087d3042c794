import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { until } from "../servers/process.ts";
import { callsOf, NODE_VAULT, passing } from "./calls.ts";
import { type ClientDaemon, startDaemon } from "./daemon.ts";
import { signedJwt } from "./jwt.ts";
import { type Body, NodeVaultSession, type RememberedClient } from "./node-vault.ts";

const READER = 'path "one/*" { capabilities = ["read", "list"] }';

const noDatabase = postgresMissing(18) !== undefined;

/** The tests are one session: each goes on where the one before it stopped. */
describe("node-vault", () => {
  let daemon: ClientDaemon;
  let session: NodeVaultSession;
  let root: RememberedClient;
  let rootToken = "";
  let keys: readonly string[] = [];
  beforeAll(async () => {
    daemon = await startDaemon();
    session = new NodeVaultSession(daemon.url);
    root = session.client();
  });
  afterAll(async () => daemon?.stop());

  /** What makes a token, or spends one, has the client use it from then on: such calls get a client of their own. */
  const asRoot = (): RememberedClient => session.client(rootToken);
  const statusOf = (call: Promise<Body>): Promise<number> =>
    call.then(
      () => 200,
      (error: { readonly response?: { readonly statusCode: number } }) => error.response?.statusCode ?? 0,
    );
  const tokenOf = ({ auth }: Body): string => String(auth.client_token);

  test("makes a store with shares", async () => {
    expect(await root.call("initialized")).toEqual({ initialized: false } as never);
    expect(await root.call("health")).toMatchObject({ initialized: false, sealed: true });
    const made = await root.call("init", { secret_shares: 5, secret_threshold: 3 });
    keys = made.keys as readonly string[];
    expect(keys).toHaveLength(5);
    rootToken = String(made.root_token);
    root = asRoot();
    expect(await root.call("initialized")).toEqual({ initialized: true } as never);
  });

  test("unseals it share by share", async () => {
    expect(await root.call("status")).toMatchObject({ sealed: true, t: 3, n: 5, progress: 0 });
    expect(await statusOf(root.call("mounts"))).toBe(503);
    expect(await root.call("unseal", { key: keys[0] })).toMatchObject({ sealed: true, progress: 1 });
    expect(await root.call("unseal", { reset: true })).toMatchObject({ progress: 0 });
    for (const key of keys.slice(0, 3)) await root.call("unseal", { key });
    expect(await root.call("status")).toMatchObject({
      sealed: false,
      type: "shamir",
      storage_type: "sqlite",
    });
  });

  test("asks for health, with codes of its own, and for the leader", async () => {
    expect(await root.call("health")).toMatchObject({ initialized: true, sealed: false, standby: false });
    const codes = { standbyok: true, activecode: 299, standbycode: 430, sealedcode: 540, uninitcode: 541 };
    expect(await root.call("health", codes)).toMatchObject({ sealed: false });
    expect(await root.call("leader")).toMatchObject({ ha_enabled: false });
    await root.call("stepDown");
  });

  test("mounts, tunes, moves and unmounts engines", async () => {
    const mount = { type: "kv", options: { version: "1" } };
    await root.call("mount", { mount_point: "one", ...mount, description: "first" });
    await root.call("mount", { mount_point: "secret", type: "kv", options: { version: "2" } });
    await root.call("mount", { mount_point: "three", ...mount });
    const listed = await root.call("mounts");
    expect(listed.data["one/"]).toMatchObject({ type: "kv", description: "first" });
    // Its users read the answer of older servers, where mounts stand at the top.
    expect(listed["one/"]).toEqual(listed.data["one/"] as never);
    await root.write("sys/mounts/one/tune", { default_lease_ttl: "20m" });
    expect((await root.read("sys/mounts/one/tune")).data).toMatchObject({ default_lease_ttl: 1200 });
    await root.call("remount", { from: "three", to: "four" });
    await until("the mount to be moved", async () => {
      const { data } = await root.call("mounts");
      return data["four/"] !== undefined && data["three/"] === undefined;
    });
    await root.call("unmount", { mount_point: "four" });
    expect((await root.call("mounts")).data["four/"]).toBeUndefined();
  });

  test("writes, reads, lists and removes policies", async () => {
    await root.call("addPolicy", { name: "reader", rules: READER });
    expect((await root.call("getPolicy", { name: "reader" })).rules).toBe(READER);
    expect((await root.call("policies")).policies).toContain("reader");
    await root.call("addPolicy", { name: "gone", rules: READER });
    await root.call("removePolicy", { name: "gone" });
    expect(await statusOf(root.call("getPolicy", { name: "gone" }))).toBe(404);
    const asked = await root.write("sys/capabilities-self", { paths: ["one/x"] });
    expect(asked.data["one/x"]).toEqual(["root"]);
  });

  test("makes, shows, renews and revokes tokens", async () => {
    const made = await asRoot().call("tokenCreate", { policies: ["reader"], ttl: "1h", meta: { team: "a" } });
    expect(made.auth).toMatchObject({ lease_duration: 3600, metadata: { team: "a" }, renewable: true });
    const [token, accessor] = [tokenOf(made), String(made.auth.accessor)];
    const shown = await root.call("tokenLookup", { token });
    expect(shown.data).toMatchObject({ policies: ["default", "reader"] });
    expect((await root.call("tokenLookupAccessor", { accessor })).data).toMatchObject({ id: "" });
    expect((await root.call("tokenAccessors")).data.keys).toContain(accessor);
    const renewed = await asRoot().call("tokenRenew", { token, increment: "30m" });
    expect(renewed.auth).toMatchObject({ lease_duration: 1800 });
    const own = session.client(token);
    expect((await own.call("tokenLookupSelf")).data).toMatchObject({ id: token });
    expect((await own.call("tokenRenewSelf", { increment: 900 })).auth).toMatchObject({
      lease_duration: 900,
    });
    expect(await statusOf(own.call("mounts"))).toBe(403);
    await own.call("tokenRevokeSelf");
    expect(await statusOf(own.call("tokenLookupSelf"))).toBe(403);
    const orphan = await asRoot().call("tokenCreateOrphan", { policies: ["reader"] });
    expect(orphan.auth).toMatchObject({ orphan: true });
    await root.call("tokenRevoke", { token: tokenOf(orphan) });
    expect(await statusOf(root.call("tokenLookup", { token: tokenOf(orphan) }))).toBe(403);
    const other = await asRoot().call("tokenCreate", { policies: ["reader"] });
    await root.call("tokenRevokeAccessor", { accessor: String(other.auth.accessor) });
    expect(await statusOf(root.call("tokenLookup", { token: tokenOf(other) }))).toBe(403);
    const parent = tokenOf(await asRoot().call("tokenCreate", { policies: ["root"] }));
    const child = tokenOf(await session.client(parent).call("tokenCreate", { policies: ["reader"] }));
    await root.call("tokenRevokeOrphan", { token: parent });
    expect((await root.call("tokenLookup", { token: child })).data).toMatchObject({ orphan: true });
  });

  test("makes tokens by roles", async () => {
    const role_name = "worker";
    await root.call("addTokenRole", { role_name, allowed_policies: "reader", orphan: true, period: 600 });
    expect((await root.call("getTokenRole", { role_name })).data).toMatchObject({
      orphan: true,
      period: 600,
    });
    expect((await root.call("tokenRoles")).data).toEqual({ keys: [role_name] });
    const made = await asRoot().call("tokenCreateRole", { role_name, policies: ["reader"] });
    expect(made.auth).toMatchObject({ orphan: true, lease_duration: 600 });
    await root.call("removeTokenRole", { role_name });
    expect(await statusOf(root.call("getTokenRole", { role_name }))).toBe(404);
  });

  test("logs in with user name and password", async () => {
    await root.call("enableAuth", { mount_point: "userpass", type: "userpass", description: "people" });
    expect((await root.call("auths")).data["userpass/"]).toMatchObject({ type: "userpass" });
    await root.write("auth/userpass/users/ada", { password: "right-1", policies: "reader" });
    const person = session.client();
    const answer = await person.call("userpassLogin", { username: "ada", password: "right-1" });
    expect(answer.auth).toMatchObject({ metadata: { username: "ada" }, policies: ["default", "reader"] });
    expect(person.token).toBe(tokenOf(answer));
    expect(await statusOf(person.call("userpassLogin", { username: "ada", password: "wrong" }))).toBe(400);
    await root.call("disableAuth", { mount_point: "userpass" });
    expect(await statusOf(person.call("tokenLookupSelf"))).toBe(403);
  });

  test("logs in with an AppRole", async () => {
    const at = { mount_point: "robots", role_name: "build" };
    await root.call("enableAuth", { mount_point: "robots", type: "approle" });
    await root.call("addApproleRole", { ...at, policies: "reader", token_ttl: 600, secret_id_num_uses: 5 });
    expect((await root.call("approleRoles", at)).data).toEqual({ keys: ["build"] });
    expect((await root.call("getApproleRole", at)).data).toMatchObject({ token_ttl: 600 });
    await root.call("updateApproleRoleId", { ...at, role_id: "role-of-build" });
    expect((await root.call("getApproleRoleId", at)).data).toEqual({ role_id: "role-of-build" });
    const given = await root.call("getApproleRoleSecret", { ...at, metadata: '{"host":"a"}' });
    const { secret_id, secret_id_accessor } = given.data;
    const robot = session.client();
    const login = { mount_point: "robots", role_id: "role-of-build", secret_id };
    expect((await robot.call("approleLogin", login)).auth).toMatchObject({ lease_duration: 600 });
    const secret = await root.call("approleSecretLookup", { ...at, secret_id });
    expect(secret.data).toMatchObject({ metadata: { host: "a" }, secret_id_num_uses: 4 });
    const accessors = await root.call("approleSecretAccessors", at);
    expect(accessors.data).toEqual({ keys: [String(secret_id_accessor)] });
    const found = await root.call("approleSecretAccessorLookup", { ...at, secret_id_accessor });
    expect(found.data).toMatchObject({ secret_id_accessor });
    await root.call("approleSecretDestroy", { ...at, secret_id });
    expect(await statusOf(robot.call("approleLogin", login))).toBe(400);
    const second = (await root.call("getApproleRoleSecret", at)).data.secret_id_accessor;
    await root.call("approleSecretAccessorDestroy", { ...at, secret_id_accessor: second });
    expect(await statusOf(root.call("approleSecretAccessors", at))).toBe(404);
    await root.call("deleteApproleRole", at);
    expect(await statusOf(root.call("getApproleRole", at))).toBe(404);
  });

  test("logs in with a JWT", async () => {
    const { publicKey, token: jwt } = await signedJwt();
    await root.call("enableAuth", { mount_point: "jwt", type: "jwt" });
    await root.write("auth/jwt/config", {
      jwt_validation_pubkeys: [publicKey],
      jwt_supported_algs: ["ES256"],
    });
    const role = { role_type: "jwt", user_claim: "sub", bound_audiences: ["vsec"], token_ttl: "5m" };
    await root.write("auth/jwt/role/job", role);
    const answer = await session.client().call("jwtLogin", { role: "job", jwt });
    expect(answer.auth).toMatchObject({ lease_duration: 300, metadata: { role: "job" } });
  });

  test("keeps secrets without and with versions", async () => {
    await root.write("one/app/a", { user: "x" });
    expect((await root.read("one/app/a")).data).toEqual({ user: "x" });
    expect((await root.list("one/app")).data).toEqual({ keys: ["a"] });
    await root.delete("one/app/a");
    expect(await statusOf(root.read("one/app/a"))).toBe(404);
    await root.write("secret/data/app", { data: { user: "x" } });
    await root.update("secret/data/app", { data: { pass: "y" } });
    const read = await root.read("secret/data/app");
    expect(read.data).toMatchObject({ data: { user: "x", pass: "y" }, metadata: { version: 2 } });
    await root.call("destroySecretVersions", { path: "app", versions: [1] });
    const { versions } = (await root.read("secret/metadata/app")).data;
    expect(versions).toMatchObject({ 1: { destroyed: true }, 2: { destroyed: false } });
  });

  test("wraps an answer, and unwraps it once", async () => {
    const wrapped = await root.write("sys/wrapping/wrap", { a: "b" }, { "X-Vault-Wrap-TTL": "60s" });
    const { token } = wrapped.wrap_info as { readonly token: string };
    expect((await root.call("unwrap", { token })).data).toEqual({ a: "b" });
    expect(await statusOf(root.call("unwrap", { token }))).toBe(400);
    const given = await root.write("sys/wrapping/wrap", { c: "d" }, { "X-Vault-Wrap-TTL": "60s" });
    const holder = session.client((given.wrap_info as { readonly token: string }).token);
    expect((await holder.call("unwrap")).data).toEqual({ c: "d" });
  });

  test("enables, lists and disables audit devices", async () => {
    const file_path = join(daemon.directory, "trail.log");
    await root.call("enableAudit", { name: "trail", type: "file", options: { file_path } });
    expect((await root.call("audits")).data["trail/"]).toMatchObject({ type: "file" });
    await root.call("disableAudit", { name: "trail" });
    expect((await root.call("audits")).data["trail/"]).toBeUndefined();
  });

  test("encrypts, and decrypts what an earlier version of the key encrypted", async () => {
    await root.call("mount", { mount_point: "transit", type: "transit" });
    await root.call("transitCreateKey", { name: "orders" });
    expect((await root.call("transitReadKey", { name: "orders" })).data).toMatchObject({ latest_version: 1 });
    expect((await root.call("transitListKeys")).data).toEqual({ keys: ["orders"] });
    const plaintext = Buffer.from("hello").toString("base64");
    const { data: made } = await root.call("encryptData", { name: "orders", plaintext });
    await root.write("transit/keys/orders/rotate", {});
    const { data: renewed } = await root.call("rewrapData", { name: "orders", ciphertext: made.ciphertext });
    expect(renewed).toMatchObject({ key_version: 2 });
    for (const { ciphertext } of [made, renewed]) {
      expect((await root.call("decryptData", { name: "orders", ciphertext })).data).toEqual({ plaintext });
    }
    expect(await statusOf(root.call("transitDeleteKey", { name: "orders" }))).toBe(400);
    await root.write("transit/keys/orders/config", { deletion_allowed: true });
    await root.call("transitDeleteKey", { name: "orders" });
    expect(await statusOf(root.call("transitReadKey", { name: "orders" }))).toBe(404);
  });

  test("asks for help", async () => {
    expect(String((await root.help("auth/token/create")).help)).toContain("token");
  });

  test("adds a key", async () => {
    const before = Number((await root.read("sys/key-status")).data.term);
    await root.call("rotate");
    expect((await root.read("sys/key-status")).data.term).toBe(before + 1);
  });

  test("generates a root token", async () => {
    const first = await root.call("generateRootInit");
    expect(first).toMatchObject({ started: true, progress: 0, required: 3, complete: false });
    await root.call("generateRootCancel");
    const { nonce, otp } = await root.call("generateRootInit");
    let answer: Body | undefined;
    for (const key of keys.slice(0, 3)) answer = await root.call("generateRootUpdate", { key, nonce });
    expect(answer).toMatchObject({ complete: true });
    const decoded = await root.write("sys/decode-token", {
      encoded_token: String(answer?.encoded_root_token),
      otp: String(otp),
    });
    const made = session.client(String(decoded.data.token));
    expect((await made.call("tokenLookupSelf")).data).toMatchObject({ policies: ["root"] });
  });

  describe.skipIf(noDatabase)("with a database", () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres({ version: 18 });
    });
    afterAll(async () => server?.stop());

    const usersOf = async (): Promise<readonly unknown[]> =>
      server.query("SELECT 1 FROM pg_roles WHERE rolname LIKE 'v-%'");

    test("issues, renews and revokes credentials", async () => {
      const login = await server.createAdmin("createrole");
      const connection_url = server.url({
        database: "postgres",
        user: "{{username}}",
        password: "{{password}}",
      });
      await root.call("mount", { mount_point: "database", type: "database" });
      const config = { plugin_name: "postgresql-database-plugin", allowed_roles: "*", connection_url };
      await root.write("database/config/main", { ...config, ...login });
      const creation_statements = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`;
      await root.write("database/roles/reader", { db_name: "main", creation_statements, default_ttl: "10m" });
      const issue = (): Promise<Body> =>
        root.call("generateDatabaseCredentials", { databasePath: "database", name: "reader" });
      const made = await issue();
      expect(made).toMatchObject({ lease_duration: 600, renewable: true });
      const lease_id = String(made.lease_id);
      expect((await root.write("sys/leases/lookup", { lease_id })).data).toMatchObject({ id: lease_id });
      expect(await root.call("renew", { lease_id, increment: 1200 })).toMatchObject({ lease_duration: 1200 });
      await root.call("revoke", { lease_id });
      expect(await usersOf()).toHaveLength(0);
      await Promise.all([issue(), issue()]);
      expect(await usersOf()).toHaveLength(2);
      await root.call("revokePrefix", { path_prefix: "database/creds/reader" });
      expect(await usersOf()).toHaveLength(0);
      const { Counters } = await root.read("sys/metrics");
      const revoked = { Name: "vsec.leases.revoked", Count: 3, Sum: 3 };
      expect(Counters).toContainEqual(expect.objectContaining(revoked) as never);
    });
  });

  test("changes the keys", async () => {
    const { nonce } = await root.write("sys/rekey/init", { secret_shares: 1, secret_threshold: 1 });
    let answer: Body | undefined;
    for (const key of keys.slice(0, 3))
      answer = await root.write("sys/rekey/update", { key, nonce: String(nonce) });
    expect(answer).toMatchObject({ complete: true });
    keys = answer?.keys as readonly string[];
    expect(keys).toHaveLength(1);
  });

  test("seals the store, which the new key opens", async () => {
    await root.call("seal");
    expect(await root.call("status")).toMatchObject({ sealed: true });
    expect(await root.call("unseal", { key: keys[0] })).toMatchObject({ sealed: false });
    expect((await root.call("tokenLookupSelf")).data).toMatchObject({ policies: ["root"] });
  });

  // Last: it looks at what all the others did.
  test.skipIf(noDatabase)("has made every call that is said to pass", () => {
    expect([...session.passed].sort()).toEqual([...passing(NODE_VAULT)].sort());
  });
});

describe("the table of node-vault's calls", () => {
  test("is of the version that is installed", () => {
    expect(NodeVaultSession.version).toBe(NODE_VAULT.version);
  });

  test("has every call of the client", () => {
    const byPath = ["read", "write", "update", "list", "delete", "help"];
    const all = [...Object.keys(NodeVaultSession.calls), ...byPath];
    expect(callsOf(NODE_VAULT).toSorted()).toEqual(all.sort());
  });
});
