import { beforeEach, describe, expect, test } from "bun:test";
import { type Json, type JsonObject, parseJson } from "../../../src/base/json.ts";
import { type CoreWorld, dataOf, errorOf } from "../../core/world.ts";
import { kvWorld, mustWork, read, write } from "./world.ts";

const START = "2023-11-14T22:13:20Z";
const nothing = { status: 404, body: { errors: [] } };

describe("a kv mount of version 2", () => {
  let world: CoreWorld;

  beforeEach(async () => {
    world = await kvWorld();
  });

  const patch = (path: string, body: Json) => world.send("PATCH", path, { body });
  const remove = (path: string) => world.send("DELETE", path);
  const list = (path: string) => world.send("LIST", path);

  test("answers a write with what is known about the new version", async () => {
    const answer = await world.put("secret/data/app", { data: { a: 1 } });
    expect(answer.status).toBe(200);
    expect(dataOf(answer)).toEqual({
      created_time: START,
      custom_metadata: null,
      deletion_time: "",
      destroyed: false,
      version: 1,
    });
  });

  test("keeps any JSON as it is", async () => {
    const data = { n: 1.5, big: 9007199254740991, t: true, z: null, s: "é\n", l: [1, [], {}], o: { "": 1 } };
    await write(world, "app", data);
    expect((await read(world, "app")).data).toEqual(data);
    await write(world, "empty", {});
    expect((await read(world, "empty")).data).toEqual({});
  });

  test("reads any version that is kept", async () => {
    await write(world, "app", { a: "one" });
    world.advance(90);
    await write(world, "app", { a: "two" });
    expect(await read(world, "app")).toMatchObject({
      status: 200,
      data: { a: "two" },
      metadata: { version: 2 },
    });
    expect(await read(world, "app", 1)).toMatchObject({ data: { a: "one" }, metadata: { version: 1 } });
    expect((await read(world, "app")).metadata?.created_time).toBe("2023-11-14T22:14:50Z");
  });

  test.each([
    ["data/nope", {}],
    ["data/app", { version: 9 }],
    ["data/app", { version: -1 }],
    ["metadata/nope", {}],
    ["subkeys/nope", {}],
  ] as const)("says nothing about what is not there: %s %p", async (path, query) => {
    await write(world, "app", {});
    expect(await world.get(`secret/${path}`, query)).toEqual(nothing);
  });

  test("keeps names apart that are parts of others", async () => {
    const paths = ["a", "a/1", "a/1/1", "a/b c", "metadata", "config", "1"];
    for (const path of paths) await write(world, path, { path });
    for (const path of paths) expect((await read(world, path)).data).toEqual({ path });
    expect(dataOf(await list("secret/metadata")).keys).toEqual(["1", "a", "a/", "config", "metadata"]);
    expect(dataOf(await list("secret/metadata/a")).keys).toEqual(["1", "1/", "b c"]);
    expect(
      dataOf(await world.send("LIST", "secret/metadata", { query: { after: "a", limit: 1 } })).keys,
    ).toEqual(["a/"]);
    expect(await list("secret/metadata/none")).toEqual(nothing);
  });

  describe("check and set", () => {
    test.each([
      [0, 400],
      [1, 400],
      [2, 200],
      ["2", 200],
      [3, 400],
      [-1, 400],
    ])("a write that replaces %p of 2 is answered with %p", async (cas, status) => {
      await write(world, "app", { v: 1 });
      await write(world, "app", { v: 2 });
      const answer = await world.put("secret/data/app", { data: { v: 3 }, options: { cas } });
      expect(answer.status).toBe(status);
      if (status === 400) {
        expect(errorOf(answer)).toBe("check-and-set parameter did not match the current version");
        expect((await read(world, "app")).data).toEqual({ v: 2 });
      }
    });

    test("0 is for a secret that has no version, also one with settings", async () => {
      await mustWork(world.put("secret/metadata/app", { max_versions: 3 }));
      expect(await write(world, "app", {}, { cas: 0 })).toBe(1);
      expect(await write(world, "new", {}, { cas: 0 })).toBe(1);
    });

    test.each(["x", "", null, 1.5, { a: 1 }])("%p is refused", async (cas) => {
      const answer = await world.put("secret/data/app", { data: {}, options: { cas } });
      expect([answer.status, errorOf(answer)]).toEqual([400, "error parsing check-and-set parameter"]);
      expect((await read(world, "app")).status).toBe(404);
    });

    test.each(["config", "metadata/app"])("is required where %s says so", async (path) => {
      await mustWork(world.put(`secret/${path}`, { cas_required: true }));
      const text = "check-and-set parameter required for this call";
      expect(errorOf(await world.put("secret/data/app", { data: {} }))).toBe(text);
      await write(world, "app", { a: 1 }, { cas: 0 });
      expect(errorOf(await patch("secret/data/app", { data: { a: 2 } }))).toBe(text);
      expect((await patch("secret/data/app", { data: { a: 2 }, options: { cas: 1 } })).status).toBe(200);
    });

    test("a secret cannot free itself from what the mount requires, and is told", async () => {
      await mustWork(world.put("secret/config", { cas_required: true }));
      const { status, body } = await world.put("secret/metadata/app", { cas_required: false });
      expect([status, (body as JsonObject).warnings]).toEqual([
        200,
        ['"cas_required" set to false, but is mandated by backend config. This value will be ignored.'],
      ]);
    });
  });

  describe("deletion", () => {
    beforeEach(async () => {
      for (const v of [1, 2, 3]) await write(world, "app", { v });
    });

    test("of the current version leaves what is known about it, as 404", async () => {
      world.advance(60);
      expect((await remove("secret/data/app")).status).toBe(204);
      expect(await read(world, "app")).toEqual({
        status: 404,
        data: null,
        metadata: {
          created_time: START,
          custom_metadata: null,
          deletion_time: "2023-11-14T22:14:20Z",
          destroyed: false,
          version: 3,
        },
      });
      expect(await read(world, "app", 2)).toMatchObject({ status: 200, data: { v: 2 } });
    });

    test("is for ever where the clock is set back, and no work is due for it", async () => {
      await remove("secret/data/app");
      await world.put("secret/delete/app", { versions: [2] });
      expect(await world.core.nextDue()).toBeNull();
      world.advance(-60);
      expect([(await read(world, "app")).status, (await read(world, "app", 2)).status]).toEqual([404, 404]);
    });

    test("does not move the time of one that is deleted already", async () => {
      await remove("secret/data/app");
      world.advance(60);
      expect((await remove("secret/data/app")).status).toBe(204);
      await world.put("secret/delete/app", { versions: [3] });
      expect((await read(world, "app")).metadata?.deletion_time).toBe(START);
    });

    test("and undeletion name versions in any form, and leave out what is not there", async () => {
      expect((await world.put("secret/delete/app", { versions: "1, 3,17" })).status).toBe(204);
      const statuses = async () =>
        Promise.all([1, 2, 3].map(async (v) => (await read(world, "app", v)).status));
      expect(await statuses()).toEqual([404, 200, 404]);
      expect((await world.put("secret/undelete/app", { versions: [1, "3"] })).status).toBe(204);
      expect(await statuses()).toEqual([200, 200, 200]);
      expect((await read(world, "app")).data).toEqual({ v: 3 });
    });

    test("for good takes the data, and cannot be undone", async () => {
      const before = await stored(world);
      expect((await world.put("secret/destroy/app", { versions: [2] })).status).toBe(204);
      await world.put("secret/undelete/app", { versions: [2] });
      expect(await read(world, "app", 2)).toMatchObject({
        status: 404,
        data: null,
        metadata: { destroyed: true, deletion_time: "" },
      });
      expect(await stored(world)).toBe(before - 1);
    });

    test.each(["delete", "undelete", "destroy"])("%s wants versions", async (verb) => {
      for (const body of [{}, { versions: [] }, { versions: "" }]) {
        const answer = await world.put(`secret/${verb}/app`, body);
        expect([answer.status, errorOf(answer)]).toEqual([400, "No version number provided"]);
      }
      expect((await world.put(`secret/${verb}/app`, { versions: "two" })).status).toBe(400);
      expect((await world.put(`secret/${verb}/nope`, { versions: "1" })).status).toBe(204);
    });

    test("of the metadata leaves nothing, and the next version is 1 again", async () => {
      const before = await stored(world);
      expect((await remove("secret/metadata/app")).status).toBe(204);
      expect(await stored(world)).toBe(before - 4);
      expect(await world.get("secret/metadata/app")).toEqual(nothing);
      expect(await list("secret/metadata")).toEqual(nothing);
      expect((await remove("secret/metadata/app")).status).toBe(204);
      expect((await remove("secret/data/app")).status).toBe(204);
      expect(await write(world, "app", { v: "new" }, { cas: 0 })).toBe(1);
    });
  });

  describe("patch", () => {
    test("merges into the current version as a new one", async () => {
      await write(world, "app", { a: 1, b: { c: 1, d: 2 }, l: [1, 2] });
      const answer = await patch("secret/data/app", {
        data: { a: null, b: { c: null, e: 3 }, l: [3], n: { x: null } },
      });
      expect([answer.status, dataOf(answer).version]).toEqual([200, 2]);
      expect((await read(world, "app")).data).toEqual({ b: { d: 2, e: 3 }, l: [3], n: {} });
      expect((await read(world, "app", 1)).data).toEqual({ a: 1, b: { c: 1, d: 2 }, l: [1, 2] });
    });

    test("of nothing is 404, of a deleted version 404 with what is known about it", async () => {
      expect(await patch("secret/data/app", { data: { a: 1 } })).toEqual(nothing);
      await mustWork(world.put("secret/metadata/app"));
      expect(await patch("secret/data/app", { data: { a: 1 } })).toEqual(nothing);
      await write(world, "app", { a: 1 });
      await remove("secret/data/app");
      const answer = await patch("secret/data/app", { data: { a: 1 } });
      expect([answer.status, dataOf(answer)]).toMatchObject([404, { data: null, metadata: { version: 1 } }]);
      expect(dataOf(await world.get("secret/metadata/app")).current_version).toBe(1);
    });

    test("has to name the current version where it names one", async () => {
      await write(world, "app", { a: 1 });
      const answer = await patch("secret/data/app", { data: { a: 2 }, options: { cas: 2 } });
      expect(errorOf(answer)).toBe("check-and-set parameter did not match the current version");
    });
  });

  test.each([{}, { data: null }, { a: 1 }])("a write of %p has no data", async (body) => {
    for (const method of ["PUT", "PATCH"] as const) {
      const answer = await world.send(method, "secret/data/app", { body });
      expect([answer.status, errorOf(answer)]).toEqual([400, "no data provided"]);
    }
  });

  test("a value of the wrong type is not quoted in the refusal", async () => {
    const answer = await world.put("secret/data/app", { data: "hunter2" });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toContain('"data"');
    expect(errorOf(answer)).not.toContain("hunter2");
  });

  test("what nests too deep or is named too long is refused, and nothing is written", async () => {
    let data: JsonObject = { end: 1 };
    for (let depth = 0; depth < 59; depth += 1) data = { data };
    expect((await world.put("secret/data/app", { data })).status).toBe(400);
    expect((await world.put(`secret/data/${"x".repeat(1025)}`, { data: {} })).status).toBe(400);
    expect((await world.get(`secret/data/${"x/".repeat(64)}x`)).status).toBe(400);
    expect(await list("secret/metadata")).toEqual(nothing);
  });

  test("the longest path that is taken can be stored", async () => {
    const path = Array.from({ length: 64 }, () => "é".repeat(7)).join("/");
    expect(await write(world, path, { a: 1 })).toBe(1);
    expect((await read(world, path)).data).toEqual({ a: 1 });
  });

  test("subkeys are the tree of keys without values", async () => {
    await write(world, "app", { a: { b: { c: 1, e: {} }, l: [{ x: 1 }] }, s: "secret" });
    const subkeys = async (query: JsonObject) => dataOf(await world.get("secret/subkeys/app", query)).subkeys;
    expect(await subkeys({})).toEqual({ a: { b: { c: null, e: null }, l: null }, s: null });
    expect(await subkeys({ depth: "1" })).toEqual({ a: null, s: null });
    expect(await subkeys({ depth: 2 })).toEqual({ a: { b: null, l: null }, s: null });
    await write(world, "app", { z: 1 });
    expect(await subkeys({ version: 2 })).toEqual({ z: null });
    await remove("secret/data/app");
    const gone = await world.get("secret/subkeys/app");
    expect([gone.status, dataOf(gone)]).toMatchObject([404, { subkeys: null, metadata: { version: 2 } }]);
  });

  test.each([
    ["GET", "get"],
    ["PUT", "put"],
    ["PATCH", "patch"],
    ["DELETE", "delete"],
    ["LIST", "list"],
  ] as const)("%s of a path without its prefix tells what to use", async (method, verb) => {
    for (const path of ["secret/app", "secret/data"]) {
      const answer = await world.send(
        method,
        path,
        method === "PUT" || method === "PATCH" ? { body: { a: 1 } } : {},
      );
      expect(answer.status).toBe(404);
      expect((answer.body as { warnings: string[] }).warnings).toEqual([
        `Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. If using the vsec CLI, use 'vsec kv ${verb}' for this operation.`,
      ]);
    }
  });

  test("a secret that is new needs create, one that is there needs update", async () => {
    await mustWork(
      world.put("sys/policies/acl/maker", { policy: 'path "secret/data/*" { capabilities = ["create"] }' }),
    );
    const made = await mustWork(
      world.put("auth/token/create", { policies: ["maker"], no_default_policy: true }),
    );
    const token = (made.body as { auth: { client_token: string } }).auth.client_token;
    const put = () =>
      world.core.handle({ method: "PUT", path: "secret/data/app", token, body: { data: {} } });
    expect((await put()).status).toBe(200);
    expect((await put()).status).toBe(403);
  });
});

/** How many entries the mounts' part of the store has. */
async function stored(world: CoreWorld): Promise<number> {
  return (await world.barrier.scan("mount/", { limit: 1000 })).entries.length;
}

describe("numbers that a double does not hold", () => {
  const text = '{"big":9007199254740993,"deep":[{"x":-123456789012345678901}],"one":1.0,"tiny":1e-9}';
  const dataText = (answer: { body: unknown }): string =>
    JSON.stringify((answer.body as { data: { data: Json } }).data.data);

  test("come back as they were written, also through a patch and a wrapping", async () => {
    const world = await kvWorld();
    await mustWork(world.put("secret/data/n", parseJson(`{"data":${text}}`)));
    expect(dataText(await world.get("secret/data/n"))).toBe(text);
    const patch = parseJson('{"data":{"one":2.50,"tiny":null}}');
    await mustWork(world.send("PATCH", "secret/data/n", { body: patch }));
    const patched = '{"big":9007199254740993,"deep":[{"x":-123456789012345678901}],"one":2.50}';
    expect(dataText(await world.get("secret/data/n"))).toBe(patched);
    expect(dataOf(await world.get("secret/subkeys/n")).subkeys).toEqual({ big: null, deep: null, one: null });
    const wrapped = await world.send("GET", "secret/data/n", { wrapTtlSeconds: 60 });
    const { token } = (wrapped.body as { wrap_info: { token: string } }).wrap_info;
    expect(dataText(await world.core.handle({ method: "PUT", path: "sys/wrapping/unwrap", token }))).toBe(
      patched,
    );
  });

  test("come back from version 1 and from a token's cubbyhole", async () => {
    const world = await kvWorld();
    for (const path of ["plain/n", "cubbyhole/n"]) {
      await mustWork(world.put(path, parseJson(text)));
      expect(JSON.stringify((await world.get(path)).body)).toContain(text);
    }
  });

  test("are still numbers where a number is asked for", async () => {
    const world = await kvWorld();
    await mustWork(world.put("secret/config", parseJson('{"max_versions":3.0,"delete_version_after":1e3}')));
    expect(dataOf(await world.get("secret/config"))).toMatchObject({
      max_versions: 3,
      delete_version_after: "16m40s",
    });
    const refused = await world.put("secret/config", parseJson('{"max_versions":9007199254740993}'));
    expect([refused.status, errorOf(refused)]).toEqual([
      400,
      'Field validation failed: error converting input for field "max_versions": cannot parse "9007199254740993" as int',
    ]);
  });
});
