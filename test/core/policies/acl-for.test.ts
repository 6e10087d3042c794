import { describe, expect, test } from "bun:test";
import type { Barrier } from "../../../src/barrier/port.ts";
import { ApiError } from "../../../src/base/errors.ts";
import { aclFor } from "../../../src/core/policies/acl-for.ts";
import { BoundedCache } from "../../../src/core/policies/bounded-cache.ts";
import type { IdentityView } from "../../../src/core/policies/identity-view.ts";
import { deletePolicy, writePolicy } from "../../../src/core/policies/store.ts";
import { codeOf } from "../../barrier/world.ts";
import { policyWorld } from "./world.ts";

const read = (path: string): string => `path "${path}" { capabilities = ["read"] }`;

function entity(id: string, name = id): IdentityView {
  return { id, name, metadata: {}, aliases: [], groups: [] };
}

/** A barrier that counts what is read of it. */
function counting(barrier: Barrier): { barrier: Barrier; readonly keys: string[] } {
  const keys: string[] = [];
  const counted = new Proxy(barrier, {
    get(target, name) {
      if (name === "get") {
        return (key: string) => {
          keys.push(key);
          return target.get(key);
        };
      }
      if (name === "list" || name === "scan") throw new RangeError("a policy check must not list");
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { barrier: counted, keys };
}

describe("the ACL of some policies", () => {
  test("follows every change from the next request on, of other processes too", async () => {
    const { barrier, open } = await policyWorld();
    const other = await open();
    const may = async (by: Barrier) => (await aclFor({ barrier: by }, ["p"], null)).capabilities("a");
    expect(await may(barrier)).toEqual(["deny"]);
    await writePolicy(barrier, "p", read("a"));
    expect([await may(barrier), await may(other)]).toEqual([["read"], ["read"]]);
    await writePolicy(other, "p", 'path "a" { policy = "deny" }');
    expect([await may(barrier), await may(other)]).toEqual([["deny"], ["deny"]]);
    await writePolicy(other, "p", read("a"));
    expect(await may(barrier)).toEqual(["read"]);
    await deletePolicy(other, "p");
    expect(await may(barrier)).toEqual(["deny"]);
    // Written again: the version is a new one, whatever the text.
    await writePolicy(other, "p", read("b"));
    expect(await may(barrier)).toEqual(["deny"]);
  });

  test("is compiled once for each state of its policies", async () => {
    const { barrier } = await policyWorld();
    await writePolicy(barrier, "p", read("a"));
    const first = await aclFor({ barrier }, ["p", "default"], null);
    expect(await aclFor({ barrier }, [" DEFAULT", "P", "p"], null)).toBe(first);
    await writePolicy(barrier, "p", read("a"));
    expect(await aclFor({ barrier }, ["p", "default"], null)).not.toBe(first);
  });

  test("costs the policies that are held, however many others the store has", async () => {
    const { barrier } = await policyWorld();
    const value = Buffer.from(JSON.stringify({ v: 1, policy: read("a") }));
    const others = Array.from({ length: 10_000 }, (_, index) => `policy/other-${index}`);
    await barrier.commit(others.map((key) => ({ op: "put", key, value })));
    await writePolicy(barrier, "p", read("a"));
    const counted = counting(barrier);
    const acl = await aclFor(counted, ["p", "q"], null);
    expect(counted.keys).toEqual(["policy/p", "policy/q"]);
    expect(acl.size).toBe(1);
  });

  test("depends on who the caller is only where a policy says so", async () => {
    const { barrier } = await policyWorld();
    await writePolicy(barrier, "plain", read("a"));
    await writePolicy(barrier, "own", `${read("home/{{identity.entity.name}}/*")} ${read("b")}`);
    const [ann, bob] = [entity("1", "ann"), entity("2", "bob")];
    expect(await aclFor({ barrier }, ["plain"], ann)).toBe(await aclFor({ barrier }, ["plain"], bob));
    const anns = await aclFor({ barrier }, ["own"], ann);
    const bobs = await aclFor({ barrier }, ["own"], bob);
    const nobodys = await aclFor({ barrier }, ["own"], null);
    const shown = [anns, bobs, nobodys].map((acl) =>
      ["home/ann/x", "home/bob/x", "b"].map((it) => acl.capabilities(it)[0]),
    );
    expect(shown).toEqual([
      ["read", "deny", "read"],
      ["deny", "read", "read"],
      ["deny", "deny", "read"],
    ]);
    // A new name holds at once.
    const renamed = await aclFor({ barrier }, ["own"], entity("1", "eve"));
    expect(renamed.capabilities("home/ann/x")).toEqual(["deny"]);
  });

  test("merges patterns that templates make the same", async () => {
    const { barrier } = await policyWorld();
    await writePolicy(barrier, "own", read("home/{{identity.entity.name}}"));
    await writePolicy(barrier, "ban", 'path "home/eve" { policy = "deny" }');
    const acl = await aclFor({ barrier }, ["own", "ban"], entity("1", "eve"));
    expect(acl.capabilities("home/eve")).toEqual(["deny"]);
  });

  test("has the built-in default until one is written", async () => {
    const { barrier } = await policyWorld();
    const before = await aclFor({ barrier }, ["default"], entity("e-1", "bob"));
    expect(before.capabilities("auth/token/lookup-self")).toEqual(["read"]);
    expect(before.capabilities("identity/entity/id/e-1")).toEqual(["read"]);
    expect(before.capabilities("identity/entity/id/e-2")).toEqual(["deny"]);
    await writePolicy(barrier, "default", read("a"));
    const after = await aclFor({ barrier }, ["default"], null);
    expect(after.capabilities("auth/token/lookup-self")).toEqual(["deny"]);
  });

  test("of response-wrapping is the built-in one, whatever lies in the store", async () => {
    const { barrier } = await policyWorld();
    const value = Buffer.from(JSON.stringify({ v: 1, policy: read("*") }));
    await barrier.commit(
      ["response-wrapping", "root"].map((name) => ({ op: "put", key: `policy/${name}`, value })),
    );
    const acl = await aclFor({ barrier }, ["response-wrapping"], null);
    expect(["cubbyhole/response", "sys/wrapping/unwrap", "x"].map((it) => acl.capabilities(it))).toEqual([
      ["create", "read"],
      ["update"],
      ["deny"],
    ]);
  });

  test("is root for the policy root alone, and refused for root among others", async () => {
    const { barrier } = await policyWorld();
    expect((await aclFor({ barrier }, ["Root "], null)).isRoot).toBe(true);
    const refusal = await aclFor({ barrier }, ["root", "p"], null).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ApiError);
    expect(refusal).toMatchObject({
      status: 500,
      errors: ["1 error occurred:\n\t* other policies present along with root\n\n"],
    });
    expect((await aclFor({ barrier }, ["roots", ""], null)).isRoot).toBe(false);
  });

  test("is refused while one of its policies cannot be understood: it might hold a deny", async () => {
    const { barrier } = await policyWorld();
    await writePolicy(barrier, "good", read("a"));
    for (const stored of ['{"v":1,"policy":"path"}', '{"v":2,"policy":""}', "[]"]) {
      await barrier.commit([{ op: "put", key: "policy/bad", value: Buffer.from(stored) }]);
      expect(await codeOf(() => aclFor({ barrier }, ["good", "bad"], null))).toBe("BARRIER_DAMAGED");
    }
  });
});

describe("the cache of compiled policies", () => {
  test("keeps what was used last within its bound, and the newest in any case", () => {
    const cache = new BoundedCache<number>(10, (value) => value);
    cache.set("a", 4);
    cache.set("b", 4);
    cache.get("a");
    cache.set("c", 4);
    expect(["a", "b", "c"].map((key) => cache.get(key))).toEqual([4, undefined, 4]);
    cache.set("a", 1);
    cache.set("d", 5);
    expect(["a", "c", "d"].map((key) => cache.get(key))).toEqual([1, 4, 5]);
    cache.set("e", 99);
    expect(["a", "c", "d", "e"].map((key) => cache.get(key))).toEqual([undefined, undefined, undefined, 99]);
    cache.set("f", 1);
    expect(["e", "f"].map((key) => cache.get(key))).toEqual([undefined, 1]);
  });
});
