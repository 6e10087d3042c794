import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/base/json.ts";
import { mountPrefix } from "../../src/core/mounts/engine-storage.ts";
import { type AuthWorld, authWorld } from "./world.ts";

const ROLE = "auth/approle/role/ci";
const LOGIN = "auth/approle/login";

async function world(role: JsonObject = { token_policies: "apps" }): Promise<AuthWorld> {
  const made = await authWorld();
  await made.write("sys/auth/approle", { type: "approle" });
  await made.write(ROLE, role);
  return made;
}

async function roleId(at: AuthWorld): Promise<string> {
  return String((await at.read(`${ROLE}/role-id`))?.role_id);
}

async function newSecretId(at: AuthWorld, data: JsonObject = {}): Promise<{ id: string; accessor: string }> {
  const reply = await at.write(`${ROLE}/secret-id`, data);
  return { id: String(reply?.data?.secret_id), accessor: String(reply?.data?.secret_id_accessor) };
}

const INVALID = "400 invalid role or secret ID";
const wrapped = (text: string): string => `1 error occurred:\n\t* ${text}\n\n`;

describe("an AppRole login", () => {
  test("grants what the role says, in the name of its role id", async () => {
    const at = await world({
      token_policies: "b,A",
      token_ttl: "1h",
      token_max_ttl: "2h",
      token_num_uses: 3,
    });
    const id = await roleId(at);
    const secret = await newSecretId(at, { metadata: '{"job":"42"}' });
    const grant = await at.login(LOGIN, { role_id: id, secret_id: secret.id });
    expect(grant).toEqual({
      displayName: "",
      alias: { name: id, metadata: { job: "42", role_name: "ci" } },
      groupAliases: [],
      policies: ["a", "b"],
      metadata: { job: "42", role_name: "ci" },
      internal: { role: "ci", metadata: { job: "42" }, boundCidrs: [] },
      ttlSeconds: 3600,
      maxTtlSeconds: 7200,
      explicitMaxTtlSeconds: 0,
      periodSeconds: 0,
      numUses: 3,
      boundCidrs: [],
      noDefaultPolicy: false,
      tokenType: "default",
      renewable: true,
    });
  });

  test("is refused in Vault's words", async () => {
    const at = await world();
    const id = await roleId(at);
    const { id: secret } = await newSecretId(at);
    const login = (data: JsonObject) => at.refusal(() => at.write(LOGIN, data));
    expect(await login({ secret_id: secret })).toBe("400 missing role_id");
    expect(await login({ role_id: id })).toBe("400 missing secret_id");
    expect(await login({ role_id: "nobody", secret_id: secret })).toBe(INVALID);
    expect(await login({ role_id: id, secret_id: "wrong" })).toBe(INVALID);
    expect(await login({ role_id: id, secret_id: "s".repeat(4097) })).toBe(INVALID);
    expect(await login({ role_id: id, secret_id: { __proto__: null, a: 1 } })).toContain(
      "400 Field validation failed",
    );
  });

  test("with a secret id of one use succeeds once, of two at the same time too", async () => {
    const at = await world();
    const id = await roleId(at);
    const { id: secret } = await newSecretId(at, { num_uses: 1 });
    const once = () => at.refusal(() => at.login(LOGIN, { role_id: id, secret_id: secret }));
    expect((await Promise.all([once(), once()])).sort()).toEqual([INVALID, "none"]);
    expect(await once()).toBe(INVALID);
    expect(await at.refusal(() => at.call("list", `${ROLE}/secret-id/`))).toBe("none");
    expect((await at.call("list", `${ROLE}/secret-id/`))?.data).toEqual({ keys: [] });
  });

  test("takes as many uses as there are, however many log in at once", async () => {
    const at = await world({ secret_id_num_uses: 4 });
    const id = await roleId(at);
    const { id: secret } = await newSecretId(at);
    const attempts = Array.from({ length: 9 }, () =>
      at.refusal(() => at.login(LOGIN, { role_id: id, secret_id: secret })),
    );
    expect((await Promise.all(attempts)).filter((text) => text === "none")).toHaveLength(4);
  });

  test("ends with the secret id's TTL, whose entry is then due and goes", async () => {
    const at = await world({ secret_id_ttl: "60s" });
    const id = await roleId(at);
    const { id: secret } = await newSecretId(at);
    at.clock.advance(59_999);
    expect(await at.refusal(() => at.login(LOGIN, { role_id: id, secret_id: secret }))).toBe("none");
    at.clock.advance(1);
    expect(await at.refusal(() => at.login(LOGIN, { role_id: id, secret_id: secret }))).toBe(INVALID);
    const prefix = mountPrefix((await at.mount("auth/approle/")).uuid);
    const [key, ...others] = await at.dueKeys(prefix);
    expect(others).toEqual([]);
    await (await at.backend("auth/approle/")).due?.(String(key));
    expect((await at.call("list", `${ROLE}/secret-id/`))?.data).toEqual({ keys: [] });
  });

  test("comes from where the secret id and the role say", async () => {
    const at = await world({ secret_id_bound_cidrs: "10.0.0.0/8" });
    const id = await roleId(at);
    const free = await newSecretId(at);
    const bound = await newSecretId(at, { cidr_list: "10.1.0.0/16", num_uses: 2 });
    const unlimited = await newSecretId(at, { cidr_list: ["10.1.0.0/16"] });
    const login = (secret: string, from: string | null) =>
      at.refusal(() => at.login(LOGIN, { role_id: id, secret_id: secret }, from));
    expect(await login(free.id, "10.200.0.1")).toBe("none");
    expect(await login(free.id, "::ffff:10.200.0.1")).toBe("none");
    expect(await login(free.id, "192.0.2.1")).toStartWith(
      '400 source address "192.0.2.1" unauthorized by CIDR restrictions on the role: ',
    );
    expect(await login(free.id, null)).toStartWith("400 source address");
    expect(await login(unlimited.id, "10.2.0.1")).toBe(
      '400 source address "10.2.0.1" unauthorized through CIDR restrictions on the secret ID',
    );
    expect(await login(bound.id, "10.2.0.1")).toStartWith(
      '400 source address "10.2.0.1" unauthorized by CIDR restrictions on the secret ID: ',
    );
    // The refused login took no use.
    expect([await login(bound.id, "10.1.0.1"), await login(bound.id, "10.1.0.1")]).toEqual(["none", "none"]);
  });

  test("of a role without secret ids needs only the role id, from the right place", async () => {
    const at = await world({ bind_secret_id: false, secret_id_bound_cidrs: "192.0.2.0/24" });
    const id = await roleId(at);
    expect(await at.refusal(() => at.login(LOGIN, { role_id: id }, "192.0.2.9"))).toBe("none");
    expect(await at.refusal(() => at.login(LOGIN, { role_id: id }, "198.51.100.1"))).toStartWith(
      "400 source",
    );
    expect(await at.refusal(() => at.write(`${ROLE}/secret-id`))).toBe(
      "400 bind_secret_id is not set on the role",
    );
  });

  test("is renewed by the role's present terms, and not without the role", async () => {
    const at = await world();
    const { id: secret } = await newSecretId(at);
    const grant = await at.login(LOGIN, { role_id: await roleId(at), secret_id: secret });
    const backend = await at.backend("auth/approle/");
    await at.write(ROLE, { token_ttl: "5m" });
    expect((await backend.renewLogin?.(grant.internal))?.ttlSeconds).toBe(300);
    await at.call("delete", ROLE);
    expect(await at.refusal(async () => backend.renewLogin?.(grant.internal))).toBe(
      `500 ${wrapped('role "ci" does not exist during renewal')}`,
    );
  });
});

describe("secret ids", () => {
  test("are stored as hashes, role and mount apart", async () => {
    const at = await world();
    const secret = await newSecretId(at);
    await at.write(`${ROLE}/custom-secret-id`, { secret_id: "a-word-of-my-own" });
    const store = await at.plainStore();
    expect(store).not.toContain(secret.id);
    expect(store).not.toContain("a-word-of-my-own");
    expect(store).toContain(secret.accessor);
    await at.write("auth/approle/role/other", {});
    const other = String((await at.read("auth/approle/role/other/role-id"))?.role_id);
    expect(await at.refusal(() => at.login(LOGIN, { role_id: other, secret_id: secret.id }))).toBe(INVALID);
  });

  test("of a deleted role do not come back with a new one of its name", async () => {
    const at = await world({ role_id: "fixed" });
    const secret = await newSecretId(at);
    await at.call("delete", ROLE);
    await at.write(ROLE, { role_id: "fixed" });
    expect(await at.refusal(() => at.login(LOGIN, { role_id: "fixed", secret_id: secret.id }))).toBe(INVALID);
    expect(await at.plainStore()).not.toContain(secret.accessor);
  });

  test("are shown and destroyed, by themselves and by their accessors", async () => {
    const at = await world({ secret_id_num_uses: 5, secret_id_ttl: 120 });
    const secret = await newSecretId(at, { metadata: '{"a":"b"}', num_uses: 2 });
    const seen = (await at.write(`${ROLE}/secret-id/lookup`, { secret_id: secret.id }))?.data;
    expect(seen).toEqual({
      cidr_list: [],
      creation_time: "2023-11-14T22:13:20.000Z",
      expiration_time: "2023-11-14T22:15:20.000Z",
      last_updated_time: "2023-11-14T22:13:20.000Z",
      metadata: { a: "b" },
      secret_id_accessor: secret.accessor,
      secret_id_num_uses: 2,
      secret_id_ttl: 120,
      token_bound_cidrs: [],
    });
    const byAccessor = { secret_id_accessor: secret.accessor };
    expect((await at.write(`${ROLE}/secret-id-accessor/lookup`, byAccessor))?.data).toEqual(seen);
    await at.write(`${ROLE}/secret-id-accessor/destroy`, byAccessor);
    expect(await at.write(`${ROLE}/secret-id/lookup`, { secret_id: secret.id })).toBeUndefined();
    const gone = `failed to find accessor entry for secret_id_accessor: "${secret.accessor}"`;
    const refusal = (path: string) => at.refusal(() => at.write(`${ROLE}/${path}`, byAccessor));
    expect(await refusal("secret-id-accessor/lookup")).toBe(`404 ${gone}`);
    expect(await refusal("secret-id-accessor/destroy")).toBe(`500 ${wrapped(gone)}`);
    const another = await newSecretId(at);
    await at.call("delete", `${ROLE}/secret-id/destroy`, { secret_id: another.id });
    expect((await at.call("list", `${ROLE}/secret-id/`))?.data).toEqual({ keys: [] });
  });

  test("are refused in Vault's words", async () => {
    const at = await world({ secret_id_num_uses: 5, secret_id_ttl: 60, secret_id_bound_cidrs: "10.0.0.0/8" });
    const make = (data: JsonObject) => at.refusal(() => at.write(`${ROLE}/secret-id`, data));
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{ num_uses: -1 }, "num_uses cannot be negative"],
      [{ num_uses: 6 }, "num_uses cannot be higher than the role's secret_id_num_uses"],
      [{ num_uses: 0 }, "num_uses cannot be higher than the role's secret_id_num_uses"],
      [{ ttl: 61 }, "ttl cannot be longer than the role's secret_id_ttl"],
      [{ ttl: 0 }, "ttl cannot be longer than the role's secret_id_ttl"],
      [{ cidr_list: "10.0.0.1" }, "failed to validate CIDR blocks"],
      [{ metadata: '{"a":1}' }, "failed to parse metadata: its values are not all strings"],
      [{ metadata: "[]" }, "failed to parse metadata: it is not a JSON object"],
    ];
    for (const [data, text] of cases) expect(await make(data)).toBe(`400 ${text}`);
    expect(await make({ cidr_list: "11.0.0.0/8" })).toStartWith("400 CIDR blocks of the secret ID");
    expect(await make({ metadata: `{"a":"${"x".repeat(513)}"}` })).toStartWith(
      "400 the value of metadata key",
    );
    const custom = { secret_id: "mine" };
    expect(await at.refusal(() => at.write(`${ROLE}/custom-secret-id`, {}))).toBe("400 missing secret_id");
    await at.write(`${ROLE}/custom-secret-id`, custom);
    expect(await at.refusal(() => at.write(`${ROLE}/custom-secret-id`, custom))).toBe(
      `500 ${wrapped("failed to store secret_id: SecretID is already registered")}`,
    );
    const absent = "auth/approle/role/absent/secret-id";
    expect(await at.refusal(() => at.write(absent))).toBe('404 role "absent" does not exist');
    expect(await at.refusal(() => at.call("list", `${absent}/`))).toBe('400 role "absent" does not exist');
    expect(await at.refusal(() => at.write(`${absent}/lookup`, custom))).toBe(
      `500 ${wrapped('role "absent" does not exist')}`,
    );
  });

  test("that have expired are tidied away, the others stay", async () => {
    const at = await world();
    const gone = await newSecretId(at, { ttl: 10 });
    const stays = await newSecretId(at);
    at.clock.advance(10_000);
    expect((await at.write("auth/approle/tidy/secret-id"))?.status).toBe(202);
    expect((await at.call("list", `${ROLE}/secret-id/`))?.data).toEqual({ keys: [stays.accessor] });
    expect(await at.plainStore()).not.toContain(gone.accessor);
  });
});

describe("an AppRole role", () => {
  test("shows what it was given, under the old names as well where they were used", async () => {
    const at = await world({ policies: "p", period: "1h", local_secret_ids: true });
    expect(await at.read(ROLE)).toEqual({
      bind_secret_id: true,
      local_secret_ids: true,
      period: 3600,
      policies: ["p"],
      secret_id_bound_cidrs: [],
      secret_id_num_uses: 0,
      secret_id_ttl: 0,
      token_bound_cidrs: [],
      token_explicit_max_ttl: 0,
      token_max_ttl: 0,
      token_no_default_policy: false,
      token_num_uses: 0,
      token_period: 3600,
      token_policies: ["p"],
      token_ttl: 0,
      token_type: "default",
    });
    expect((await at.call("list", "auth/approle/role/"))?.data).toEqual({ keys: ["ci"] });
    expect(await at.read("auth/approle/role/CI")).toEqual(await at.read(ROLE));
  });

  test("is refused in Vault's words", async () => {
    const at = await world();
    await at.write("auth/approle/role/other", { role_id: "taken" });
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{ token_ttl: 20, token_max_ttl: 10 }, "400 'token_ttl' cannot be greater than 'token_max_ttl'"],
      [{ token_period: "-1s" }, "400 'token_period' cannot be negative"],
      [{ token_num_uses: -1 }, "400 'token_num_uses' cannot be negative"],
      [{ token_type: "odd" }, `400 invalid 'token_type' value "odd"`],
      [
        { token_type: "batch", token_period: 5 },
        "400 'token_type' cannot be 'batch' or 'default_batch' when set to generate periodic tokens",
      ],
      [{ local_secret_ids: true }, "400 local_secret_ids can only be modified during role creation"],
      [{ secret_id_num_uses: -1 }, "400 secret_id_num_uses cannot be negative"],
      [{ secret_id_bound_cidrs: "10.0.0.1" }, "400 invalid CIDR blocks"],
      [
        { token_period: "800h" },
        `400 period of "800h0m0s" is greater than the backend's maximum lease TTL of "768h0m0s"`,
      ],
      [{ bind_secret_id: false }, `500 ${wrapped("at least one constraint should be enabled on the role")}`],
      [{ role_id: "taken" }, `500 ${wrapped("role_id already in use")}`],
    ];
    for (const [data, text] of cases) expect(await at.refusal(() => at.write(ROLE, data))).toBe(text);
  });

  test("warns of a max TTL that the mount will not give", async () => {
    const at = await world();
    expect((await at.write(ROLE, { token_max_ttl: "800h" }))?.warnings).toEqual([
      "token_max_ttl is greater than the backend mount's maximum TTL value; issued tokens' max TTL value will be truncated",
    ]);
  });

  test.each([
    [
      "policies",
      { token_policies: ["x"] },
      { token_policies: ["x"], policies: ["x"] },
      { token_policies: [], policies: [] },
    ],
    ["bound-cidr-list", { bound_cidr_list: ["10.0.0.0/8"] }, undefined, { bound_cidr_list: [] }],
    [
      "secret-id-bound-cidrs",
      { secret_id_bound_cidrs: ["10.0.0.0/8"] },
      undefined,
      { secret_id_bound_cidrs: [] },
    ],
    ["token-bound-cidrs", { token_bound_cidrs: ["10.0.0.1"] }, undefined, { token_bound_cidrs: [] }],
    ["secret-id-num-uses", { secret_id_num_uses: 7 }, undefined, { secret_id_num_uses: 0 }],
    ["secret-id-ttl", { secret_id_ttl: 7 }, undefined, { secret_id_ttl: 0 }],
    ["period", { token_period: 7 }, { token_period: 7, period: 7 }, { token_period: 0, period: 0 }],
    ["token-num-uses", { token_num_uses: 7 }, undefined, { token_num_uses: 0 }],
    ["token-ttl", { token_ttl: 7 }, undefined, { token_ttl: 0 }],
    ["token-max-ttl", { token_max_ttl: 7 }, undefined, { token_max_ttl: 0 }],
  ] as const)("has its %s set, shown and reset by themselves", async (name, value, shown, reset) => {
    const at = await world({});
    await at.write(`${ROLE}/${name}`, value);
    expect(await at.read(`${ROLE}/${name}`)).toEqual(shown ?? value);
    await at.call("delete", `${ROLE}/${name}`);
    expect(await at.read(`${ROLE}/${name}`)).toEqual(reset);
    const [field] = Object.keys(value);
    expect(await at.refusal(() => at.write(`${ROLE}/${name}`))).toBe(`400 missing ${field}`);
    const absent = `auth/approle/role/absent/${name}`;
    expect(await at.refusal(() => at.write(absent, value))).toBe(`404 ${wrapped("unsupported path")}`);
    expect(await at.read(absent)).toBeUndefined();
  });

  test("is listed with others, in pages where asked", async () => {
    const at = await world();
    for (const name of ["a", "b", "d"]) await at.write(`auth/approle/role/${name}`);
    const keys = async (data: JsonObject) => (await at.call("list", "auth/approle/role/", data))?.data?.keys;
    expect(await keys({})).toEqual(["a", "b", "ci", "d"]);
    expect(await keys({ after: "a", limit: "2" })).toEqual(["b", "ci"]);
  });

  test("takes another role id, and the old one is of no use then", async () => {
    const at = await world();
    const before = await roleId(at);
    const { id: secret } = await newSecretId(at);
    await at.write(`${ROLE}/role-id`, { role_id: "chosen" });
    expect(await at.refusal(() => at.login(LOGIN, { role_id: "chosen", secret_id: secret }))).toBe("none");
    expect(await at.refusal(() => at.login(LOGIN, { role_id: before, secret_id: secret }))).toBe(INVALID);
  });

  test("keeps TTL and max TTL in order, each set by itself", async () => {
    const at = await world({ token_ttl: 10, token_max_ttl: 20 });
    expect(await at.refusal(() => at.write(`${ROLE}/token-ttl`, { token_ttl: 21 }))).toBe(
      "400 token_ttl should not be greater than token_max_ttl",
    );
    expect(await at.refusal(() => at.write(`${ROLE}/token-max-ttl`, { token_max_ttl: 9 }))).toBe(
      "400 token_max_ttl should be greater than or equal to token_ttl",
    );
  });
});
