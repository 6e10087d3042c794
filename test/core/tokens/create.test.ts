import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { revokeTokenTree } from "../../../src/core/tokens/revoke.ts";
import { refusal, type SPEC, TokenWorld } from "./world.ts";

const DAY = 86_400;

interface Case {
  readonly params?: JsonObject;
  /** The policies of the caller; root when absent. */
  readonly policies?: readonly string[];
  readonly sudo?: boolean;
  readonly role?: JsonObject;
  /** What the caller's own token is. */
  readonly caller?: Partial<typeof SPEC>;
  readonly text: string;
}

const BATCH_ROLE = { token_type: "default-service", orphan: true, renewable: false };

const REFUSALS: Record<string, Case> = {
  "a batch token makes a token": {
    caller: { type: "batch" },
    text: "batch tokens cannot create more tokens",
  },
  "a token with a limited number of uses makes a token": {
    caller: { numUses: 5 },
    text: "restricted use token cannot generate child tokens",
  },
  "the type is no type": { params: { type: "root" }, text: "invalid 'token_type' value" },
  "a batch token is to have an explicit maximum": {
    params: { type: "batch", explicit_max_ttl: "1h" },
    text: 'batch tokens cannot have "explicit_max_ttl" set',
  },
  "a batch token is to have a number of uses": {
    params: { type: "batch", num_uses: 1 },
    text: 'batch tokens cannot have "num_uses" set',
  },
  "a batch token is to have a period": {
    params: { type: "batch", period: "1h" },
    text: 'batch tokens cannot have "period" set',
  },
  "a batch token is to have an unreadable maximum": {
    params: { type: "batch", explicit_max_ttl: "x" },
    text: "'explicit_max_ttl' value could not be parsed",
  },
  "a batch token is to have an unreadable period": {
    params: { type: "batch", period: "x" },
    text: "'period' value could not be parsed",
  },
  "a batch token is to have a chosen id": {
    params: { type: "batch", id: "mine" },
    text: 'batch tokens cannot have "id" set',
  },
  "a role would give a batch token a period": {
    params: { type: "batch" },
    role: { ...BATCH_ROLE, token_period: "1h" },
    text: 'batch tokens cannot have "period" set',
  },
  "the number of uses is negative": {
    params: { num_uses: -1 },
    text: "number of uses cannot be negative",
  },
  "an entity alias comes without a role": {
    params: { entity_alias: "bob" },
    text: "'entity_alias' is only allowed in combination with token role",
  },
  "an entity alias is not the role's": {
    params: { entity_alias: "bob" },
    role: { allowed_entity_aliases: ["al*"] },
    text: "invalid 'entity_alias' value",
  },
  "an id is chosen without sudo": {
    params: { id: "mine" },
    policies: ["default"],
    text: "root or sudo privileges required to specify token id",
  },
  "an id looks like an old service token": {
    params: { id: "s.mine" },
    text: "custom token ID cannot have the 's.' prefix",
  },
  "an id looks like a service token": {
    params: { id: "hvs.mine" },
    text: "custom token ID cannot have the 'hvs.' prefix",
  },
  "an id has a dot": { params: { id: "mi.ne" }, text: "custom token ID cannot have a '.' in the value" },
  "an id has a space": {
    params: { id: "mi ne" },
    text: "custom token ID must be at most 256 printable ASCII characters without spaces",
  },
  "a policy is not the role's": {
    params: { policies: ["other"] },
    role: { allowed_policies: ["a", "b"], allowed_policies_glob: ["dev-*"], token_no_default_policy: true },
    text: 'token policies (["other"]) must be subset of the role\'s allowed policies (["a" "b"]) or glob policies (["dev-*"])',
  },
  "a policy is one that the role forbids": {
    params: { policies: ["secret"] },
    role: { disallowed_policies: ["secret"] },
    text: 'token policy "secret" is disallowed by this role',
  },
  "a policy is one that a pattern of the role forbids": {
    params: { policies: ["dev-secret"] },
    role: { allowed_policies_glob: ["dev-*"], disallowed_policies_glob: ["*-secret"] },
    text: 'token policy "dev-secret" is disallowed by this role',
  },
  "the policies are more than the parent's": {
    params: { policies: ["a", "b"] },
    policies: ["a"],
    text: "child policies must be subset of parent",
  },
  "sudo asks for the root policy": {
    params: { policies: ["root"] },
    policies: ["a"],
    sudo: true,
    text: "root tokens may not be created without parent token being root",
  },
  "a role asks for the root policy": {
    params: { policies: ["root"] },
    policies: ["a"],
    role: { disallowed_policies: ["b"] },
    text: "root tokens may not be created without parent token being root",
  },
  "a batch token is to be root": {
    params: { type: "batch", ttl: "1h" },
    text: "batch tokens cannot be root tokens",
  },
  "an expiring root token makes one that does not expire": {
    caller: { policies: ["root"], ttlSeconds: 60 },
    text: "expiring root tokens cannot create non-expiring root tokens",
  },
  "the policy is vsec's own": {
    params: { policies: ["response-wrapping"] },
    text: 'cannot assign policy "response-wrapping"',
  },
  "an orphan is made without sudo": {
    params: { no_parent: true },
    policies: ["a"],
    text: "root or sudo privileges required to create orphan token",
  },
  "a periodic token is made without sudo": {
    params: { period: "1h" },
    policies: ["a"],
    text: "root or sudo privileges required to create periodic token",
  },
  "the ttl is negative": { params: { ttl: "-1s" }, text: "ttl must be positive" },
  "the old ttl is negative": { params: { lease: "-1s" }, text: "ttl must be positive" },
  "the period is negative": { params: { period: "-1" }, text: "period must be positive" },
  "the explicit maximum is negative": {
    params: { explicit_max_ttl: "-1h" },
    text: "explicit_max_ttl must be positive",
  },
  "the ttl is unreadable": {
    params: { ttl: "soon" },
    text: `'ttl' value could not be parsed: time: invalid duration "soon"`,
  },
};

describe("no token is made when", () => {
  test.each(Object.entries(REFUSALS))("%s", async (_name, { params = {}, role, text, ...it }) => {
    const world = await TokenWorld.create();
    const policies = it.policies ?? it.caller?.policies ?? ["root"];
    const { caller } = await world.token({ ...it.caller, policies: it.caller?.type ? ["a"] : policies });
    if (role !== undefined) await world.call("update", "roles/it", role);
    const before = await world.keys();
    const path = role === undefined ? "create" : "create/it";
    const sudo = it.sudo ?? policies.includes("root");
    expect(await refusal(() => world.call("update", path, params, { caller, sudo }))).toBe(text);
    expect(await world.keys()).toEqual(before);
  });

  test("the role is not known", async () => {
    const world = await TokenWorld.create();
    expect(await refusal(() => world.call("update", "create/nobody"))).toBe("unknown role nobody");
  });

  test("a role of the store has a type that no token has", async () => {
    const world = await TokenWorld.create();
    await world.call("update", "roles/odd", {});
    const entry = await world.services.barrier.get("token-role/odd");
    const role = { ...JSON.parse(Buffer.from(entry?.value ?? []).toString()), tokenType: "odd" };
    await world.services.barrier.commit([
      { op: "put", key: "token-role/odd", value: Buffer.from(JSON.stringify(role)) },
    ]);
    expect(await refusal(() => world.call("update", "create/odd"))).toBe(
      'role being used for token creation contains invalid token type "odd"',
    );
  });

  test("an id is taken", async () => {
    const world = await TokenWorld.create();
    await world.make({ id: "mine" });
    expect(await refusal(() => world.make({ id: "mine" }))).toBe("cannot create a token with a duplicate ID");
  });

  test("of two that want the same id at the same moment, one is first", async () => {
    const world = await TokenWorld.create();
    const texts = await Promise.all([1, 2].map(() => refusal(() => world.make({ id: "mine" }))));
    expect(texts.sort()).toEqual(["cannot create a token with a duplicate ID", "none"]);
  });

  test("the caller was revoked meanwhile", async () => {
    const world = await TokenWorld.create();
    const { caller, hash } = await world.token({ policies: ["root"] });
    await revokeTokenTree(world.services, hash);
    const before = await world.keys();
    expect(await refusal(() => world.call("update", "create", {}, { caller }))).toBe(
      "parent token lookup failed: no parent found",
    );
    expect(await refusal(() => world.token({ parent: caller }))).toBe(
      "parent token lookup failed: no parent found",
    );
    expect(await world.keys()).toEqual(before);
  });

  test("a batch token would not fit into a header", async () => {
    const world = await TokenWorld.create();
    const meta = { long: "x".repeat(10_000) };
    expect(await refusal(() => world.make({ type: "batch", policies: ["a"], meta }))).toContain(
      "too long to use",
    );
  });
});

describe("a new token", () => {
  test("has the answer's auth that Vault has", async () => {
    const world = await TokenWorld.create();
    const { auth, warnings } = await world.make({
      policies: [" Apps", "apps", "default"],
      meta: { team: "x" },
      ttl: "1h",
      display_name: "ci job",
    });
    expect(auth).toEqual({
      client_token: expect.stringMatching(/^hvs\.[0-9A-Za-z]{24}$/),
      accessor: expect.stringMatching(/^[0-9A-Za-z]{24}$/),
      policies: ["apps", "default"],
      token_policies: ["apps", "default"],
      metadata: { team: "x" },
      lease_duration: 3600,
      renewable: true,
      entity_id: "",
      token_type: "service",
      orphan: false,
      mfa_requirement: null,
      num_uses: 0,
    });
    expect(warnings).toEqual(['Policy "apps" does not exist']);
  });

  test("of root without anything is a root token that never expires", async () => {
    const world = await TokenWorld.create();
    const { auth, caller } = await world.make();
    expect(auth).toMatchObject({ policies: ["root"], lease_duration: 0, renewable: false });
    expect(caller?.record.expiresAt).toBeNull();
  });

  test("of root with a ttl expires", async () => {
    const world = await TokenWorld.create();
    const { caller } = await world.make({ ttl: "1m" });
    expect(caller?.record.expiresAt).toBe(world.now + 60_000);
  });

  test("is stored without its id", async () => {
    const world = await TokenWorld.create();
    const { id } = await world.make({ id: "chosen-by-hand" });
    const page = await world.services.barrier.scan("", { limit: 1000 });
    const everything = page.entries
      .map(({ key, value }) => key + Buffer.from(value).toString("latin1"))
      .join();
    expect(id).toBe("chosen-by-hand");
    expect(everything).not.toContain("chosen-by-hand");
  });

  test("with a chosen id comes with a warning", async () => {
    const world = await TokenWorld.create();
    expect((await world.make({ id: "mine" })).warnings[0]).toContain("custom token ID");
  });

  test.each<[string, JsonObject, readonly string[], boolean, readonly string[]]>([
    ["inherits the parent's when none are given", {}, ["a", "default"], false, ["a", "default"]],
    ["gets default when the parent has it", { policies: ["a"] }, ["a", "default"], false, ["a", "default"]],
    ["does not get default when the parent has it not", { policies: ["a"] }, ["a", "b"], false, ["a"]],
    [
      "does not get default when that is not wanted",
      { policies: ["a"], no_default_policy: true },
      ["a", "default"],
      false,
      ["a"],
    ],
    ["gets anything and default with sudo", { policies: ["z"] }, ["a"], true, ["default", "z"]],
    [
      "gets anything without default with sudo",
      { policies: ["z"], no_default_policy: true },
      ["a"],
      true,
      ["z"],
    ],
  ])("%s", async (_name, params, policies, sudo, expected) => {
    const world = await TokenWorld.create();
    const { caller } = await world.token({ policies });
    expect((await world.make(params, { caller, sudo })).auth.token_policies).toEqual(expected);
  });

  test.each<[string, JsonObject, JsonObject, readonly string[]]>([
    [
      "its allowed policies when none are asked for",
      { allowed_policies: ["b", "a"] },
      {},
      ["a", "b", "default"],
    ],
    [
      "what a pattern allows",
      { allowed_policies_glob: ["dev-*"] },
      { policies: ["dev-x"] },
      ["default", "dev-x"],
    ],
    [
      "no default when it is forbidden",
      { allowed_policies: ["a"], disallowed_policies: ["default"] },
      {},
      ["a"],
    ],
    [
      "no default when the role says so",
      { allowed_policies: ["a"], token_no_default_policy: true },
      {},
      ["a"],
    ],
    ["the parent's when it only forbids", { disallowed_policies: ["z"] }, {}, ["default", "mine"]],
  ])("by a role has %s", async (_name, role, params, expected) => {
    const world = await TokenWorld.create();
    const { caller } = await world.token({ policies: ["default", "mine"] });
    await world.call("update", "roles/it", role);
    const { auth } = await world.make(params, { caller, sudo: false, path: "create/it" });
    expect(auth.token_policies).toEqual(expected);
  });

  test("by a role has the lesser of both figures, the role's path and its binds", async () => {
    const world = await TokenWorld.create();
    await world.call("update", "roles/it", {
      token_period: 2 * DAY,
      token_explicit_max_ttl: 9 * DAY,
      token_num_uses: 3,
      path_suffix: "suffix",
      token_bound_cidrs: "10.0.0.0/8",
    });
    const { caller, warnings } = await world.make(
      { period: "1d", explicit_max_ttl: "10d", num_uses: 7 },
      { path: "create/it" },
    );
    expect(caller?.record).toMatchObject({
      periodSeconds: DAY,
      explicitMaxTtlSeconds: 9 * DAY,
      creationNumUses: 3,
      path: "auth/token/create/it/suffix",
      boundCidrs: ["10.0.0.0/8"],
      role: "it",
    });
    expect(warnings).toEqual([
      `Explicit max TTL specified both during creation call and in role; using the lesser value of ${9 * DAY} seconds`,
      `Period specified both during creation call and in role; using the lesser value of ${DAY} seconds`,
    ]);
  });

  test("is an orphan by the role's word alone", async () => {
    const world = await TokenWorld.create();
    await world.call("update", "roles/child", {});
    await world.call("update", "roles/orphan", { orphan: true });
    expect((await world.make({ no_parent: true }, { path: "create/child" })).auth.orphan).toBe(false);
    expect((await world.make({}, { path: "create/orphan" })).auth.orphan).toBe(true);
  });

  test("is an orphan by the path, without sudo", async () => {
    const world = await TokenWorld.create();
    const { caller } = await world.token({
      policies: ["a"],
      boundCidrs: ["127.0.0.1"],
      entityId: "entity-1",
    });
    const child = await world.make({}, { caller });
    const orphan = await world.make({}, { caller, path: "create-orphan" });
    expect([child.auth.orphan, child.auth.entity_id, child.caller]).toEqual([false, "entity-1", null]);
    expect([orphan.auth.orphan, orphan.auth.entity_id, orphan.caller?.record.boundCidrs]).toEqual([
      true,
      "",
      [],
    ]);
  });

  test("has its entity's policies in the answer, apart from its own", async () => {
    const world = await TokenWorld.create();
    const { caller } = await world.token({ policies: ["a"], entityId: "entity-1" });
    expect((await world.make({}, { caller })).auth).toMatchObject({
      policies: ["a", "from-entity"],
      token_policies: ["a"],
      identity_policies: ["from-entity"],
    });
  });

  test("may be for an alias that the role allows", async () => {
    const world = await TokenWorld.create();
    await world.call("update", "roles/it", { allowed_entity_aliases: "al*" });
    const { auth } = await world.make({ entity_alias: "Alice" }, { path: "create/it" });
    expect(auth.entity_id).toBe("entity-of-Alice");
  });

  test.each([
    ["", "token"],
    ["token", "token"],
    ["ci", "token-ci"],
    ["a b/c_d.é", "token-a-b-c-d--"],
  ])("named %j shows %j", async (given, shown) => {
    const world = await TokenWorld.create();
    expect((await world.make({ display_name: given })).caller?.record.displayName).toBe(shown);
  });
});

describe("a token role", () => {
  test("reads back as it was written, with its defaults", async () => {
    const world = await TokenWorld.create();
    await world.call("update", "roles/it", { allowed_policies: "B, a", period: 60 });
    expect((await world.call("read", "roles/it"))?.data).toEqual({
      allowed_entity_aliases: [],
      allowed_policies: ["a", "b"],
      allowed_policies_glob: [],
      disallowed_policies: [],
      disallowed_policies_glob: [],
      explicit_max_ttl: 0,
      name: "it",
      orphan: false,
      path_suffix: "",
      period: 60,
      renewable: true,
      token_bound_cidrs: [],
      token_explicit_max_ttl: 0,
      token_no_default_policy: false,
      token_num_uses: 0,
      token_period: 60,
      token_type: "default-service",
    });
    expect((await world.call("list", "roles"))?.data).toEqual({ keys: ["it"] });
  });

  test("keeps what a later write does not name", async () => {
    const world = await TokenWorld.create();
    await world.call("update", "roles/it", { orphan: true, token_num_uses: 3 });
    await world.call("update", "roles/it", { token_num_uses: 4 });
    expect((await world.call("read", "roles/it"))?.data).toMatchObject({ orphan: true, token_num_uses: 4 });
  });

  test("prefers the new name of a figure and says so", async () => {
    const world = await TokenWorld.create();
    const reply = await world.call("update", "roles/it", { period: 60, token_period: 90 });
    expect(reply?.warnings).toEqual([
      "Both 'token_period' and deprecated 'period' value supplied, ignoring the deprecated value",
    ]);
    expect((await world.call("read", "roles/it"))?.data).toMatchObject({ period: 0, token_period: 90 });
  });

  test("is gone once deleted", async () => {
    const world = await TokenWorld.create();
    await world.call("update", "roles/it", {});
    await world.call("delete", "roles/it");
    expect(await world.call("read", "roles/it")).toBeUndefined();
  });

  const BATCH = { token_type: "batch", orphan: true, renewable: false };
  const GENERATE = "'token_type' cannot be 'batch' when role is set to generate";
  test.each<[JsonObject, string]>([
    [{ token_type: "odd" }, `invalid 'token_type' value "odd"`],
    [{ ...BATCH, orphan: false }, `${GENERATE} non-orphan tokens`],
    [{ ...BATCH, token_period: 1 }, `${GENERATE} periodic tokens`],
    [{ ...BATCH, renewable: true }, `${GENERATE} renewable tokens`],
    [{ ...BATCH, token_explicit_max_ttl: 1 }, `${GENERATE} tokens with an explicit max TTL`],
    [
      { path_suffix: "a" },
      "given role path suffix contains invalid characters; must conform to \\w[\\w-.]+\\w",
    ],
    [
      { path_suffix: "a/../b" },
      "given role path suffix contains invalid characters; must conform to \\w[\\w-.]+\\w",
    ],
    [{ token_bound_cidrs: ["10.0.0.0/8", "here"] }, 'error parsing address "here"'],
    [BATCH, "none"],
  ])("with %j is answered %j", async (role, text) => {
    const world = await TokenWorld.create();
    expect(await refusal(() => world.call("update", "roles/it", role))).toBe(text);
    expect((await world.call("read", "roles/it")) === undefined).toBe(text !== "none");
  });
});
