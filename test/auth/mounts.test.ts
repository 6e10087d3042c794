import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/base/json.ts";
import { endTokensOf } from "../../src/core/mounts/retire-tokens.ts";
import { tokenForLogin } from "../../src/core/tokens/login.ts";
import { type AuthWorld, authWorld } from "./world.ts";

async function world(): Promise<AuthWorld> {
  const at = await authWorld();
  await at.write("sys/auth/ci", {
    type: "approle",
    description: "for jobs",
    config: { default_lease_ttl: "1h" },
  });
  return at;
}

describe("an auth method", () => {
  test("is listed among its own, and not among the secrets engines", async () => {
    const at = await world();
    const listed = (await at.read("sys/auth")) as Record<string, JsonObject>;
    expect(Object.keys(listed)).toEqual(["ci/", "token/"]);
    expect(listed["ci/"]).toMatchObject({
      type: "approle",
      description: "for jobs",
      config: { default_lease_ttl: 3600, max_lease_ttl: 0, token_type: "default-service" },
    });
    expect(listed["ci/"]?.accessor).toMatch(/^auth_approle_[0-9a-f]{8}$/);
    expect(await at.read("sys/auth/ci")).toEqual(listed["ci/"] ?? {});
    expect(Object.keys((await at.read("sys/mounts")) ?? {})).toEqual(["cubbyhole/", "identity/", "sys/"]);
    expect(await at.refusal(() => at.read("sys/mounts/auth/ci"))).toBe(
      "400 No secret engine mount at auth/ci/",
    );
  });

  test.each([
    ["sys/auth/x", {}, "backend type must be specified as a string"],
    ["sys/auth/x", { type: "token" }, "token credential backend cannot be instantiated"],
    ["sys/auth/x", { type: "database" }, "plugin not found in the catalog: database"],
    [
      "sys/auth/x",
      { type: "approle", options: { version: "2" } },
      'auth method "approle" does not allow setting a version',
    ],
    ["sys/auth/ci", { type: "approle" }, "path is already in use at ci/"],
    ["sys/auth/ci/below", { type: "approle" }, "path is already in use at ci/"],
    ["sys/auth/x", { type: "approle", config: { token_type: "odd" } }, "invalid value for 'token_type'"],
    ["sys/mounts/auth/x", { type: "database" }, 'cannot mount "auth/"'],
  ])("is refused at %s with %j", async (path, data, text) => {
    const at = await world();
    expect(await at.refusal(() => at.write(path, data as JsonObject))).toBe(`400 ${text}`);
  });

  test("is tuned by either of its paths", async () => {
    const at = await world();
    await at.write("sys/auth/ci/tune", {
      token_type: "batch",
      max_lease_ttl: "2h",
      user_lockout_config: { lockout_threshold: 3 },
    });
    await at.write("sys/mounts/auth/ci/tune", { description: "changed" });
    const tuned = {
      default_lease_ttl: 3600,
      description: "changed",
      external_entropy_access: false,
      force_no_cache: false,
      max_lease_ttl: 7200,
      token_type: "batch",
      user_lockout_counter_reset_duration: 900,
      user_lockout_disable: false,
      user_lockout_duration: 900,
      user_lockout_threshold: 3,
    };
    expect(await at.read("sys/auth/ci/tune")).toEqual(tuned);
    expect(await at.read("sys/mounts/auth/ci/tune")).toEqual(tuned);
    expect(await at.refusal(() => at.read("sys/auth/no/tune"))).toBe(
      '400 cannot fetch sysview for path "auth/no/"',
    );
    expect(await at.refusal(() => at.write("sys/auth/no/tune", { description: "x" }))).toBe(
      '400 tune of path "auth/no/" failed: no mount entry found',
    );
  });

  test("is moved among auth methods only, with its data", async () => {
    const at = await world();
    await at.write("auth/ci/role/r", { role_id: "fixed" });
    expect(await at.refusal(() => at.write("sys/remount", { from: "auth/ci", to: "ci" }))).toStartWith(
      "400 cannot remount auth mount to non-auth mount",
    );
    await at.write("sys/remount", { from: "auth/ci", to: "auth/jobs" });
    expect(await at.read("auth/jobs/role/r/role-id")).toEqual({ role_id: "fixed" });
    expect(await at.refusal(() => at.read("auth/ci/role/r"))).toBe("404 no route");
  });

  test("is disabled with its data, and the token method never", async () => {
    const at = await world();
    await at.write("auth/ci/role/r", { role_id: "a-role-to-forget" });
    expect(await at.plainStore()).toContain("a-role-to-forget");
    expect(await at.call("delete", "sys/auth/ci")).toBeUndefined();
    expect(await at.plainStore()).not.toContain("a-role-to-forget");
    expect(await at.refusal(() => at.read("sys/auth/ci"))).toBe("400 No auth engine at ci/");
    expect(await at.call("delete", "sys/auth/ci")).toBeUndefined();
    expect(await at.refusal(() => at.call("delete", "sys/auth/token"))).toBe(
      "400 token credential backend cannot be disabled",
    );
    expect(await at.refusal(() => at.call("delete", "sys/mounts/auth/ci"))).toBe(
      '400 cannot unmount "auth/ci/"',
    );
  });

  test("takes the tokens it granted along, and none that its successor at the path granted", async () => {
    const at = await world();
    const grantToken = async (): Promise<string> => {
      await at.write("auth/ci/role/r", {
        bind_secret_id: false,
        token_bound_cidrs: "127.0.0.1",
        role_id: "r",
      });
      const grant = await at.login("auth/ci/login", { role_id: "r" });
      const mounted = await at.services.mounts.load(await at.mount("auth/ci/"));
      const { created } = await tokenForLogin(at.services, mounted, grant, "auth/ci/login", null);
      return created.hash;
    };
    const first = await grantToken();
    const before = await at.mount("auth/ci/");
    await at.call("delete", "sys/auth/ci");
    expect(await at.services.barrier.get(`token/${first}`)).toBeNull();
    await at.write("sys/auth/ci", { type: "approle" });
    const second = await grantToken();
    // What is left to do for the disabled one is taken up late, when its path is another's.
    await endTokensOf(at.services, before);
    expect(await at.services.barrier.get(`token/${second}`)).not.toBeNull();
  });
});

describe("a mount's hash", () => {
  test("differs by purpose and by mount, and is the same each time", async () => {
    const at = await world();
    await at.write("sys/auth/other", { type: "approle" });
    await at.write("auth/ci/role/r", { role_id: "same" });
    await at.write("auth/other/role/r", { role_id: "same" });
    const indexes = (await at.plainStore()).match(/role-id\/[0-9a-f]{64}/g) ?? [];
    expect(new Set(indexes).size).toBe(2);
    expect(await at.refusal(() => at.write("auth/ci/role/twice", { role_id: "same" }))).toContain(
      "already in use",
    );
  });
});
