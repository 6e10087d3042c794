import { describe, expect, test } from "bun:test";
import { cubbyholeBackend } from "../../../src/core/cubbyhole/backend.ts";
import { spendUse } from "../../../src/core/tokens/authenticate.ts";
import { revokeTokenTree } from "../../../src/core/tokens/revoke.ts";
import { accessWorld, ask, bytesOf, newCaller, refusalOf } from "../wrapping/world.ts";

async function world() {
  const { services, storage } = await accessWorld();
  const { paths } = cubbyholeBackend(services);
  return { services, storage, paths, caller: await newCaller(services) };
}

describe("the cubbyhole", () => {
  test("keeps what a token writes, for that token", async () => {
    const { paths, caller } = await world();
    const data = { text: "x", deep: { list: [1, true, null] }, path: "a field of that name" };
    expect(await ask(paths, { path: "a/b", data, caller })).toBeUndefined();
    expect(await ask(paths, { operation: "read", path: "a/b", caller })).toEqual({ data });
  });

  test("is another one for each token, even for one with the root policy", async () => {
    const { services, paths, caller } = await world();
    await ask(paths, { path: "mine", data: { x: "1" }, caller });
    const root = await newCaller(services, { policies: ["root"] });
    expect(await ask(paths, { operation: "read", path: "mine", caller: root })).toBeUndefined();
    expect(await ask(paths, { operation: "list", path: "", caller: root })).toEqual({ data: { keys: [] } });
  });

  test("lists names below a path, sorted, folders with a slash", async () => {
    const { paths, caller } = await world();
    for (const path of ["b", "a", "a/z", "a/y/x", "c/d"])
      await ask(paths, { path, data: { x: "1" }, caller });
    const list = (path: string) => ask(paths, { operation: "list", path, caller });
    expect(await list("")).toEqual({ data: { keys: ["a", "a/", "b", "c/"] } });
    expect(await list("a/")).toEqual({ data: { keys: ["y/", "z"] } });
    expect(await list("nothing/")).toEqual({ data: { keys: [] } });
  });

  test("replaces what was there, and deletes it", async () => {
    const { paths, caller } = await world();
    await ask(paths, { path: "a", data: { x: "1", y: "1" }, caller });
    await ask(paths, { path: "a", data: { x: "2" }, caller });
    expect(await ask(paths, { operation: "read", path: "a", caller })).toEqual({ data: { x: "2" } });
    expect(await ask(paths, { operation: "delete", path: "a", caller })).toBeUndefined();
    expect(await ask(paths, { operation: "read", path: "a", caller })).toBeUndefined();
    expect(await ask(paths, { operation: "delete", path: "a", caller })).toBeUndefined();
  });

  test("tells create from update for the policy check", async () => {
    const { services, paths, caller } = await world();
    const exists = () => {
      const spec = paths.find(({ pattern }) => pattern === "*path");
      const request = { operation: "update", path: "a", values: { path: "a" }, given: {}, raw: {} } as const;
      const builtin = { caller, acl: { isRoot: false, capabilities: () => [] } };
      const whole = {
        ...request,
        ...builtin,
        displayName: "",
        callerId: "",
        clientToken: "",
        remoteAddress: null,
      };
      return spec?.exists?.(whole);
    };
    expect(await exists()).toBe(false);
    await ask(cubbyholeBackend(services).paths, { path: "a", data: { x: "1" }, caller });
    expect(await exists()).toBe(true);
  });

  test("is gone with the token, for good", async () => {
    const { services, paths, caller } = await world();
    await ask(paths, { path: "a/b", data: { x: "1" }, caller });
    await revokeTokenTree(services, caller.tokenHash);
    expect((await services.barrier.scan("cubbyhole/", { limit: 10 })).entries).toEqual([]);
    expect(await refusalOf(ask(paths, { path: "late", data: { x: "1" }, caller }))).toMatchObject({
      status: 403,
    });
    expect((await services.barrier.scan("cubbyhole/", { limit: 10 })).entries).toEqual([]);
  });

  test("a token that is made with an id used before finds nothing of its predecessor's", async () => {
    const { services, paths } = await world();
    const before = await newCaller(services, { id: "again" });
    await ask(paths, { path: "a", data: { x: "1" }, caller: before });
    await revokeTokenTree(services, before.tokenHash);
    const after = await newCaller(services, { id: "again" });
    expect(await ask(paths, { operation: "list", path: "", caller: after })).toEqual({ data: { keys: [] } });
  });

  test("writes that race a revocation leave nothing behind", async () => {
    const { services, paths, caller } = await world();
    const writes = Array.from({ length: 20 }, (_, n) =>
      refusalOf(ask(paths, { path: `n${n}`, data: { x: "1" }, caller })),
    );
    await Promise.all([...writes, revokeTokenTree(services, caller.tokenHash)]);
    expect((await services.barrier.scan("cubbyhole/", { limit: 100 })).entries).toEqual([]);
  });

  test("is not for batch tokens", async () => {
    const { services, paths } = await world();
    const caller = await newCaller(services, { type: "batch" });
    const refusal = {
      status: 400,
      text: "cubbyhole operations are only supported by 'service' type tokens",
    };
    for (const operation of ["read", "update", "delete", "list"] as const) {
      const asked = ask(paths, { operation, path: "a", data: { x: "1" }, caller });
      expect(await refusalOf(asked)).toEqual(refusal);
    }
  });

  test.each([
    ["a write without fields", { path: "a" }, "missing data fields"],
    ["a write without a path", { path: "", data: { x: "1" } }, "missing path"],
    ["a read without a path", { operation: "read", path: "" }, "missing path"],
    ["a write to a folder", { path: "a/", data: { x: "1" } }, "cannot write to a path ending in '/'"],
    [
      "a path that is too long",
      { path: "a".repeat(513), data: { x: "1" } },
      "a path in the cubbyhole has at most 512 characters and 32 segments",
    ],
    [
      "a path that is too deep",
      { path: Array(33).fill("a").join("/"), data: { x: "1" } },
      "a path in the cubbyhole has at most 512 characters and 32 segments",
    ],
  ] as const)("%s is refused", async (_, request, text) => {
    const { paths, caller } = await world();
    expect(await refusalOf(ask(paths, { ...request, caller }))).toEqual({ status: 400, text });
  });

  test("the longest and deepest paths can be stored", async () => {
    const { paths, caller } = await world();
    const deep = Array(32).fill("é".repeat(15)).join("/").slice(0, 512);
    for (const path of ["語".repeat(512), deep]) {
      await ask(paths, { path, data: { x: "1" }, caller });
      expect(await ask(paths, { operation: "read", path, caller })).toEqual({ data: { x: "1" } });
    }
  });

  test("nothing of it is stored in clear", async () => {
    const { paths, caller, storage } = await world();
    await ask(paths, { path: "folder-name/entry-name", data: { "key-name": "hunter2" }, caller });
    const stored = await bytesOf(storage);
    expect(stored.length).toBeGreaterThan(1000);
    const clear = [caller.token, "folder-name", "entry-name", "key-name", "hunter2", "cubbyhole"];
    expect(clear.filter((text) => stored.includes(text))).toEqual([]);
  });

  test("a write with a token's last use is accepted, and ends with the token", async () => {
    const { services, paths } = await world();
    const caller = await newCaller(services, { numUses: 1 });
    await spendUse(services, caller);
    expect(await ask(paths, { path: "a", data: { x: "1" }, caller })).toBeUndefined();
    await revokeTokenTree(services, caller.tokenHash);
    expect((await services.barrier.scan("cubbyhole/", { limit: 10 })).entries).toEqual([]);
  });
});
