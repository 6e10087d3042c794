import { beforeEach, describe, expect, test } from "bun:test";
import { NotTried } from "../../src/framework/secret.ts";
import { CoreWorld, dataOf, errorOf } from "./world.ts";

let world: CoreWorld;
beforeEach(async () => {
  world = await CoreWorld.create();
});

const revokePrefix = (prefix: string) => world.put(`sys/leases/revoke-prefix/${prefix}`, { sync: true });

describe("revoking", () => {
  test("answers 204 when the secret is gone", async () => {
    const { id, key } = await world.issue("tiny/key/a");
    expect(await world.put("sys/leases/revoke", { lease_id: id, sync: true })).toEqual({
      status: 204,
      body: null,
    });
    expect(world.keys.live.has(key)).toBe(false);
  });

  test("answers 202 to who does not wait", async () => {
    const { id } = await world.issue("tiny/key/a");
    expect(await world.put("sys/leases/revoke", { lease_id: id, sync: false })).toEqual({
      status: 202,
      body: null,
    });
  });

  test("an unknown lease succeeds, and touches nothing", async () => {
    await world.issue("tiny/key/a");
    expect((await world.put("sys/leases/revoke", { lease_id: "tiny/key/a" })).status).toBe(204);
    expect(world.keys.revoked).toEqual([]);
  });

  test("says so when the backend refuses, and is taken up again until it is done", async () => {
    const { id, key } = await world.issue("tiny/key/a", { ttl: 3600 });
    world.keys.broken = "the backend is away";
    const answer = await world.put("sys/leases/revoke", { lease_id: id, sync: true });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toContain(`failed to revoke "${id}": the backend is away`);
    world.keys.broken = null;
    world.advance(31);
    expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
    expect(world.keys.live.has(key)).toBe(false);
  });

  test("that is not even tried for want of time is due again, and is never counted as failed", async () => {
    const { id, key } = await world.issue("tiny/key/a", { ttl: 60 });
    world.keys.broken = new NotTried("this key");
    world.advance(60);
    for (let round = 1; round <= 8; round += 1) {
      expect(await world.daemon()).toEqual({ done: 0, failed: 1 });
      world.advance(31);
    }
    expect(dataOf(await world.put("sys/leases/lookup", { lease_id: id }))).toMatchObject({
      revoke_attempts: 0,
      revoke_error: "this key: its turn did not come in time",
    });
    expect(dataOf(await world.get("sys/leases/count", { type: "irrevocable" })).lease_count).toBe(0);
    world.keys.broken = null;
    expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
    expect(world.keys.live.has(key)).toBe(false);
  });

  test("keeps failing for six times, counts as irrevocable, and is still tried until it succeeds", async () => {
    const { id, key } = await world.issue("tiny/key/a", { ttl: 60 });
    world.keys.broken = "the backend is away";
    world.advance(60);
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      expect(dataOf(await world.get("sys/leases/count", { type: "irrevocable" })).lease_count).toBe(0);
      expect(await world.daemon()).toEqual({ done: 0, failed: 1 });
      world.advance(1350);
    }
    expect(dataOf(await world.get("sys/leases", { type: "irrevocable" })).leases).toMatchObject([
      { lease_id: id, error: "the backend is away", attempts: 6, principal: key },
    ]);
    expect(await world.daemon()).toEqual({ done: 0, failed: 1 });
    world.keys.broken = null;
    world.advance(1350);
    expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
    expect(world.keys.live.size).toBe(0);
    expect(dataOf(await world.get("sys/leases/count", { type: "irrevocable" })).lease_count).toBe(0);
    expect(await world.core.nextDue()).toBeNull();
  });
});

describe("revoking by prefix", () => {
  test("ends what is below it and leaves names that only begin alike", async () => {
    const read = await world.issue("tiny/key/read");
    const readonly = await world.issue("tiny/key/readonly");
    expect((await revokePrefix("tiny/key/read")).status).toBe(204);
    expect([...world.keys.live]).toEqual([readonly.key]);
    expect(world.keys.revoked).toEqual([read.key]);
  });

  test("ends exactly one lease when it is that lease's id", async () => {
    const one = await world.issue("tiny/key/read");
    const other = await world.issue("tiny/key/read");
    expect((await revokePrefix(one.id)).status).toBe(204);
    expect([...world.keys.live]).toEqual([other.key]);
  });

  test("leaves other mounts alone", async () => {
    await world.issue("tiny/key/read");
    const { key } = await world.issue("tinier/key/read");
    await revokePrefix("tiny");
    expect([...world.keys.live]).toEqual([key]);
  });

  test("does not take part of a name for a prefix", async () => {
    await world.issue("tiny/key/read");
    expect((await revokePrefix("tin")).status).toBe(204);
    expect((await revokePrefix("tiny/ke")).status).toBe(204);
    expect(world.keys.live.size).toBe(1);
  });

  test("takes no trailing slash and no empty prefix", async () => {
    await world.issue("tiny/key/read");
    expect(errorOf(await revokePrefix("tiny/"))).toBe("cannot write to a path ending in '/'");
    expect((await revokePrefix("")).status).toBe(400);
    expect(world.keys.live.size).toBe(1);
  });

  test("reports the first that failed and how many more, and none is lost", async () => {
    for (const name of ["a", "b", "c"]) await world.issue(`tiny/key/${name}`);
    world.keys.broken = "the backend is away";
    expect(errorOf(await revokePrefix("tiny"))).toMatch(/^failed to revoke "tiny\/key\/.*" \(and 2 more\): /);
    world.keys.broken = null;
    world.advance(31);
    expect(await world.daemon()).toEqual({ done: 3, failed: 0 });
    expect(world.keys.live.size).toBe(0);
  });

  test("ends more leases than one commit forgets, or than are taken at the start, each once", async () => {
    const count = 10_100;
    await Promise.all(Array.from({ length: count }, () => world.issue("tiny/key/a", { ttl: 3600 })));
    expect((await revokePrefix("tiny/key/a")).status).toBe(204);
    expect(world.keys.live.size).toBe(0);
    expect(world.keys.revoked).toHaveLength(count);
    expect(new Set(world.keys.revoked).size).toBe(count);
    expect(await world.core.nextDue()).toBeNull();
  });

  test("by force forgets what cannot be revoked, and names it", async () => {
    const { key } = await world.issue("tiny/key/a");
    world.keys.broken = "the backend is gone for good";
    const { status, body } = await world.put("sys/leases/revoke-force/tiny");
    expect(status).toBe(200);
    expect(JSON.stringify(body)).toContain(key);
    expect(await world.core.nextDue()).toBeNull();
  });
});

describe("a creation", () => {
  const lease = async () =>
    dataOf(await world.send("LIST", "sys/leases/lookup/tiny/key/a")).keys as string[] | undefined;

  test("that is overtaken by its lease's revocation is undone and answered as a failure", async () => {
    world.keys.duringCreate = async () => {
      await world.newCore().handle({ method: "PUT", path: "nothing" });
      await revokePrefix("tiny");
      // As a backend that is slow: the key comes to be after the revoker has looked.
      world.keys.live.add("late");
    };
    const answer = await world.get("tiny/key/a");
    expect(answer.status).toBe(500);
    expect(errorOf(answer)).toContain("revoked before its secret was ready");
    world.keys.live.delete("late");
    expect(world.keys.live.size).toBe(0);
    expect(await lease()).toBeUndefined();
  });

  test("that is revoked while it is under way keeps its lease until it must have ended", async () => {
    let kept: string[] | undefined;
    world.keys.duringCreate = async () => {
      await revokePrefix("tiny");
      kept = await lease();
    };
    await world.get("tiny/key/a");
    expect(kept).toHaveLength(1);
  });

  test("whose creator died is revoked at its deadline, and forgotten after a second look", async () => {
    world.keys.duringCreate = () => new Promise(() => undefined);
    void world.get("tiny/key/a");
    while (world.keys.live.size === 0) await new Promise((resolve) => setImmediate(resolve));
    world.advance(89);
    expect(await world.daemon()).toEqual({ done: 0, failed: 0 });
    world.advance(1);
    expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
    expect(world.keys.live.size).toBe(0);
    expect(await lease()).toHaveLength(1);
    world.advance(90);
    await world.daemon();
    expect(await lease()).toBeUndefined();
    expect(await world.core.nextDue()).toBeNull();
  });

  test("that fails leaves no lease", async () => {
    const answer = await world.get("tiny/key/impossible");
    expect([answer.status, errorOf(answer)]).toEqual([500, "1 error occurred:\n\t* no more keys\n\n"]);
    expect(await world.core.nextDue()).toBeNull();
  });

  test("that fails before the backend was asked leaves no lease, and nothing is revoked", async () => {
    world.keys.broken = "the backend is away";
    const answer = await world.get("tiny/key/unasked");
    expect([answer.status, errorOf(answer)]).toEqual([500, "the backend is away"]);
    expect(world.keys.revoked).toEqual([]);
    expect(await world.core.nextDue()).toBeNull();
    // What may have been made is another matter: it stays due until the backend can tell.
    await world.get("tiny/key/impossible");
    expect(await world.core.nextDue()).not.toBeNull();
  });

  test("on a mount that is disabled meanwhile is refused before anything is made", async () => {
    const commit = world.barrier.commit.bind(world.barrier);
    let isFirst = true;
    world.barrier.commit = async (writes) => {
      if (isFirst && writes.some(({ key }) => key.startsWith("lease/"))) {
        isFirst = false;
        await world.send("DELETE", "sys/mounts/tiny");
      }
      return commit(writes);
    };
    expect((await world.get("tiny/key/a")).status).toBe(404);
    expect(world.keys.live.size).toBe(0);
    expect(await world.core.nextDue()).toBeNull();
  });
});

describe("revoking by prefix in parts", () => {
  const revokePart = async (after?: string) =>
    dataOf(
      await world.put("sys/leases/revoke-prefix/tiny", {
        part: true,
        ...(after === undefined ? {} : { after }),
      }),
    );

  test("goes on where the part before ended, and counts what it does", async () => {
    await Promise.all(Array.from({ length: 501 }, () => world.issue("tiny/key/a", { ttl: 3600 })));
    const first = await revokePart();
    expect(first).toEqual({ revoked: 500, failed: 0, total: 501, next: expect.any(String) });
    expect(world.keys.live.size).toBe(1);
    expect(await revokePart(String(first.next))).toEqual({ revoked: 1, failed: 0 });
    expect(world.keys.live.size).toBe(0);
  });

  test("a process that dies after the first part leaves the rest due, and to whoever asks again", async () => {
    await Promise.all(Array.from({ length: 501 }, () => world.issue("tiny/key/a", { ttl: 3600 })));
    await revokePart();
    expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
    expect(await revokePart()).toEqual({ revoked: 0, failed: 0, total: 0 });
  });

  test("what fails is counted, keeps its lease, and does not stop the others", async () => {
    const { id } = await world.issue("tiny/key/a", { ttl: 3600 });
    world.keys.broken = "the backend is away";
    expect(await revokePart()).toEqual({ revoked: 0, failed: 1, total: 1 });
    expect(await world.record(id)).toMatchObject({ state: "revoking", failure: { attempts: 1 } });
  });
});
