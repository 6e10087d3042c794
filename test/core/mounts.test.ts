import { beforeEach, describe, expect, test } from "bun:test";
import { CoreWorld, dataOf, errorOf } from "./world.ts";

let world: CoreWorld;
beforeEach(async () => {
  world = await CoreWorld.create();
});

const enable = (path: string, body = {}) => world.put(`sys/mounts/${path}`, { type: "tiny", ...body });

describe("enabling", () => {
  test.each(["team/db", "a-b_c.d", "ünïcode", "deep/er/still"])("takes the path %p", async (path) => {
    expect((await enable(path)).status).toBe(204);
    expect(Object.keys(dataOf(await world.get("sys/mounts")))).toContain(`${path}/`);
  });

  test.each([
    ["tiny", "path is already in use at tiny/"],
    ["tiny/below", "path is already in use at tiny/"],
    ["sys/x", 'cannot mount "sys/"'],
    ["auth/x", 'cannot mount "auth/"'],
    ["cubbyhole/x", 'cannot mount "cubbyhole/"'],
    ["identity/x", 'cannot mount "identity/"'],
    ["a/../b", "relative paths not supported"],
    ["a/./b", "relative paths not supported"],
    ["a\u0007b", "path contains non-printable characters"],
    ["a /b", 'invalid mount path "a /b"'],
    ["x".repeat(257), `invalid mount path "${"x".repeat(257)}"`],
  ])("refuses the path %p", async (path, text) => {
    const answer = await enable(path);
    expect([answer.status, errorOf(answer)]).toEqual([400, text]);
  });

  test("refuses a path above a mount", async () => {
    await enable("team/db");
    expect(errorOf(await enable("team"))).toBe("path is already in use at team/db/");
  });

  test.each([
    [{ type: "" }, "backend type must be specified as a string"],
    [{ type: "system" }, 'mount type of "system" is not mountable'],
    [{ type: "nothing" }, "plugin not found in the catalog: nothing"],
    [{ options: { version: "2" } }, 'secrets engine "tiny" does not allow setting a version'],
    [
      { config: { default_lease_ttl: "2h", max_lease_ttl: "1h" } },
      "given default lease TTL greater than given max lease TTL",
    ],
    [{ config: { listing_visibility: "loud" } }, "invalid listing_visibility loud"],
  ])("refuses %p", async (body, text) => {
    expect(errorOf(await enable("new", body))).toContain(text);
  });
});

describe("tuning", () => {
  test("changes what is given and leaves the rest", async () => {
    await enable("t", { description: "first", config: { max_lease_ttl: "2h" } });
    await world.put("sys/mounts/t/tune", { default_lease_ttl: "1h" });
    expect(dataOf(await world.get("sys/mounts/t/tune"))).toMatchObject({
      description: "first",
      default_lease_ttl: 3600,
      max_lease_ttl: 7200,
    });
    await world.put("sys/mounts/t/tune", { default_lease_ttl: "system", description: "second" });
    expect(dataOf(await world.get("sys/mounts/t/tune"))).toMatchObject({
      description: "second",
      default_lease_ttl: 7200,
    });
  });

  test("refuses a maximum below the default", async () => {
    await world.put("sys/mounts/tiny/tune", { default_lease_ttl: "1h" });
    expect(errorOf(await world.put("sys/mounts/tiny/tune", { max_lease_ttl: "30m" }))).toBe(
      "backend max lease TTL of 1800 would be less than backend default lease TTL of 3600",
    );
  });

  test("refuses a path that is no mount", async () => {
    expect(errorOf(await world.put("sys/mounts/none/tune", { max_lease_ttl: "1h" }))).toBe(
      'tune of path "none/" failed: no mount entry found',
    );
  });
});

describe("disabling", () => {
  test("revokes the mount's leases, clears its data, and leaves other mounts", async () => {
    await world.issue("tiny/key/a");
    await world.put("tiny/note/n", { text: "x" });
    const { key } = await world.issue("tinier/key/a");
    expect((await world.send("DELETE", "sys/mounts/tiny")).status).toBe(204);
    expect([...world.keys.live]).toEqual([key]);
    await enable("tiny");
    expect((await world.get("tiny/note/n")).status).toBe(404);
  });

  test("a path that is no mount succeeds", async () => {
    expect((await world.send("DELETE", "sys/mounts/none")).status).toBe(204);
  });

  test("with a failing backend takes no more requests, goes on, and clears the data in the end", async () => {
    const { id } = await world.issue("tiny/key/a", { ttl: 3600 });
    await world.put("tiny/note/n", { text: "x" });
    world.keys.broken = "the backend is away";
    const answer = await world.send("DELETE", "sys/mounts/tiny");
    expect(answer.status).toBe(200);
    expect(JSON.stringify(answer.body)).toContain("the backend is away");
    expect((await world.get("tiny/key/a")).status).toBe(404);
    expect(Object.keys(dataOf(await world.get("sys/mounts")))).not.toContain("tiny/");
    for (let minute = 0; minute < 5; minute += 1) {
      world.advance(60);
      await world.daemon();
    }
    expect(await world.record(id)).not.toBeNull();
    world.keys.broken = null;
    world.advance(1350);
    await world.daemon();
    world.advance(60);
    await world.daemon();
    expect(world.keys.live.size).toBe(0);
    expect(await world.core.nextDue()).toBeNull();
    expect((await world.barrier.list("mount/", { limit: 100 })).names).toEqual([]);
  });

  test("with a failing backend tries each lease when that is due, and not with each look at the mount", async () => {
    const { id } = await world.issue("tiny/key/a", { ttl: 3600 });
    world.keys.broken = "the backend is away";
    await world.send("DELETE", "sys/mounts/tiny");
    for (let minute = 0; minute < 30; minute += 1) {
      world.advance(60);
      await world.daemon();
    }
    // 10 s doubled up to 15 minutes: nine tries in half an hour, some less with jitter.
    expect((await world.record(id))?.failure?.attempts).toBeLessThanOrEqual(9);
    world.keys.broken = null;
  });

  test("lets a new mount stand at the path while the old one is being cleared", async () => {
    const { key } = await world.issue("tiny/key/a");
    world.keys.broken = "the backend is away";
    await world.send("DELETE", "sys/mounts/tiny");
    expect((await enable("tiny")).status).toBe(204);
    world.keys.broken = null;
    const fresh = await world.issue("tiny/key/a");
    world.advance(1350);
    await world.daemon();
    expect(world.keys.live.has(key)).toBe(false);
    expect(world.keys.live.has(fresh.key)).toBe(true);
  });

  test.each(["sys", "auth/token", "cubbyhole"])("refuses %p", async (path) => {
    expect(errorOf(await world.send("DELETE", `sys/mounts/${path}`))).toBe(`cannot unmount "${path}/"`);
  });
});

describe("moving", () => {
  const move = (from: string, to: string) => world.put("sys/remount", { from, to });

  test("revokes the leases and keeps the data", async () => {
    await world.issue("tiny/key/a");
    await world.put("tiny/note/n", { text: "x" });
    expect((await move("tiny", "moved")).status).toBe(200);
    expect(world.keys.live.size).toBe(0);
    expect(dataOf(await world.get("moved/note/n"))).toMatchObject({ note: { text: "x" } });
    expect((await world.get("tiny/note/n")).status).toBe(404);
  });

  test("with a failing backend leaves leases that still end, also when the mount is disabled then", async () => {
    await world.issue("tiny/key/a");
    world.keys.broken = "the backend is away";
    await move("tiny", "moved");
    await world.send("DELETE", "sys/mounts/moved");
    world.keys.broken = null;
    world.advance(1350);
    await world.daemon();
    world.advance(60);
    await world.daemon();
    expect(world.keys.live.size).toBe(0);
    expect(await world.core.nextDue()).toBeNull();
  });

  test.each([
    ["", "x", "both 'from' and 'to' path must be specified as a string"],
    ["none", "x", 'no matching mount at "none/"'],
    ["tiny", "tinier", 'path already in use at "tinier/"'],
    ["tiny", "tinier/below", 'path already in use at "tinier/below/"'],
    ["sys", "x", 'cannot remount "sys/"'],
  ])("%p to %p is refused", async (from, to, text) => {
    const answer = await move(from, to);
    expect([answer.status, errorOf(answer)]).toEqual([400, text]);
  });

  test("to where auth methods are is refused, and the mount stays", async () => {
    expect(errorOf(await move("tiny", "auth/x"))).toStartWith("cannot remount ");
    expect(Object.keys(dataOf(await world.get("sys/mounts")))).toContain("tiny/");
  });
});
