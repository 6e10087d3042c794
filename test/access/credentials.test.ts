import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type JsonObject, parseJson } from "../../src/base/json.ts";
import { dataOf } from "../core/world.ts";
import { AccessWorld, authOf } from "./world.ts";

const DENIED = "403 permission denied";
const NO_WRAPPING = "400 wrapping token is not valid or does not exist";

describe("a credential", () => {
  let world: AccessWorld;
  beforeAll(async () => {
    world = await AccessWorld.create();
    await world.inner.put("sys/auth/approle", { type: "approle" });
  });
  afterAll(() => world.close());

  async function role(name: string, settings: JsonObject = {}): Promise<string> {
    await world.write(`auth/approle/role/${name}`, settings);
    return String(dataOf(await world.inner.get(`auth/approle/role/${name}/role-id`)).role_id);
  }

  async function secretId(name: string): Promise<JsonObject> {
    return dataOf(await world.inner.put(`auth/approle/role/${name}/secret-id`));
  }

  const logIn = (role_id: string, secret_id: string): Promise<string> =>
    world.outcome("", "PUT", "auth/approle/login", { body: { role_id, secret_id } });

  test("a secret id for one login logs in once, also when many try together", async () => {
    const roleId = await role("once", { secret_id_num_uses: 1 });
    const { secret_id } = await secretId("once");
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => logIn(roleId, String(secret_id))));
    expect(outcomes.filter((outcome) => outcome === "200")).toEqual(["200"]);
    expect(await logIn(roleId, String(secret_id))).toMatch(/^400 invalid role or secret ID/i);
  });

  test("a secret id is good for its own role only, and no more once destroyed or expired", async () => {
    const [one, two] = [await role("one", { secret_id_ttl: "10m" }), await role("two")];
    const [first, second] = [await secretId("one"), await secretId("one")];
    expect(await logIn(two, String(first.secret_id))).toMatch(/^400 invalid role or secret ID/i);
    expect(await logIn(one, String(first.secret_id_accessor))).toMatch(/^400 invalid role or secret ID/i);
    expect(await logIn(one, String(first.secret_id))).toBe("200");
    await world.write("auth/approle/role/one/secret-id/destroy", { secret_id: first.secret_id ?? "" });
    expect(await logIn(one, String(first.secret_id))).toMatch(/^400 invalid role or secret ID/i);
    world.inner.advance(601);
    expect(await logIn(one, String(second.secret_id))).toMatch(/^400 invalid role or secret ID/i);
  });

  test("a password is not found by trying: the user is locked, however the name is spelt", async () => {
    await world.userpass("victim", "right-password");
    const spellings = ["victim", "Victim", "VICTIM", "vICTIM", "viCtim"];
    for (const name of spellings) {
      const body = { password: "wrong" };
      expect(await world.outcome("", "PUT", `auth/userpass/login/${name}`, { body })).toMatch(/^400 /);
    }
    const body = { password: "right-password" };
    for (const name of spellings) {
      expect(await world.outcome("", "PUT", `auth/userpass/login/${name}`, { body })).toBe(DENIED);
    }
  });

  test("who is no user is answered as a user with a wrong password", async () => {
    await world.userpass("known", "right-password");
    const attempt = (name: string): Promise<string> =>
      world.outcome("", "PUT", `auth/userpass/login/${name}`, { body: { password: "wrong" } });
    expect(await attempt("unknown")).toBe(await attempt("known"));
  });

  test("a token of one store is nobody's in another", async () => {
    const other = await AccessWorld.create();
    const policies = ["default"];
    const service = await other.token(policies);
    const batch = authOf(await other.inner.put("auth/token/create", { policies, type: "batch" }));
    const { token: wrapping } = await other.wrap();
    for (const token of [service, String(batch.client_token), wrapping]) {
      expect(await other.outcome(token, "GET", "auth/token/lookup-self")).toMatch(/^(200|403)/);
      expect(await world.outcome(token, "GET", "auth/token/lookup-self")).toBe(DENIED);
      expect(await world.outcome(token, "PUT", "sys/wrapping/unwrap")).toBe(NO_WRAPPING);
    }
    await other.close();
  });

  test("a token that is bound to addresses is refused from others, however they are written", async () => {
    await world.write("auth/token/roles/net", { token_bound_cidrs: ["10.0.0.0/8", "2001:db8::/32"] });
    const token = String(
      authOf(await world.inner.put("auth/token/create/net", { policies: ["default"] })).client_token,
    );
    const from = (remoteAddress: string): Promise<string> =>
      world.outcome(token, "GET", "auth/token/lookup-self", { remoteAddress });
    for (const address of ["10.1.2.3", "::ffff:10.1.2.3", "::ffff:0a01:0203", "2001:db8::1"]) {
      expect([address, await from(address)]).toEqual([address, "200"]);
    }
    const others = [
      "11.0.0.1",
      "127.0.0.1",
      "::1",
      "",
      "10.1.2.3.4",
      "010.1.2.3",
      "10.1",
      "0x0a010203",
      "::10.1.2.3",
    ];
    for (const address of others) expect([address, await from(address)]).toEqual([address, DENIED]);
    // Without a network there is no address that could be one of them.
    expect(await world.outcome(token, "GET", "auth/token/lookup-self")).toBe(DENIED);
  });

  test("a batch token is refused when a single character of it is changed", async () => {
    const body = { policies: ["default"], type: "batch" };
    const token = String(authOf(await world.inner.put("auth/token/create", body)).client_token);
    expect(await world.outcome(token, "GET", "auth/token/lookup-self")).toBe("200");
    for (let at = 0; at < token.length; at += 7) {
      const swapped = token[at] === "A" ? "B" : "A";
      const forged = token.slice(0, at) + swapped + token.slice(at + 1);
      expect([at, await world.outcome(forged, "GET", "auth/token/lookup-self")]).toEqual([at, DENIED]);
    }
    for (const forged of [`${token}A`, `${token}=`, ` ${token}`, token.slice(0, -1), token.toLowerCase()]) {
      expect(await world.outcome(forged, "GET", "auth/token/lookup-self")).toBe(DENIED);
    }
  });

  test("a token is found by a keyed hash of all of it, so that near misses are like any other", async () => {
    const id = await world.token(["default"]);
    const keys: string[] = [];
    const { barrier } = world.inner;
    const get = barrier.get.bind(barrier);
    barrier.get = (key) => {
      if (key.startsWith("token/")) keys.push(key);
      return get(key);
    };
    const asked = [`${id.slice(0, -1)}!`, `!${id.slice(1)}`, "hvs.x", id];
    for (const token of asked) await world.outcome(token, "GET", "tiny/note/x");
    barrier.get = get;
    expect(keys).toEqual(asked.map((token) => `token/${barrier.hash("token", token)}`));
    const common = (one: string, other: string): number =>
      [...one].findIndex((letter, index) => letter !== other[index]);
    // A miss by one letter has another place altogether.
    expect(common(String(keys[0]), String(keys[3]))).toBeLessThan("token/".length + 16);
    expect((await world.plainStore()).includes(id)).toBe(false);
  });

  test("a wrapping token gives its answer out once, to whoever comes first, and never again", async () => {
    const { token } = await world.wrap();
    const self = Array.from({ length: 5 }, () => world.outcome(token, "PUT", "sys/wrapping/unwrap"));
    const root = await world.token(["default"]);
    const others = Array.from({ length: 5 }, () =>
      world.outcome(root, "PUT", "sys/wrapping/unwrap", { body: { token } }),
    );
    const outcomes = await Promise.all([...self, ...others]);
    expect(outcomes.filter((outcome) => outcome === "200")).toEqual(["200"]);
    for (const path of ["unwrap", "rewrap"]) {
      expect(await world.outcome(token, "PUT", `sys/wrapping/${path}`)).toBe(NO_WRAPPING);
      expect(await world.outcome(root, "PUT", `sys/wrapping/${path}`, { body: { token } })).toBe(NO_WRAPPING);
    }
    expect(await world.outcome("", "PUT", "sys/wrapping/lookup", { body: { token } })).toBe(NO_WRAPPING);
    expect(await world.outcome(token, "GET", "cubbyhole/response")).toBe(DENIED);
  });

  test("a look at a wrapping token does not use it up, whichever way it is given", async () => {
    const { token } = await world.wrap();
    for (let times = 0; times < 3; times += 1) {
      expect(await world.outcome(token, "GET", "sys/wrapping/lookup")).toBe("200");
      expect(await world.outcome("", "PUT", "sys/wrapping/lookup", { body: { token } })).toBe("200");
    }
    expect(await world.outcome(token, "PUT", "sys/wrapping/unwrap")).toBe("200");
  });

  test("a wrapping token tells where its answer came from, and another's is told apart by it", async () => {
    const { token } = await world.wrap("tiny/key/mine");
    const planted = await world.as(await world.token(["default"]), "PUT", "sys/wrapping/wrap", {
      body: { key: "planted" },
      wrapTtlSeconds: 60,
    });
    const { token: other } = (planted.body as unknown as { wrap_info: { token: string } }).wrap_info;
    const pathOf = async (wrapping: string): Promise<unknown> =>
      dataOf(await world.as(wrapping, "GET", "sys/wrapping/lookup")).creation_path;
    expect([await pathOf(token), await pathOf(other)]).toEqual(["tiny/key/mine", "sys/wrapping/wrap"]);
    const rewrapped = await world.inner.put("sys/wrapping/rewrap", { token: other });
    const { token: again } = (rewrapped.body as unknown as { wrap_info: { token: string } }).wrap_info;
    expect(await pathOf(again)).toBe("sys/wrapping/wrap");
  });

  test("a wrapping token may unwrap and nothing else, and is refused when it is none", async () => {
    const { token } = await world.wrap();
    expect(await world.outcome(token, "GET", "tiny/note/one")).toBe(DENIED);
    const ordinary = await world.token(["default"]);
    expect(await world.outcome(ordinary, "PUT", "sys/wrapping/unwrap")).toBe(NO_WRAPPING);
    // One that somebody made to look like a wrapping token.
    const body = { policies: ["response-wrapping"], num_uses: 1 };
    expect((await world.inner.put("auth/token/create", body)).status).toBe(400);
    for (const forged of ["", "hvs.", "hvs.forged", "../x", "__proto__", "x".repeat(20_000)]) {
      const given = { body: { token: forged } };
      expect(await world.outcome(ordinary, "PUT", "sys/wrapping/unwrap", given)).toBe(NO_WRAPPING);
    }
  });

  test("a wrapping token that expired is gone with what it held", async () => {
    const { token } = await world.wrap("tiny/key/late", 60);
    world.inner.advance(61);
    expect(await world.outcome(token, "PUT", "sys/wrapping/unwrap")).toBe(NO_WRAPPING);
    await world.inner.daemon();
    expect((await world.plainStore()).includes("cubbyhole/")).toBe(false);
  });

  test("a login neither needs nor spends the token that is sent along", async () => {
    const roleId = await role("along");
    const { secret_id = "" } = await secretId("along");
    const limited = await world.token(["default"], { num_uses: 1 });
    const body = { role_id: roleId, secret_id };
    for (const token of [limited, "hvs.stale"]) {
      expect(await world.outcome(token, "PUT", "auth/approle/login", { body })).toBe("200");
    }
    expect(await world.outcome(limited, "GET", "auth/token/lookup-self")).toBe("200");
    expect(await world.outcome(limited, "GET", "auth/token/lookup-self")).toBe(DENIED);
  });

  test("a login grants no root, whatever the role says", async () => {
    for (const name of ["root", "ROOT", " root"]) {
      await world.inner.put("auth/approle/role/greedy", { token_policies: [name, "default"] });
      const { role_id = "" } = dataOf(await world.inner.get("auth/approle/role/greedy/role-id"));
      const { secret_id = "" } = dataOf(await world.inner.put("auth/approle/role/greedy/secret-id"));
      expect(await logIn(String(role_id), String(secret_id))).toMatch(/^[45]00 /);
    }
  });

  test("bodies that are no objects, or too deep or too large to be kept, are refused without a fault", async () => {
    const own = await world.token(["default"]);
    for (const body of [[], "text", 1, true]) {
      expect(await world.outcome(own, "PUT", "cubbyhole/odd", { body })).toMatch(
        /^400 failed to decode JSON/,
      );
    }
    const large = { large: "x".repeat(33 * 1024 * 1024) };
    expect(await world.outcome(own, "PUT", "cubbyhole/odd", { body: large })).toMatch(
      /^400 a value of \d+ bytes/,
    );
    expect(await world.outcome(own, "GET", "cubbyhole/odd")).toBe("404");
    const nested = (levels: number): string => `${'{"deep":'.repeat(levels)}1${"}".repeat(levels)}`;
    expect(() => parseJson(nested(65))).toThrow(SyntaxError);
    expect(() => parseJson(nested(100_000))).toThrow();
    // As deep as a transport lets through, it can be kept, wrapped and read again.
    const body = parseJson(nested(64));
    expect(await world.outcome(own, "PUT", "cubbyhole/odd", { body })).toBe("204");
    expect(await world.outcome(own, "GET", "cubbyhole/odd")).toBe("200");
    const { token } = (
      (await world.as(own, "GET", "cubbyhole/odd", { wrapTtlSeconds: 60 })).body as unknown as {
        wrap_info: { token: string };
      }
    ).wrap_info;
    expect(await world.outcome(token, "PUT", "sys/wrapping/unwrap")).toBe("200");
    expect(world.logText()).not.toContain("internal error");
  });
});
