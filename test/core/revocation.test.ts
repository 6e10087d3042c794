import { beforeEach, describe, expect, test } from "bun:test";
import { VsecError } from "../../src/base/errors.ts";
import type { JsonObject } from "../../src/base/json.ts";
import { principalTag, tokenTag } from "../../src/core/leases/record.ts";
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

describe("a revocation by prefix", () => {
  /** The process is killed at its commit number `at`, before a key is gone. */
  const killedAt = async (at: number): Promise<void> => {
    const commit = world.barrier.commit.bind(world.barrier);
    let commits = 0;
    world.barrier.commit = async (writes) => {
      commits += 1;
      if (commits >= at) throw new VsecError("STORE_IO", "killed");
      return commit(writes);
    };
    world.keys.broken = "killed";
    await revokePrefix("tiny");
    world.keys.broken = null;
    world.barrier.commit = commit;
  };

  test("that is killed is finished by whoever does due work, for what was issued before it and nothing else", async () => {
    await world.issue("tiny/key/a", { ttl: 3600 });
    const renewed = await world.issue("tiny/key/b", { ttl: 3600 });
    const other = await world.issue("tinier/key/a", { ttl: 3600 });
    await killedAt(2);
    world.advance(1);
    expect((await world.put("sys/leases/renew", { lease_id: renewed.id })).status).toBe(200);
    const later = await world.issue("tiny/key/a", { ttl: 3600 });
    world.advance(118);
    expect(await world.daemon()).toEqual({ done: 0, failed: 0 });
    world.advance(1);
    expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
    expect([...world.keys.live].sort()).toEqual([later.key, other.key].sort());
    expect(await world.record(renewed.id)).toBeNull();
    expect(await world.record(later.id)).toMatchObject({ state: "active" });
  });

  test("that is killed with many left is finished page by page", async () => {
    await Promise.all(Array.from({ length: 1100 }, () => world.issue("tiny/key/a", { ttl: 3600 })));
    await killedAt(2);
    world.advance(120);
    expect(await world.daemon()).toEqual({ done: 3, failed: 0 });
    expect(world.keys.live.size).toBe(0);
    expect(await world.core.nextDue()).toBeNull();
  });

  test("that is killed while its backend is away leaves each lease due by itself, and no mark", async () => {
    await Promise.all(Array.from({ length: 600 }, () => world.issue("tiny/key/a", { ttl: 3600 })));
    await killedAt(2);
    world.keys.broken = "the backend is away";
    world.advance(120);
    expect(await world.daemon()).toMatchObject({ failed: 600 });
    expect((await world.barrier.scan("lease-ending/", { limit: 9 })).entries).toEqual([]);
    world.keys.broken = null;
    world.advance(31);
    expect(await world.daemon()).toEqual({ done: 600, failed: 0 });
    expect(world.keys.live.size).toBe(0);
  });

  test("that is killed before its mark is made has done nothing", async () => {
    await world.issue("tiny/key/a", { ttl: 3600 });
    await killedAt(1);
    expect(world.keys.live.size).toBe(1);
    expect(world.keys.revoked).toEqual([]);
  });

  test("knows what was there before it also when the clock was ahead then", async () => {
    world.advance(1000);
    await world.issue("tiny/key/a", { ttl: 3600 });
    world.advance(-1000);
    await killedAt(2);
    world.advance(120);
    expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
    expect(world.keys.live.size).toBe(0);
  });

  test("leaves nothing of a lease that is renewed while its secret goes", async () => {
    const { id } = await world.issue("tiny/key/a", { ttl: 3600 });
    await world.issue("tiny/key/b", { ttl: 3600 });
    world.keys.duringRevoke = async () => {
      world.keys.duringRevoke = async () => undefined;
      expect((await world.put("sys/leases/renew", { lease_id: id })).status).toBe(200);
    };
    expect((await revokePrefix("tiny")).status).toBe(204);
    expect(world.keys.revoked).toHaveLength(3);
    expect(await world.record(id)).toBeNull();
    expect(await world.core.nextDue()).toBeNull();
  });

  test("keeps trying a lease that is renewed while its revocation fails", async () => {
    const { id } = await world.issue("tiny/key/a", { ttl: 3600 });
    world.keys.broken = "the backend is away";
    world.keys.duringRevoke = async () => {
      world.keys.duringRevoke = async () => undefined;
      expect((await world.put("sys/leases/renew", { lease_id: id })).status).toBe(200);
    };
    expect(errorOf(await revokePrefix("tiny"))).toContain("the backend is away");
    expect(await world.record(id)).toMatchObject({ state: "revoking", failure: { attempts: 1 } });
    world.keys.broken = null;
    world.advance(31);
    expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
    expect(world.keys.live.size).toBe(0);
  });

  test("names no lease of many where all of a page are gone", async () => {
    await Promise.all(Array.from({ length: 600 }, () => world.issue("tiny/key/a", { ttl: 3600 })));
    const named: string[] = [];
    const commit = world.barrier.commit.bind(world.barrier);
    world.barrier.commit = async (writes) => {
      named.push(...writes.map(({ key }) => key).filter((key) => key.startsWith("lease/")));
      return commit(writes);
    };
    expect((await revokePrefix("tiny")).status).toBe(204);
    expect(named).toEqual([]);
    expect(await world.core.nextDue()).toBeNull();
  });

  test("ends once, and forgets, what is issued after it has begun and before it looks", async () => {
    await world.issue("tiny/key/a", { ttl: 3600 });
    const walk = world.barrier.walk.bind(world.barrier);
    world.barrier.walk = async function* (prefix, page) {
      world.barrier.walk = walk;
      await world.issue("tiny/key/a", { ttl: 3600 });
      yield* walk(prefix, page);
    };
    expect((await revokePrefix("tiny")).status).toBe(204);
    expect(world.keys.live.size).toBe(0);
    expect(world.keys.revoked).toHaveLength(2);
    expect(await world.core.nextDue()).toBeNull();
  });

  test("that meets another one leaves nothing, and nothing is counted twice", async () => {
    await Promise.all(Array.from({ length: 1200 }, () => world.issue("tiny/key/a", { ttl: 3600 })));
    const [one, other] = await Promise.all([revokePrefix("tiny"), revokePrefix("tiny")]);
    expect([one.status, other.status]).toEqual([204, 204]);
    expect(world.keys.live.size).toBe(0);
    expect(await world.core.nextDue()).toBeNull();
  });

  test("takes the leases that a slow backend has left after half a minute, so that nobody else works on them", async () => {
    await Promise.all(Array.from({ length: 1600 }, () => world.issue("tiny/key/a", { ttl: 3600 })));
    world.keys.duringRevoke = async () => world.advance(40);
    let taken = 0;
    const commit = world.barrier.commit.bind(world.barrier);
    world.barrier.commit = async (writes) => {
      const puts = writes.filter(({ op, key }) => op === "put" && key.startsWith("lease/"));
      taken += puts.length;
      return commit(writes);
    };
    expect((await revokePrefix("tiny")).status).toBe(204);
    expect(taken).toBe(600);
    expect(world.keys.live.size).toBe(0);
    expect(await world.core.nextDue()).toBeNull();
  });

  test("of nothing leaves no mark", async () => {
    const before = (await world.barrier.scan("", { limit: 100 })).entries.length;
    expect((await revokePrefix("tiny")).status).toBe(204);
    expect((await world.barrier.scan("", { limit: 100 })).entries).toHaveLength(before);
    expect(await world.core.nextDue()).toBeNull();
  });
});

describe("a lease's tags", () => {
  test("count only where the lease is one that should have them", async () => {
    const { id, key } = await world.issue("tiny/key/a", { ttl: 3600 });
    const { auth } = (await world.put("auth/token/create", { policies: ["root"] })).body as {
      auth: JsonObject;
    };
    const issued = await world.core.handle({
      method: "GET",
      path: "tiny/key/b",
      token: String(auth.client_token),
    });
    const mine = await world.record(String((issued.body as JsonObject).lease_id));
    // As somebody could have it who writes to the file: the first lease under the tag of the second one's token.
    const entry = await world.barrier.get(`lease/${id}`);
    const tags = [tokenTag(String(mine?.tokenHash)), principalTag("somebody else's")];
    if (entry !== null) await world.barrier.commit([{ op: "put", ...entry, tags }]);
    expect((await world.put("sys/leases/lookup", { lease_id: "somebody else's" })).status).toBe(400);
    await world.put("auth/token/revoke", { token: auth.client_token as string });
    expect([...world.keys.live]).toEqual([key]);
    expect(await world.record(id)).toMatchObject({ state: "active" });
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
    world.advance(120);
    expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
    expect(world.keys.live.size).toBe(0);
    expect(await world.core.nextDue()).toBeNull();
    expect(await revokePart()).toEqual({ revoked: 0, failed: 0, total: 0 });
  });

  test("goes on to the end also when somebody else has finished it meanwhile", async () => {
    await Promise.all(Array.from({ length: 501 }, () => world.issue("tiny/key/a", { ttl: 3600 })));
    const { next } = await revokePart();
    expect((await revokePrefix("tiny")).status).toBe(204);
    expect(await revokePart(String(next))).toEqual({ revoked: 0, failed: 0 });
    world.advance(120);
    await world.daemon();
    expect(await world.core.nextDue()).toBeNull();
  });

  test("leaves the mark of another prefix alone", async () => {
    await Promise.all(Array.from({ length: 501 }, () => world.issue("tiny/key/a", { ttl: 3600 })));
    await world.issue("tinier/key/a", { ttl: 3600 });
    const { next } = await revokePart();
    await world.put("sys/leases/revoke-prefix/tinier", { part: true, after: String(next) });
    expect((await world.barrier.scan("lease-ending/", { limit: 9 })).entries).toHaveLength(1);
  });

  test.each(["nonsense", "x y", " y", "x "])("refuses %j as the place to go on at", async (after) => {
    const place = after === "x y" ? "x\ny" : after;
    const answer = await world.put("sys/leases/revoke-prefix/tiny", { part: true, after: place });
    expect([answer.status, errorOf(answer)]).toEqual([
      400,
      "after must be what the answer to the part before says",
    ]);
  });

  test("what fails is counted, keeps its lease, and does not stop the others", async () => {
    const { id } = await world.issue("tiny/key/a", { ttl: 3600 });
    world.keys.broken = "the backend is away";
    expect(await revokePart()).toEqual({ revoked: 0, failed: 1, total: 1 });
    expect(await world.record(id)).toMatchObject({ state: "revoking", failure: { attempts: 1 } });
  });
});
