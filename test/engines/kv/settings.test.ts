import { beforeEach, describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { type CoreWorld, dataOf, errorOf } from "../../core/world.ts";
import { kvWorld, mustWork, read, write } from "./world.ts";

describe("the settings of secrets", () => {
  let world: CoreWorld;

  beforeEach(async () => {
    world = await kvWorld();
  });

  const metadata = async (path: string): Promise<JsonObject> =>
    dataOf(await world.get(`secret/metadata/${path}`));
  const patch = (path: string, body: Json) => world.send("PATCH", path, { body });

  test("of a mount are shown, and changed one by one", async () => {
    expect(dataOf(await world.get("secret/config"))).toEqual({
      cas_required: false,
      delete_version_after: "0s",
      max_versions: 0,
    });
    expect(
      (await world.put("secret/config", { max_versions: "5", delete_version_after: "90m" })).status,
    ).toBe(204);
    expect((await world.put("secret/config", { cas_required: true })).status).toBe(204);
    expect(dataOf(await world.get("secret/config"))).toEqual({
      cas_required: true,
      delete_version_after: "1h30m0s",
      max_versions: 5,
    });
    await world.put("secret/config", { delete_version_after: "-1h" });
    expect(dataOf(await world.get("secret/config")).delete_version_after).toBe("-1s");
  });

  test("of a secret are shown with its versions", async () => {
    await write(world, "app", { a: 1 });
    world.advance(1);
    await mustWork(
      world.put("secret/metadata/app", {
        cas_required: true,
        custom_metadata: { owner: "a" },
        delete_version_after: "3h25m19s",
        max_versions: 4,
      }),
    );
    expect(await metadata("app")).toEqual({
      cas_required: true,
      created_time: "2023-11-14T22:13:20Z",
      current_version: 1,
      custom_metadata: { owner: "a" },
      delete_version_after: "3h25m19s",
      max_versions: 4,
      oldest_version: 0,
      updated_time: "2023-11-14T22:13:21Z",
      versions: { "1": { created_time: "2023-11-14T22:13:20Z", deletion_time: "", destroyed: false } },
    });
    expect((await read(world, "app")).metadata?.custom_metadata).toEqual({ owner: "a" });
  });

  test("of a secret without versions stand by themselves; nothing can be read", async () => {
    await mustWork(world.put("secret/metadata/app", { custom_metadata: { a: "b" } }));
    expect(await metadata("app")).toMatchObject({ current_version: 0, versions: {} });
    expect(await world.get("secret/data/app")).toEqual({ status: 404, body: { errors: [] } });
  });

  test("that are not given stay; custom metadata is replaced by a write and merged by a patch", async () => {
    await mustWork(
      world.put("secret/metadata/app", { max_versions: 4, custom_metadata: { a: "1", b: "2" } }),
    );
    await mustWork(world.put("secret/metadata/app", { cas_required: true }));
    expect(await metadata("app")).toMatchObject({ max_versions: 4, custom_metadata: { a: "1", b: "2" } });
    expect((await patch("secret/metadata/app", { custom_metadata: { a: null, c: "3" } })).status).toBe(204);
    expect((await metadata("app")).custom_metadata).toEqual({ b: "2", c: "3" });
    await mustWork(patch("secret/metadata/app", { max_versions: 1 }));
    expect(await metadata("app")).toMatchObject({ max_versions: 1, custom_metadata: { b: "2", c: "3" } });
    await mustWork(world.put("secret/metadata/app", { custom_metadata: { z: "1" } }));
    expect((await metadata("app")).custom_metadata).toEqual({ z: "1" });
    await mustWork(patch("secret/metadata/app", { custom_metadata: null }));
    expect((await metadata("app")).custom_metadata).toBeNull();
    expect(await patch("secret/metadata/nope", { max_versions: 1 })).toEqual({
      status: 404,
      body: { errors: [] },
    });
  });

  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, "v"]));
  const prefix = "custom_metadata validation failed: ";
  test.each([
    [many(65), `${prefix}payload must contain at most 64 keys, provided 65`],
    [{ "": "v" }, `${prefix}length of key "" is 0 but must be 0 < len(key) <= 128`],
    [
      { ["é".repeat(65)]: "v" },
      `${prefix}length of key "${"é".repeat(65)}" is 130 but must be 0 < len(key) <= 128`,
    ],
    [{ a: "" }, `${prefix}length of value for key "a" is 0 but must be 0 < len(value) <= 512`],
    [{ a: "x".repeat(513) }, `${prefix}length of value for key "a" is 513 but must be 0 < len(value) <= 512`],
    [{ "a\n": "x" }, `${prefix}key "a\\n" contains unprintable characters`],
    [{ a: "x\u0007" }, `${prefix}value for key "a" contains unprintable characters`],
    [{ a: 1 }, `${prefix}value for key "a" is not a string`],
    [{ a: { b: "c" } }, `${prefix}value for key "a" is not a string`],
  ])("refuse custom metadata %#", async (custom, text) => {
    const answer = await world.put("secret/metadata/app", { custom_metadata: custom });
    expect([answer.status, errorOf(answer)]).toEqual([400, text]);
    expect((await world.get("secret/metadata/app")).status).toBe(404);
  });

  test("take custom metadata at their limits, also in a patch of what is there", async () => {
    const custom = { ...many(63), ["k".repeat(128)]: "v".repeat(512) };
    await mustWork(world.put("secret/metadata/app", { custom_metadata: custom }));
    const answer = await patch("secret/metadata/app", { custom_metadata: { more: "1" } });
    expect(errorOf(answer)).toBe(`${prefix}payload must contain at most 64 keys, provided 65`);
    expect((await metadata("app")).custom_metadata).toEqual(custom);
  });

  test.each([
    ["config", { max_versions: -1 }],
    ["config", { max_versions: 10_001 }],
    ["metadata/app", { max_versions: -1 }],
    ["metadata/app", { max_versions: "many" }],
    ["metadata/app", { delete_version_after: "-5m" }],
    ["metadata/app", { delete_version_after: "soon" }],
    ["metadata/app", { cas_required: "perhaps" }],
  ])("are refused: %s %p", async (path, body) => {
    expect((await world.put(`secret/${path}`, body)).status).toBe(400);
  });

  describe("for how many versions are kept", () => {
    const writeMany = async (count: number): Promise<void> => {
      for (let v = 1; v <= count; v += 1) await write(world, "app", { v });
    };
    const kept = async () => Object.keys((await metadata("app")).versions as JsonObject).map(Number);

    test("are ten where nobody says", async () => {
      await writeMany(12);
      expect(await kept()).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
      expect((await metadata("app")).oldest_version).toBe(3);
      expect((await world.get("secret/data/app", { version: 2 })).status).toBe(404);
      const entries = (await world.barrier.scan("mount/", { limit: 1000 })).entries;
      expect(entries.filter(({ key }) => key.includes("/version/app/")).length).toBe(10);
    });

    test.each([
      [2, 0, 2],
      [0, 3, 3],
      [2, 4, 4],
      [4, 2, 4],
    ])("are the larger of the mount's %p and the secret's %p", async (ofMount, ofSecret, count) => {
      await mustWork(world.put("secret/config", { max_versions: ofMount }));
      await mustWork(world.put("secret/metadata/app", { max_versions: ofSecret }));
      await writeMany(6);
      expect((await kept()).length).toBe(count);
    });

    test("count from the next write on; raised again, what went stays gone", async () => {
      await writeMany(5);
      await mustWork(world.put("secret/metadata/app", { max_versions: 2 }));
      expect((await kept()).length).toBe(5);
      await writeMany(1);
      expect([await kept(), (await metadata("app")).oldest_version]).toEqual([[5, 6], 5]);
      await mustWork(world.put("secret/metadata/app", { max_versions: 4 }));
      await writeMany(1);
      expect([await kept(), (await metadata("app")).oldest_version]).toEqual([[5, 6, 7], 5]);
    });
  });

  describe("for when a version is deleted", () => {
    test.each([
      ["0", "0", null],
      ["60", "0", 60],
      ["0", "60", 60],
      ["60", "30", 30],
      ["30", "60", 30],
      ["-1", "60", null],
    ])("are the smaller of the mount's %p and the secret's %p", async (ofMount, ofSecret, seconds) => {
      await mustWork(world.put("secret/config", { delete_version_after: ofMount }));
      await mustWork(world.put("secret/metadata/app", { delete_version_after: ofSecret }));
      await write(world, "app", { a: 1 });
      const at =
        seconds === null ? "" : new Date(world.now + seconds * 1000).toISOString().replace(".000", "");
      expect((await read(world, "app")).metadata?.deletion_time).toBe(at);
    });

    test("make it gone at that moment, whether or not anybody has done the due work", async () => {
      await mustWork(world.put("secret/metadata/app", { delete_version_after: "60s" }));
      await write(world, "app", { a: 1 });
      world.advance(59);
      expect((await read(world, "app")).status).toBe(200);
      expect(await world.core.nextDue()).toBe(world.now + 1000);
      world.advance(1);
      expect(await read(world, "app")).toMatchObject({ status: 404, data: null });
    });

    test("make it due; afterwards it stays deleted when the clock is set back, until it is undeleted", async () => {
      await mustWork(world.put("secret/metadata/app", { delete_version_after: "60s" }));
      await write(world, "app", { a: 1 });
      world.advance(30);
      await write(world, "app", { a: 2 });
      world.advance(30);
      expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
      expect(await world.core.nextDue()).toBe(world.now + 30_000);
      world.advance(30);
      expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
      expect(await world.core.nextDue()).toBeNull();
      world.advance(-60);
      expect((await read(world, "app", 1)).status).toBe(404);
      expect((await read(world, "app", 2)).status).toBe(404);
      await mustWork(world.put("secret/undelete/app", { versions: [1] }));
      expect(await read(world, "app", 1)).toMatchObject({
        status: 200,
        data: { a: 1 },
        metadata: { deletion_time: "" },
      });
      expect((await read(world, "app", 2)).status).toBe(404);
    });

    test("end with the secret: nothing is due any more", async () => {
      await mustWork(world.put("secret/metadata/app", { delete_version_after: "60s" }));
      await write(world, "app", { a: 1 });
      await world.send("DELETE", "secret/metadata/app");
      expect(await world.core.nextDue()).toBeNull();
    });
  });
});
