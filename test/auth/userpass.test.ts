import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/base/json.ts";
import { LOCKOUT_PREFIX, settleLockout } from "../../src/core/identity/lockout.ts";
import { type AuthWorld, authWorld } from "./world.ts";

const BOB = "auth/userpass/users/bob";
const LOGIN = "auth/userpass/login/bob";
const INVALID = "400 invalid username or password";
const LOCKED = "403 permission denied";
const wrapped = (text: string): string => `1 error occurred:\n\t* ${text}\n\n`;

async function world(user: JsonObject = {}): Promise<AuthWorld> {
  const at = await authWorld();
  await at.write("sys/auth/userpass", { type: "userpass" });
  await at.write(BOB, { password: "right", ...user });
  return at;
}

const tries = (at: AuthWorld, password: string, path = LOGIN, from: string | null = null) =>
  at.refusal(() => at.login(path, { password }, from));

describe("a userpass login", () => {
  test("grants what the user was given, whatever the case of the name", async () => {
    const at = await world({ token_policies: ["Apps", "apps"], token_ttl: 60 });
    const grant = await at.login("auth/userpass/login/BOB", { password: "right" });
    expect(grant).toMatchObject({
      displayName: "bob",
      alias: { name: "bob", metadata: {} },
      policies: ["apps"],
      metadata: { username: "bob" },
      ttlSeconds: 60,
    });
  });

  test("is refused in the same words for a wrong password and an unknown user", async () => {
    const at = await world();
    expect(await tries(at, "wrong")).toBe(INVALID);
    expect(await tries(at, "wrong", "auth/userpass/login/nobody")).toBe(INVALID);
    expect(await tries(at, "x".repeat(5000))).toBe(INVALID);
    expect(await at.refusal(() => at.write(LOGIN))).toBe("500 missing password");
  });

  test("comes from where the user may be", async () => {
    const at = await world({ token_bound_cidrs: "192.0.2.0/24,2001:db8::1" });
    expect(await tries(at, "right", LOGIN, "192.0.2.7")).toBe("none");
    expect(await tries(at, "right", LOGIN, "2001:db8::1")).toBe("none");
    expect(await tries(at, "right", LOGIN, "2001:db8::2")).toBe("403 permission denied");
    expect(await tries(at, "right", LOGIN, null)).toBe("403 permission denied");
  });

  test("uses the whole password, spaces and all", async () => {
    const long = ` ${"ä".repeat(100)} `;
    const at = await world({ password: `${long}1` });
    expect([await tries(at, `${long}1`), await tries(at, `${long}2`)]).toEqual(["none", INVALID]);
  });

  test("is renewed as long as the user is there with the same policies", async () => {
    const at = await world({ token_policies: "apps", token_ttl: 60 });
    const { internal } = await at.login(LOGIN, { password: "right" });
    const backend = await at.backend("auth/userpass/");
    await at.write(BOB, { token_ttl: 90, token_policies: "default,apps" });
    expect((await backend.renewLogin?.(internal))?.ttlSeconds).toBe(90);
    await at.write(`${BOB}/policies`, { policies: "apps,more" });
    expect(await at.refusal(async () => backend.renewLogin?.(internal))).toBe(
      `500 ${wrapped("policies have changed, not renewing")}`,
    );
    await at.call("delete", BOB);
    expect(await backend.renewLogin?.(internal)).toBeNull();
  });
});

describe("a user", () => {
  test("is shown without the password, which is stored as an Argon2id hash", async () => {
    const at = await world({ policies: "apps", ttl: "1h" });
    expect(await at.read(BOB)).toEqual({
      policies: ["apps"],
      token_bound_cidrs: [],
      token_explicit_max_ttl: 0,
      token_max_ttl: 0,
      token_no_default_policy: false,
      token_num_uses: 0,
      token_period: 0,
      token_policies: ["apps"],
      token_ttl: 3600,
      token_type: "default",
      ttl: 3600,
    });
    const store = await at.plainStore();
    expect(store).toContain('"algorithm":"argon2id"');
    expect(store).not.toContain("right");
    expect((await at.call("list", "auth/userpass/users/"))?.data).toEqual({ keys: ["bob"] });
  });

  test("gets another password, and the old one is of no use", async () => {
    const at = await world();
    await at.write(`${BOB}/password`, { password: "newer" });
    expect([await tries(at, "right"), await tries(at, "newer")]).toEqual([INVALID, "none"]);
  });

  test("is refused in Vault's words", async () => {
    const at = await world();
    expect(await at.refusal(() => at.write("auth/userpass/users/eve"))).toBe("400 missing password");
    expect(await at.refusal(() => at.write("auth/userpass/users/eve", { password: "x".repeat(1025) }))).toBe(
      "400 password is longer than 1024 bytes",
    );
    const absent = `500 ${wrapped("username does not exist")}`;
    const eve = "auth/userpass/users/eve";
    expect(await at.refusal(() => at.write(`${eve}/password`, { password: "x" }))).toBe(absent);
    expect(await at.refusal(() => at.write(`${eve}/policies`, { policies: "x" }))).toBe(absent);
  });
});

describe("a lockout", () => {
  test("begins with the fifth wrong password, and holds against the right one until its time is over", async () => {
    const at = await world();
    for (let attempt = 1; attempt <= 5; attempt += 1) expect(await tries(at, "wrong")).toBe(INVALID);
    expect(await tries(at, "right")).toBe(LOCKED);
    at.clock.advance(900_000 - 1);
    expect(await tries(at, "right")).toBe(LOCKED);
    at.clock.advance(1);
    expect(await tries(at, "right")).toBe("none");
  });

  test("does not begin when a right password comes between, or the wrong ones are far apart", async () => {
    const at = await world();
    for (let attempt = 1; attempt <= 4; attempt += 1) await tries(at, "wrong");
    expect(await tries(at, "right")).toBe("none");
    for (let attempt = 1; attempt <= 4; attempt += 1) await tries(at, "wrong");
    at.clock.advance(900_000);
    await tries(at, "wrong");
    expect(await tries(at, "right")).toBe("none");
  });

  test("counts guesses that come all at once", async () => {
    const at = await world();
    await Promise.all(Array.from({ length: 8 }, () => tries(at, "wrong")));
    expect(await tries(at, "right")).toBe(LOCKED);
  });

  test("is listed and ended by hand, of names that do not exist too", async () => {
    const at = await world();
    const nobody = "auth/userpass/login/nobody@example.org";
    for (let attempt = 1; attempt <= 5; attempt += 1) await tries(at, "wrong", nobody);
    const { accessor } = await at.mount("auth/userpass/");
    expect(await at.read("sys/locked-users")).toEqual({
      total: 1,
      by_namespace: [
        {
          namespace_id: "root",
          namespace_path: "",
          counts: 1,
          mount_accessors: [
            { mount_accessor: accessor, counts: 1, alias_identifiers: ["nobody@example.org"] },
          ],
        },
      ],
    });
    await at.write(`sys/locked-users/${accessor}/unlock/nobody@example.org`);
    expect(await tries(at, "wrong", nobody)).toBe(INVALID);
    expect((await at.read("sys/locked-users"))?.total).toBe(0);
  });

  test("follows the mount's settings", async () => {
    const at = await world();
    const lockout = { lockout_threshold: "2", lockout_duration: "1m", lockout_counter_reset_duration: "30s" };
    await at.write("sys/auth/userpass/tune", { user_lockout_config: lockout });
    await tries(at, "wrong");
    at.clock.advance(30_000);
    await tries(at, "wrong");
    expect(await tries(at, "right")).toBe("none");
    await tries(at, "wrong");
    await tries(at, "wrong");
    expect(await tries(at, "right")).toBe(LOCKED);
    await at.write("sys/auth/userpass/tune", { user_lockout_config: { lockout_disable: true } });
    expect(await tries(at, "right")).toBe("none");
  });

  test("leaves nothing in the store once its time is over", async () => {
    const at = await world();
    await tries(at, "wrong", "auth/userpass/login/guess");
    at.clock.advance(900_000);
    const [key, ...others] = await at.dueKeys(LOCKOUT_PREFIX);
    expect(others).toEqual([]);
    await settleLockout(at.services, LOCKOUT_PREFIX + key);
    expect(await at.plainStore()).not.toContain("guess");
  });

  test("of one name leaves the others alone", async () => {
    const at = await world();
    for (let attempt = 1; attempt <= 5; attempt += 1) await tries(at, "wrong", "auth/userpass/login/eve");
    expect(await tries(at, "right")).toBe("none");
  });
});
