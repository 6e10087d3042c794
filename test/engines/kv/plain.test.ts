import { beforeEach, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { type CoreWorld, dataOf, errorOf } from "../../core/world.ts";
import { kvWorld, mustWork } from "./world.ts";

const nothing = { status: 404, body: { errors: [] } };

describe("a kv mount of version 1", () => {
  let world: CoreWorld;

  beforeEach(async () => {
    world = await kvWorld();
  });

  test("keeps what is written as it is, whatever its names", async () => {
    const data = { a: 1, n: null, path: "x", list: "true", help: "1", data: { b: [1] }, version: 2 };
    expect(await world.put("plain/app", data)).toEqual({ status: 204, body: null });
    const { status, body } = await world.get("plain/app");
    expect([status, dataOf({ status, body })]).toEqual([200, data]);
    await mustWork(world.put("plain/app", { only: "this" }));
    expect(dataOf(await world.get("plain/app"))).toEqual({ only: "this" });
  });

  test.each([
    [{ a: 1 }, 2_764_800],
    [{ ttl: "1h" }, 3600],
    [{ ttl: 90 }, 90],
    [{ lease: "30m" }, 1800],
    [{ ttl: "10s", lease: "30m" }, 10],
    [{ ttl: "soon" }, 2_764_800],
    [{ ttl: "" }, 2_764_800],
    [{ ttl: "-5m" }, 2_764_800],
    [{ ttl: { a: 1 } }, 2_764_800],
  ])("tells for how long %p holds, without a lease", async (data, seconds) => {
    await mustWork(world.put("plain/app", data));
    const { body } = await world.get("plain/app");
    expect(body).toMatchObject({ lease_id: "", renewable: false, lease_duration: seconds, data });
    expect(await world.core.nextDue()).toBeNull();
  });

  test("goes by the mount's default where it is tuned", async () => {
    await mustWork(world.put("sys/mounts/plain/tune", { default_lease_ttl: "5m" }));
    await mustWork(world.put("plain/app", { a: 1 }));
    expect((await world.get("plain/app")).body).toMatchObject({ lease_duration: 300 });
  });

  test("lists one level, and shows a name twice that is secret and folder", async () => {
    for (const path of ["b", "a", "a/x", "a/y/z"]) await mustWork(world.put(`plain/${path}`, { path }));
    expect(dataOf(await world.send("LIST", "plain"))).toEqual({ keys: ["a", "a/", "b"] });
    expect(dataOf(await world.get("plain/a", { list: "true" }))).toEqual({ keys: ["x", "y/"] });
    expect(await world.send("LIST", "plain/b")).toEqual(nothing);
  });

  test("deletes for good, and it is no error when nothing was there", async () => {
    await mustWork(world.put("plain/app", { a: 1 }));
    for (let i = 0; i < 2; i += 1) expect((await world.send("DELETE", "plain/app")).status).toBe(204);
    expect(await world.get("plain/app")).toEqual(nothing);
  });

  test("refuses a write of nothing, and the mount itself as a path", async () => {
    expect(errorOf(await world.put("plain/app"))).toBe("missing data fields");
    for (const method of ["GET", "PUT", "DELETE"] as const) {
      const answer = await world.send(method, "plain", method === "PUT" ? { body: { a: 1 } } : {});
      expect([answer.status, errorOf(answer)]).toEqual([400, "missing path"]);
    }
  });

  test("has no patch, and a path too long to store is refused", async () => {
    expect((await world.send("PATCH", "plain/app", { body: { a: 1 } })).status).toBe(405);
    expect((await world.put(`plain/${"x".repeat(1025)}`, { a: 1 })).status).toBe(400);
  });
});

describe("the version of a kv mount", () => {
  let world: CoreWorld;

  beforeEach(async () => {
    world = await kvWorld();
  });

  const mounted = async (path: string): Promise<JsonObject> => dataOf(await world.get(`sys/mounts/${path}`));

  test.each([
    [{ type: "kv" }, null],
    [{ type: "kv-v1" }, { version: "1" }],
    [{ type: "kv-v2" }, { version: "2" }],
    [
      { type: "kv", options: { version: "2", x: "y" } },
      { version: "2", x: "y" },
    ],
    [{ type: "kv", options: { version: 1 } }, { version: "1" }],
  ])("%p gives the options %p", async (body, options) => {
    expect((await world.put("sys/mounts/new", body)).status).toBe(204);
    expect(await mounted("new")).toMatchObject({ type: "kv", options });
  });

  test("is 1 or 2, and of kv only", async () => {
    const refusal = async (body: JsonObject) => errorOf(await world.put("sys/mounts/new", body));
    expect(await refusal({ type: "kv", options: { version: "3" } })).toBe(
      'invalid version "3": kv has the versions 1 and 2',
    );
    expect(await refusal({ type: "tiny", options: { version: "1" } })).toBe(
      'secrets engine "tiny" does not allow setting a version',
    );
    expect(await refusal({ type: "kv-v3" })).toBe("plugin not found in the catalog: kv-v3");
  });

  test("can be raised and not lowered; other options may change", async () => {
    const tune = (path: string, options: JsonObject) => world.put(`sys/mounts/${path}/tune`, { options });
    const answer = await tune("secret", { version: "1" });
    expect([answer.status, errorOf(answer)]).toEqual([400, "cannot downgrade mount from version 2"]);
    expect((await tune("secret", { version: "2", note: "a" })).status).toBe(204);
    expect((await tune("plain", { version: "7" })).status).toBe(400);
    expect((await tune("plain", { version: "1" })).status).toBe(204);
    expect((await tune("plain", { version: "2" })).status).toBe(204);
    expect((await mounted("secret")).options).toEqual({ note: "a", version: "2" });
    expect((await mounted("plain")).options).toEqual({ version: "2" });
  });
});
