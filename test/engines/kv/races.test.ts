import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Barrier } from "../../../src/barrier/port.ts";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { mergePatch } from "../../../src/engines/kv/merge-patch.ts";
import { type CoreWorld, dataOf } from "../../core/world.ts";
import { kvWorld, mustWork, read, write } from "./world.ts";

const RUNS = process.env.SLOW === "1" ? 1000 : 60;

describe("writers at the same time", () => {
  test("of the same version: one wins, and what it wrote is there", async () => {
    const world = await kvWorld();
    await write(world, "app", { by: "nobody" });
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, by) =>
        world.put("secret/data/app", { data: { by }, options: { cas: 1 } }),
      ),
    );
    const winners = answers.flatMap(({ status }, by) => (status === 200 ? [by] : []));
    expect(winners.length).toBe(1);
    expect(answers.filter(({ status }) => status === 400).length).toBe(7);
    expect((await read(world, "app")).data).toEqual({ by: winners[0] ?? -1 });
    expect(dataOf(await world.get("secret/metadata/app")).current_version).toBe(2);
  });

  test("of any version: each makes one of its own, none is lost", async () => {
    const world = await kvWorld();
    await mustWork(world.put("secret/metadata/app", { max_versions: 50 }));
    const numbers = await Promise.all(Array.from({ length: 40 }, (_, by) => write(world, "app", { by })));
    expect(numbers.toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    for (const [by, number] of numbers.entries())
      expect((await read(world, "app", number)).data).toEqual({ by });
  });

  test("of patches: each of them is in the end in the secret", async () => {
    const world = await kvWorld();
    await write(world, "app", { base: true });
    const patches = Array.from({ length: 20 }, (_, i) => ({ [`k${i}`]: i }));
    await Promise.all(
      patches.map((data) => mustWork(world.send("PATCH", "secret/data/app", { body: { data } }))),
    );
    expect((await read(world, "app")).data).toEqual(Object.assign({ base: true }, ...patches));
  });

  test("and readers, while versions are dropped and destroyed: a read is whole or says that it is gone", async () => {
    const world = await kvWorld();
    await mustWork(world.put("secret/metadata/app", { max_versions: 2 }));
    await write(world, "app", { v: 1 });
    const writes = Array.from({ length: 20 }, () => write(world, "app", { v: 1 }));
    const destroys = Array.from({ length: 20 }, (_, i) => world.put("secret/destroy/app", { versions: [i] }));
    const reads = await Promise.all(
      Array.from({ length: 60 }, (_, i) => world.get("secret/data/app", { version: i % 20 })),
    );
    expect(new Set(reads.map(({ status }) => status)).isSubsetOf(new Set([200, 404]))).toBe(true);
    await Promise.all([...writes, ...destroys]);
  });

  test("and a reader between whose two looks a version is destroyed: it is told so", async () => {
    const world = await kvWorld();
    await write(world, "app", { v: 1 });
    beforeData(world, () => world.put("secret/destroy/app", { versions: [1] }));
    expect(await read(world, "app")).toMatchObject({
      status: 404,
      data: null,
      metadata: { destroyed: true },
    });
  });

  test("and a reader of a version whose data are missing from the store: that is an error, not an empty secret", async () => {
    const world = await kvWorld();
    await write(world, "app", { v: 1 });
    beforeData(world, async (key) => world.barrier.commit([{ op: "delete", key }]));
    const { status, body } = await world.get("secret/data/app");
    expect([status, JSON.stringify(body)]).toEqual([500, expect.stringContaining("missing from the store")]);
  });

  test("of settings: none is lost", async () => {
    const world = await kvWorld();
    await Promise.all([
      mustWork(world.put("secret/config", { max_versions: 3 })),
      mustWork(world.put("secret/config", { cas_required: true })),
      mustWork(world.put("secret/config", { delete_version_after: "1h" })),
    ]);
    expect(dataOf(await world.get("secret/config"))).toEqual({
      cas_required: true,
      delete_version_after: "1h0m0s",
      max_versions: 3,
    });
  });
});

/** Does something once, just before the data of a version are read. */
function beforeData(world: CoreWorld, act: (key: string) => Promise<unknown>): void {
  const barrier = world.barrier as { get: Barrier["get"] };
  const get = barrier.get.bind(world.barrier);
  barrier.get = async (key) => {
    if (key.includes("/version/app/")) {
      barrier.get = get;
      await act(key);
    }
    return get(key);
  };
}

const json = fc.letrec<{ value: Json; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<Json>(null, true, 0, "", "x", []),
    fc.integer(),
    fc.array(fc.string(), { maxLength: 2 }),
    tie("object"),
  ),
  object: fc.dictionary(fc.constantFrom("a", "b", "c", "constructor", "1"), tie("value"), { maxKeys: 4 }),
}));

/** RFC 7396 section 2, word for word. */
function naivePatch(target: Json | undefined, patch: Json): Json {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === "object" && target !== null && !Array.isArray(target) ? target : {};
  const result: Record<string, Json> = Object.assign(Object.create(null), base);
  for (const [name, value] of Object.entries(patch as JsonObject)) {
    if (value === null) delete result[name];
    else result[name] = naivePatch(result[name], value);
  }
  return { ...result };
}

test("a merge patch is what RFC 7396 says", () => {
  fc.assert(
    fc.property(json.object, json.object, (target, patch) => {
      expect(mergePatch(target, patch)).toEqual(naivePatch(target, patch) as JsonObject);
    }),
    { numRuns: RUNS * 10 },
  );
});

test.each([
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])("RFC 7396 appendix A: %p and %p is %p", (target, patch, result) => {
  expect(mergePatch(target, patch)).toEqual(result as JsonObject);
});

/** What a secret is, as simply as it can be told. */
class Model {
  current = 0;
  oldest = 0;
  readonly versions = new Map<number, { data: JsonObject; deletedAt: number | null; destroyed: boolean }>();

  write(data: JsonObject, maxVersions: number): void {
    this.current += 1;
    this.versions.set(this.current, { data, deletedAt: null, destroyed: false });
    const first = this.current - maxVersions + 1;
    for (const number of this.versions.keys()) if (number < first) this.versions.delete(number);
    if (first > 1) this.oldest = Math.max(this.oldest, first);
  }

  change(verb: string, number: number, now: number): void {
    const version = this.versions.get(number);
    if (version === undefined || version.destroyed) return;
    if (verb === "delete") version.deletedAt ??= now;
    if (verb === "undelete") version.deletedAt = null;
    if (verb === "destroy") version.destroyed = true;
  }

  live(number: number): JsonObject | undefined {
    const version = this.versions.get(number);
    return version === undefined || version.deletedAt !== null || version.destroyed
      ? undefined
      : version.data;
  }
}

/** A secret and its model, with a mark that makes every write another one. */
interface Pair {
  readonly world: CoreWorld;
  readonly maxVersions: number;
  readonly mark: number;
  model: Model;
}

type Step = (pair: Pair) => Promise<void>;

const writeStep = fc.option(fc.integer({ min: -1, max: 9 })).map(
  (cas): Step =>
    async (pair) => {
      const { world, model, mark, maxVersions } = pair;
      const options = cas === null ? {} : { cas };
      const fits = cas === null || cas === model.current;
      const { status } = await world.put("secret/data/x", { data: { mark }, options });
      expect(status).toBe(fits ? 200 : 400);
      if (fits) model.write({ mark }, maxVersions);
    },
);

const patchStep = fc.constantFrom("a", "b").map(
  (key): Step =>
    async ({ world, model, mark, maxVersions }) => {
      const { status } = await world.send("PATCH", "secret/data/x", { body: { data: { [key]: mark } } });
      const present = model.live(model.current);
      expect(status).toBe(present === undefined ? 404 : 200);
      if (present !== undefined) model.write({ ...present, [key]: mark }, maxVersions);
    },
);

const versionsStep = fc
  .tuple(
    fc.constantFrom("delete", "undelete", "destroy"),
    fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 3 }),
  )
  .map(
    ([verb, versions]): Step =>
      async ({ world, model }) => {
        await mustWork(world.put(`secret/${verb}/x`, { versions }));
        for (const number of versions) model.change(verb, number, world.now);
      },
  );

const deleteStep: Step = async ({ world, model }) => {
  await mustWork(world.send("DELETE", "secret/data/x"));
  model.change("delete", model.current, world.now);
};

const forgetStep: Step = async (pair) => {
  await mustWork(pair.world.send("DELETE", "secret/metadata/x"));
  pair.model = new Model();
};

const step = fc.oneof(writeStep, patchStep, versionsStep, fc.constantFrom(deleteStep, forgetStep));

async function expectSame({ world, model }: Pair): Promise<void> {
  for (let number = 1; number <= model.current + 1; number += 1) {
    const { status, data } = await read(world, "x", number);
    const live = model.live(number);
    const shown = model.versions.has(number) ? (live ?? null) : undefined;
    expect([number, status, data]).toEqual([number, live === undefined ? 404 : 200, shown]);
  }
  const { current_version, oldest_version, versions } = dataOf(await world.get("secret/metadata/x"));
  const expected = model.current === 0 ? [undefined, undefined] : [model.current, model.oldest];
  expect([current_version, oldest_version]).toEqual(expected);
  expect(Object.keys((versions ?? {}) as JsonObject).map(Number)).toEqual([...model.versions.keys()]);
}

test("versions are what a naive model says, whatever is done in whatever order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 25 }),
      async (max, steps) => {
        const world = await kvWorld();
        await mustWork(world.put("secret/config", { max_versions: max }));
        const pair: Pair = { world, maxVersions: max, mark: 0, model: new Model() };
        for (const [mark, act] of steps.entries()) {
          const turn: Pair = { ...pair, mark };
          await act(turn);
          pair.model = turn.model;
        }
        await expectSame(pair);
      },
    ),
    { numRuns: RUNS },
  );
});
