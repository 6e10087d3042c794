import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { entityForLogin, identityOf, standingOf, tokenIdentity } from "../../../src/core/identity/login.ts";
import { TOKEN_ACCESSOR } from "../../../src/core/mounts/table.ts";
import { type AuthWorld, authWorld } from "../../auth/world.ts";

interface World extends AuthWorld {
  readonly userpass: string;
  readonly approle: string;
}

async function world(): Promise<World> {
  const at = await authWorld();
  await at.write("sys/auth/userpass", { type: "userpass" });
  await at.write("sys/auth/approle", { type: "approle" });
  const userpass = (await at.mount("auth/userpass/")).accessor;
  const approle = (await at.mount("auth/approle/")).accessor;
  return { ...at, userpass, approle };
}

async function make(at: AuthWorld, data: JsonObject = {}): Promise<string> {
  return String((await at.write("identity/entity", data))?.data?.id);
}

const logIn = (at: AuthWorld, accessor: string, name: string, metadata: Record<string, string> = {}) =>
  entityForLogin(at.services, { accessor }, { name, metadata });

describe("a login", () => {
  test("makes an entity the first time, and finds it from then on", async () => {
    const at = await world();
    const first = await logIn(at, at.userpass, "bob", { a: "1" });
    expect(first?.name).toMatch(/^entity_[0-9a-f]{8}$/);
    expect(first?.aliases).toMatchObject([
      { name: "bob", mountAccessor: at.userpass, metadata: { a: "1" }, customMetadata: {} },
    ]);
    const second = await logIn(at, at.userpass, "bob", { a: "2" });
    expect(second).toEqual({
      ...(first ?? ({} as never)),
      aliases: (first?.aliases ?? []).map((alias) => ({ ...alias, metadata: { a: "2" } })),
    });
    expect(await identityOf(at.services, String(first?.id))).toEqual(second);
    expect((await logIn(at, at.approle, "bob"))?.id).not.toBe(first?.id);
    expect((await logIn(at, at.userpass, "Bob"))?.id).not.toBe(first?.id);
  });

  test("by several at once makes one entity", async () => {
    const at = await world();
    const views = await Promise.all(Array.from({ length: 6 }, () => logIn(at, at.userpass, "bob")));
    expect(new Set(views.map((view) => view?.id)).size).toBe(1);
    expect((await at.call("list", "identity/entity/id/"))?.data?.keys).toHaveLength(1);
  });

  test("that changes nothing writes nothing", async () => {
    const at = await world();
    await logIn(at, at.userpass, "bob", { a: "1" });
    const before = await at.plainStore();
    at.clock.advance(1000);
    await logIn(at, at.userpass, "bob", { a: "1" });
    expect(await at.plainStore()).toBe(before);
  });

  test("of a disabled entity is refused", async () => {
    const at = await world();
    const id = String((await logIn(at, at.userpass, "bob"))?.id);
    await at.write(`identity/entity/id/${id}`, { disabled: true });
    expect(await at.refusal(() => logIn(at, at.userpass, "bob"))).toBe("403 permission denied");
    expect((await standingOf(at.services, id))?.disabled).toBe(true);
  });

  test("without an alias is nobody's", async () => {
    const at = await world();
    expect(await entityForLogin(at.services, { accessor: at.userpass }, null)).toBeNull();
    expect(await identityOf(at.services, "")).toBeNull();
    expect(await identityOf(at.services, "../entity")).toBeNull();
  });

  test("serves token roles with aliases of the token method", async () => {
    const at = await world();
    const identity = tokenIdentity(at.services);
    const id = await identity.entityForAlias("web");
    await at.write(`identity/entity/id/${id}`, { policies: ["apps"] });
    expect(await identity.entityForAlias("web")).toBe(id);
    expect([await identity.policiesOf(id), await identity.policiesOf("")]).toEqual([["apps"], []]);
    const found = { alias_name: "web", alias_mount_accessor: TOKEN_ACCESSOR };
    expect((await at.write("identity/lookup/entity", found))?.data).toMatchObject({
      aliases: [{ mount_path: "auth/token/", mount_type: "token" }],
    });
  });
});

describe("an entity", () => {
  test("is made, shown, changed and deleted, by its id and by its name", async () => {
    const at = await world();
    const made = (
      await at.write("identity/entity", { name: "Ann", metadata: { team: "x" }, policies: "b,A" })
    )?.data;
    const id = String(made?.id);
    expect(made).toEqual({ id, name: "Ann", aliases: null });
    const shown = {
      aliases: [],
      creation_time: "2023-11-14T22:13:20.000Z",
      direct_group_ids: [],
      disabled: false,
      group_ids: [],
      id,
      inherited_group_ids: [],
      last_update_time: "2023-11-14T22:13:20.000Z",
      merged_entity_ids: [],
      metadata: { team: "x" },
      name: "Ann",
      namespace_id: "root",
      policies: ["a", "b"],
    };
    expect(await at.read(`identity/entity/id/${id}`)).toEqual(shown);
    expect(await at.read("identity/entity/name/ann")).toEqual(shown);
    expect(await at.write("identity/entity", { id, name: "Bea" })).toBeUndefined();
    expect(await at.write("identity/entity/name/bea", { metadata: "team=y" })).toBeUndefined();
    expect(await at.read(`identity/entity/id/${id}`)).toMatchObject({
      metadata: { team: "y" },
      policies: ["a", "b"],
    });
    expect(await at.read("identity/entity/name/ann")).toBeUndefined();
    expect((await at.call("list", "identity/entity/name/"))?.data).toEqual({ keys: ["bea"] });
    await at.call("delete", "identity/entity/name/bea");
    expect(await at.read(`identity/entity/id/${id}`)).toBeUndefined();
    expect(await make(at, { name: "Bea" })).not.toBe(id);
  });

  test.each([
    [{ id: "00000000-0000-4000-8000-000000000000" }, "entity not found from id"],
    [{ id: "x" }, "entity not found from id"],
    [{ policies: ["x", "Root"] }, "policies cannot contain root"],
    [
      { metadata: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`k${at}`, ""])) },
      "metadata has 65 pairs; at most 64 are allowed",
    ],
    [
      { metadata: { [`k${"x".repeat(128)}`]: "" } },
      "a key of metadata is empty, unprintable or longer than 128 characters",
    ],
    [{ metadata: { k: "ä".repeat(257) } }, 'the value of metadata key "k" is longer than 512 bytes'],
    [{ name: "a/b" }, "entity name has a slash or unprintable characters, or more than 512"],
  ])("is refused with %#", async (data, text) => {
    const at = await world();
    expect(await at.refusal(() => at.write("identity/entity", data as JsonObject))).toBe(`400 ${text}`);
  });

  test("does not take a name that another has", async () => {
    const at = await world();
    const id = await make(at, { name: "one" });
    await make(at, { name: "two" });
    expect(await at.refusal(() => at.write("identity/entity", { id, name: "TWO" }))).toBe(
      "400 entity name is already in use",
    );
  });

  test("of one name is made once, by however many at once", async () => {
    const at = await world();
    await Promise.all(Array.from({ length: 5 }, () => at.write("identity/entity", { name: "same" })));
    expect((await at.call("list", "identity/entity/name/"))?.data).toEqual({ keys: ["same"] });
  });

  test("has no `__proto__` in its metadata", async () => {
    const at = await world();
    const metadata = JSON.parse('{"__proto__":"x","a":"b"}');
    await expect(make(at, { metadata })).rejects.toThrow('"__proto__" cannot be a key');
  });

  test("is deleted with others in one request, with what points to it", async () => {
    const at = await world();
    const view = await logIn(at, at.userpass, "bob");
    const other = await make(at);
    await at.write("identity/entity/batch-delete", { entity_ids: [String(view?.id), other] });
    expect((await at.call("list", "identity/entity/id/"))?.data?.keys).toEqual([]);
    expect(await at.plainStore()).not.toContain("identity/");
  });
});

describe("an alias", () => {
  test("is made for an entity, shown, given metadata, moved and deleted", async () => {
    const at = await world();
    const [one, two] = [await make(at, { name: "one" }), await make(at, { name: "two" })];
    const factors = { name: "bob", mount_accessor: at.userpass };
    const made = (await at.write("identity/entity-alias", { ...factors, canonical_id: one }))?.data;
    const id = String(made?.id);
    expect(made).toEqual({ canonical_id: one, id });
    expect((await logIn(at, at.userpass, "bob"))?.id).toBe(one);
    await at.write("identity/entity-alias", { ...factors, custom_metadata: { a: "b" } });
    expect(await at.read(`identity/entity-alias/id/${id}`)).toMatchObject({
      canonical_id: one,
      custom_metadata: { a: "b" },
      mount_path: "auth/userpass/",
      mount_type: "userpass",
      name: "bob",
    });
    await at.write(`identity/entity-alias/id/${id}`, { canonical_id: two });
    expect((await logIn(at, at.userpass, "bob"))?.id).toBe(two);
    expect((await at.read(`identity/entity/id/${one}`))?.aliases).toEqual([]);
    expect((await at.call("list", "identity/entity-alias/id/"))?.data?.keys).toEqual([id]);
    await at.call("delete", `identity/entity-alias/id/${id}`);
    expect(await at.read(`identity/entity-alias/id/${id}`)).toBeUndefined();
    expect(await at.write("identity/lookup/entity", { alias_id: id })).toBeUndefined();
  });

  test("without an entity gets a new one", async () => {
    const at = await world();
    const made = (await at.write("identity/entity-alias", { name: "eve", mount_accessor: at.userpass }))
      ?.data;
    expect((await at.write("identity/lookup/entity", { alias_id: String(made?.id) }))?.data?.id).toBe(
      made?.canonical_id ?? null,
    );
  });

  test("is refused in Vault's words", async () => {
    const at = await world();
    const id = await make(at);
    const bob = { name: "bob", mount_accessor: at.userpass, canonical_id: id };
    await at.write("identity/entity-alias", bob);
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{ name: "x" }, "'id' or 'mount_accessor' and 'name' must be provided"],
      [{ ...bob, mount_accessor: "auth_x_1" }, 'invalid mount accessor "auth_x_1"'],
      [{ ...bob, name: "eve", canonical_id: "x" }, "invalid canonical ID"],
      [{ ...bob, name: "eve" }, "Alias already exists for requested entity and mount accessor"],
      [{ ...bob, id: "x" }, "invalid alias ID"],
      [
        { ...bob, custom_metadata: { a: "x".repeat(513) } },
        'the value of custom_metadata key "a" is longer than 512 bytes',
      ],
    ];
    for (const [data, text] of cases) {
      expect(await at.refusal(() => at.write("identity/entity-alias", data))).toBe(`400 ${text}`);
    }
  });
});

describe("merging entities", () => {
  test("hands aliases and ids on", async () => {
    const at = await world();
    const from = String((await logIn(at, at.userpass, "bob"))?.id);
    const to = String((await logIn(at, at.approle, "role"))?.id);
    await at.write("identity/entity/merge", { from_entity_ids: from, to_entity_id: to });
    expect((await logIn(at, at.userpass, "bob"))?.id).toBe(to);
    expect((await identityOf(at.services, from))?.id).toBe(to);
    expect(await at.read(`identity/entity/id/${from}`)).toBeUndefined();
    expect(await at.read(`identity/entity/id/${to}`)).toMatchObject({ merged_entity_ids: [from] });
  });

  test("asks which alias stays where both have one of a method", async () => {
    const at = await world();
    const [from, to] = [await logIn(at, at.userpass, "a"), await logIn(at, at.userpass, "b")];
    const request = { from_entity_ids: [String(from?.id)], to_entity_id: String(to?.id) };
    expect(await at.refusal(() => at.write("identity/entity/merge", request))).toContain(
      "same mount accessor",
    );
    const keep = String(from?.aliases[0]?.id);
    await at.write("identity/entity/merge", { ...request, conflicting_alias_ids_to_keep: keep });
    expect((await identityOf(at.services, String(to?.id)))?.aliases.map(({ name }) => name)).toEqual(["a"]);
    expect((await logIn(at, at.userpass, "b"))?.id).not.toBe(String(to?.id));
  });

  test.each([
    [{}, "missing entity ids to merge from"],
    [{ from_entity_ids: "x" }, "missing entity id to merge to"],
    [{ from_entity_ids: "x", to_entity_id: "y" }, "entity id to merge to is invalid"],
  ])("%j is refused", async (data, text) => {
    const at = await world();
    expect(await at.refusal(() => at.write("identity/entity/merge", data as JsonObject))).toBe(`400 ${text}`);
  });
});

describe("looking an entity up", () => {
  test("finds it by any one of its marks", async () => {
    const at = await world();
    const view = await logIn(at, at.userpass, "bob");
    const look = async (data: JsonObject) => (await at.write("identity/lookup/entity", data))?.data?.id;
    const id = String(view?.id);
    expect(await look({ id })).toBe(id);
    expect(await look({ name: String(view?.name) })).toBe(id);
    expect(await look({ alias_id: String(view?.aliases[0]?.id) })).toBe(id);
    expect(await look({ alias_name: "bob", alias_mount_accessor: at.userpass })).toBe(id);
    expect(await look({ alias_name: "bob", alias_mount_accessor: "../x" })).toBeUndefined();
    expect(await look({ name: "nobody" })).toBeUndefined();
    expect(await at.refusal(() => look({}))).toBe("400 query parameter not supplied");
    expect(await at.refusal(() => look({ id, name: "x" }))).toStartWith("400 only one of");
  });
});
