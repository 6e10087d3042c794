import { beforeEach, describe, expect, test } from "bun:test";
import type { Barrier, Write } from "../../../src/barrier/port.ts";
import { VsecError } from "../../../src/base/errors.ts";
import type { JsonObject } from "../../../src/base/json.ts";
import { type CoreWorld, dataOf, errorOf } from "../../core/world.ts";
import { kvWorld, mustWork } from "./world.ts";

const PATHS = ["a", "a/b", "a/b/c", "z", ...Array.from({ length: 450 }, (_, i) => `many/${i}`)];

describe("the upgrade of a kv mount to version 2", () => {
  let world: CoreWorld;

  beforeEach(async () => {
    world = await kvWorld();
    for (const path of PATHS) await mustWork(world.put(`plain/${path}`, { path }));
  });

  const raise = () => mustWork(world.put("sys/mounts/plain/tune", { options: { version: "2" } }));

  async function expectAll(): Promise<void> {
    for (const path of PATHS) {
      expect(dataOf(await world.get(`plain/data/${path}`))).toMatchObject({
        data: { path },
        metadata: { version: 1 },
      });
    }
    const keys = (await world.barrier.scan("mount/", { limit: 10_000 })).entries.map(({ key }) => key);
    expect(keys.filter((key) => key.includes("/plain/"))).toEqual([]);
    expect(keys.filter((key) => key.includes("/record/")).length).toBe(PATHS.length);
  }

  test("is done when somebody asks: each secret is there with one version, and nothing is left of the old", async () => {
    await raise();
    expect(dataOf(await world.send("LIST", "plain/metadata")).keys).toEqual(["a", "a/", "many/", "z"]);
    await expectAll();
    expect(await world.core.nextDue()).toBeNull();
  });

  test("lets the versions go on from there", async () => {
    await raise();
    const answer = await world.put("plain/data/a/b", { data: { new: true }, options: { cas: 1 } });
    expect(dataOf(answer).version).toBe(2);
    expect(dataOf(await world.get("plain/data/a/b", { version: 1 })).data).toEqual({ path: "a/b" });
  });

  test.each([1, 2, 3, 4, 5, 6])(
    "that is killed before its commit %p goes on with the next request",
    async (nth) => {
      await raise();
      const broken = failing(world, nth);
      expect((await world.get("plain/data/z")).status).toBe(500);
      expect(broken.failed()).toBe(true);
      broken.repair();
      await expectAll();
    },
  );

  test("that is killed half-way is due, and the due work ends it", async () => {
    await raise();
    const broken = failing(world, 3);
    await world.get("plain/data/z");
    broken.repair();
    expect(await world.core.nextDue()).toBe(world.now);
    expect((await world.daemon()).failed).toBe(0);
    expect(await world.core.nextDue()).toBeNull();
    await expectAll();
  });

  test("is done by several processes at once without harm", async () => {
    await raise();
    const cores = [world.core, world.newCore(), world.newCore()];
    const root = (await mustWork(world.put("auth/token/create", {}))).body as {
      auth: { client_token: string };
    };
    const token = root.auth.client_token;
    const answers = await Promise.all(
      cores.flatMap((core) =>
        ["z", "a/b/c", "many/7"].map((path) =>
          core.handle({ method: "GET", path: `plain/data/${path}`, token }),
        ),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 9 }, () => 200));
    await expectAll();
  });

  test("refuses a write as version 1 that comes late, so that it is not left behind", async () => {
    await raise();
    await world.get("plain/data/z");
    const entry = (await world.core.services.mounts.table.entries()).find(({ path }) => path === "plain/");
    if (entry === undefined) throw new TypeError("the mount is gone");
    const late = world.newCore();
    const { backend } = await late.services.mounts.load({ ...entry, options: null });
    const { dispatch } = await import("../../../src/framework/dispatch.ts");
    const request = {
      operation: "update",
      path: "late",
      data: { a: 1 } as JsonObject,
      displayName: "",
    } as const;
    await expect(dispatch(backend, request)).rejects.toThrow(
      "Upgrading from non-versioned to versioned data.",
    );
    expect(errorOf(await world.get("plain/data/late"))).toBe("");
    await expectAll();
  });
});

/** Makes the store's `nth` commit from now on fail, and all after it, as for a process that was killed before it. */
function failing(world: CoreWorld, nth: number): { failed(): boolean; repair(): void } {
  const barrier = world.barrier as { commit: Barrier["commit"] };
  const commit = barrier.commit.bind(world.barrier);
  let count = 0;
  barrier.commit = async (writes: readonly Write[]) => {
    count += 1;
    if (count >= nth) throw new VsecError("STORE_IO", "the disk is gone");
    return commit(writes);
  };
  return {
    failed: () => count >= nth,
    repair: () => {
      barrier.commit = commit;
    },
  };
}
