import { beforeEach, describe, expect, test } from "bun:test";
import { type Json, parseJson } from "../../src/base/json.ts";
import { CoreWorld, dataOf, errorOf } from "./world.ts";

let world: CoreWorld;
beforeEach(async () => {
  world = await CoreWorld.create();
});

describe("an answer's status", () => {
  test("of a write that says nothing is 204", async () => {
    expect(await world.put("tiny/note/n", { a: 1 })).toEqual({ status: 204, body: null });
  });

  test("of a read that finds nothing is 404, without a text", async () => {
    expect(await world.get("tiny/note/n")).toEqual({ status: 404, body: { errors: [] } });
  });

  test("of a list without keys is 404", async () => {
    expect(await world.send("LIST", "tiny/note")).toEqual({ status: 404, body: { errors: [] } });
  });

  test.each([
    ["GET", "nowhere/x", 404, 'no handler for route "nowhere/x". route entry not found.'],
    ["GET", "tiny/nowhere", 404, "1 error occurred:\n\t* unsupported path\n\n"],
    ["DELETE", "tiny/note/n", 405, "1 error occurred:\n\t* unsupported operation\n\n"],
  ] as const)("of %s %s is %d", async (method, path, status, text) => {
    const answer = await world.send(method, path);
    expect([answer.status, errorOf(answer)]).toEqual([status, text]);
  });

  test("of a read is an envelope with all its keys", async () => {
    await world.put("tiny/note/n", { a: 1 });
    const { status, body } = await world.get("tiny/note/n");
    expect(status).toBe(200);
    expect(body).toEqual({
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      lease_id: "",
      renewable: false,
      lease_duration: 0,
      data: { note: { a: 1 } },
      wrap_info: null,
      warnings: null,
      auth: null,
      mount_type: "tiny",
    });
  });

  test("without a token is 403, whatever the path", async () => {
    for (const path of ["tiny/note/n", "nowhere/x", "sys/mounts"]) {
      const answer = await world.send("GET", path, { token: "" });
      expect([answer.status, errorOf(answer)]).toEqual([403, "permission denied"]);
    }
  });
});

describe("a request's path", () => {
  test.each([
    "tiny//note/n",
    "tiny/note//n",
    "tiny/../sys/mounts",
    "tiny/./note/n",
    "tiny/note/..",
    "../tiny/note/n",
    "tiny/note/n\u0000",
    "tiny/note/n\nx",
    "tiny/note/\u202en",
    "tiny/note/\ud800",
    `tiny/note/${"n".repeat(5000)}`,
  ])("%p is refused and reaches no engine", async (path) => {
    const write = await world.put(path, { a: 1 });
    expect(write.status).toBe(400);
    expect((await world.get(path)).status).toBe(400);
    expect((await world.send("LIST", "tiny/note")).status).toBe(404);
  });

  test.each([
    "tiny/note/%2e%2e",
    "tiny/note/日本",
    "tiny/note/a b",
    "tiny/note/a\\b",
    "tiny/note/__proto__",
    "tiny/note/n/",
  ])("%p never answers with an internal error", async (path) => {
    for (const answer of [await world.put(path, { a: 1 }), await world.get(path)]) {
      expect(answer.status).toBeLessThan(500);
    }
  });

  test("may begin with slashes", async () => {
    await world.put("tiny/note/n", { a: 1 });
    expect((await world.get("//tiny/note/n")).status).toBe(200);
  });

  test("named like a property of every object is a name like others", async () => {
    for (const name of ["constructor", "toString", "hasOwnProperty"]) {
      expect((await world.get(`tiny/note/${name}`)).status).toBe(404);
      expect((await world.get(`sys/mounts/${name}`)).status).toBe(400);
      expect((await world.put(`tiny/note/${name}`, { a: 1 })).status).toBe(204);
      expect(dataOf(await world.get(`tiny/note/${name}`))).toEqual({ note: { a: 1 } });
    }
  });
});

describe("a request's body", () => {
  test("with prototype keys is refused, and changes no prototype", async () => {
    const body = JSON.parse(
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    ) as Json;
    for (const path of ["tiny/note/n", "sys/mounts/tiny/tune"]) {
      const answer = await world.put(path, body);
      expect([answer.status, errorOf(answer)]).toEqual([
        400,
        'failed to decode JSON input: "__proto__" cannot be a key',
      ]);
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test.each([1, "text", [1, 2], true])("%p is refused", async (body) => {
    const answer = await world.put("tiny/note/n", body);
    expect([answer.status, errorOf(answer)]).toEqual([
      400,
      "failed to decode JSON input: the body is not an object",
    ]);
  });

  test("as deep as parsing takes is stored and read again", async () => {
    const text = `${'{"a":'.repeat(60)}1${"}".repeat(60)}`;
    expect((await world.put("tiny/note/n", parseJson(text))).status).toBe(204);
    expect((await world.get("tiny/note/n")).status).toBe(200);
  });

  test("deeper than what is stored can be is refused, and the entry before it stays", async () => {
    await world.put("tiny/note/n", { a: 1 });
    const text = `${'{"a":'.repeat(64)}1${"}".repeat(64)}`;
    expect((await world.put("tiny/note/n", parseJson(text))).status).toBe(400);
    expect(dataOf(await world.get("tiny/note/n"))).toEqual({ note: { a: 1 } });
  });
});

test("an unexpected failure shows no secret, to the caller or the log", async () => {
  const { status, body } = await world.put("tiny/fail", { password: "hunter2" });
  expect(status).toBe(500);
  expect(JSON.stringify(body)).toMatch(/internal error \(request [0-9a-f-]{36}\)/);
  expect(JSON.stringify([body, world.logged])).not.toContain("hunter2");
});

test("a lease is stored without a secret in clear", async () => {
  const { id } = await world.issue("tiny/key/a");
  expect(Object.keys((await world.record(id)) ?? {})).not.toContain("data");
});
