/** A naive model of a store, and random commands that are run against it and against an adapter. */
import { expect } from "bun:test";
import fc from "fast-check";
import { hasCode } from "../../src/base/errors.ts";
import { type Storage, type StoredEntry, TAGS_MAX, type Write } from "../../src/storage/port.ts";
import type { OpenedStorage } from "./contract.ts";

interface ModelEntry extends StoredEntry {
  readonly tags: readonly string[];
  readonly claim: { readonly owner: string; readonly until: number } | null;
}

/** All entries in a list, searched from end to end: too simple to be wrong. */
class Model {
  now = 100;
  puts = 0;
  entries: readonly ModelEntry[] = [];

  find(key: string): ModelEntry | undefined {
    return this.entries.find((entry) => entry.key === key);
  }

  sorted(prefix: string): readonly ModelEntry[] {
    return this.entries
      .filter((entry) => entry.key.startsWith(prefix))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** The new versions; null for a conflict. */
  commit(writes: readonly Write[]): number[] | null {
    const holds = (write: Write): boolean =>
      write.expect === undefined || write.expect === (this.find(write.key)?.version ?? 0);
    if (!writes.every(holds)) return null;
    const versions: number[] = [];
    for (const write of writes) {
      if (write.op === "check") continue;
      this.entries = this.entries.filter((entry) => entry.key !== write.key);
      if (write.op === "delete") continue;
      this.puts += 1;
      versions.push(this.puts);
      const { key, value, dueAt = null, tags = [] } = write;
      this.entries = [...this.entries, { key, value, dueAt, tags, version: this.puts, claim: null }];
    }
    return versions;
  }

  names(prefix: string): string[] {
    const names = this.sorted(prefix).map((entry) => entry.key.slice(prefix.length).replace(/\/.*$/su, "/"));
    return [...new Set(names)].toSorted((a, b) => (a < b ? -1 : 1));
  }

  claimable(): readonly ModelEntry[] {
    return this.entries.filter((entry) => (availableAt(entry) ?? Number.POSITIVE_INFINITY) <= this.now);
  }

  setClaim(key: string, claim: ModelEntry["claim"]): void {
    this.entries = this.entries.map((entry) => (entry.key === key ? { ...entry, claim } : entry));
  }

  nextDue(): number | null {
    const times = this.entries.map(availableAt).filter((at) => at !== null);
    return times.length === 0 ? null : Math.min(...times);
  }
}

function availableAt({ dueAt, claim }: ModelEntry): number | null {
  return dueAt === null ? null : Math.max(dueAt, claim?.until ?? dueAt);
}

function asStored({ claim: _claim, tags: _tags, ...entry }: ModelEntry): StoredEntry {
  return entry;
}

type Command = fc.AsyncCommand<Model, Storage>;

function command(label: string, run: (model: Model, real: Storage) => Promise<void>): Command {
  return { check: () => true, run, toString: () => label };
}

const segment = fc.constantFrom("a", "b", "a-", "a0", "-", "é", "\uffee");
const key = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join("/"));
const prefix = fc.oneof(
  fc.constant(""),
  key.map((text) => `${text}/`),
);
const owner = fc.constantFrom("one", "two");
const limit = fc.integer({ min: 1, max: 5 });
const value = fc.uint8Array({ maxLength: 4 });
/** Relative to the model's clock; null: no due time. */
const dueIn = fc.option(fc.integer({ min: -30, max: 60 }), { freq: 3 });
const tag = fc.constantFrom("red", "blue", "t-é", "x".repeat(22));
const tags = fc.option(fc.uniqueArray(tag, { maxLength: TAGS_MAX }), { nil: undefined });
/** What a precondition says: nothing, the truth, "absent", or something stale. */
const expectation = fc.constantFrom("none", "none", "true", "true", "absent", "stale");

const wish = fc.record({
  op: fc.constantFrom("put", "put", "delete", "check"),
  key,
  value,
  dueIn,
  tags,
  expectation,
});
type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;

function toWrite(model: Model, wanted: Wish): Write {
  const version = model.find(wanted.key)?.version ?? 0;
  const expected = { none: undefined, true: version, absent: 0, stale: version + 1 }[wanted.expectation];
  const precondition = expected === undefined ? {} : { expect: expected };
  if (wanted.op === "check") return { op: "check", key: wanted.key, expect: expected ?? version };
  if (wanted.op === "delete") return { op: "delete", key: wanted.key, ...precondition };
  const dueAt = wanted.dueIn === null ? null : model.now + wanted.dueIn;
  const tagged = wanted.tags === undefined ? {} : { tags: wanted.tags };
  return { op: "put", key: wanted.key, value: wanted.value, dueAt, ...tagged, ...precondition };
}

const commit = fc.array(wish, { maxLength: 4 }).map((wishes) =>
  command(`commit ${fc.stringify(wishes)}`, async (model, real) => {
    const writes = wishes.map((wanted) => toWrite(model, wanted));
    const expected = model.commit(writes);
    const actual = await real.commit(writes).catch((error: unknown) => {
      if (hasCode(error, "STORE_CONFLICT")) return null;
      throw error;
    });
    expect(actual).toEqual(expected);
  }),
);

const get = key.map((text) =>
  command(`get ${text}`, async (model, real) => {
    const entry = model.find(text);
    expect(await real.get(text)).toEqual(entry === undefined ? null : asStored(entry));
  }),
);

const list = fc.tuple(prefix, limit).map(([folder, size]) =>
  command(`list ${folder} by ${size}`, async (model, real) => {
    const expected = model.names(folder);
    for (let at = 0, after: string | undefined; ; at += size) {
      const page = await real.list(folder, after === undefined ? { limit: size } : { limit: size, after });
      expect([...page.names]).toEqual(expected.slice(at, at + size));
      expect(page.next === null).toBe(at + size >= expected.length);
      if (page.next === null) return;
      after = page.next;
    }
  }),
);

const scan = fc.tuple(prefix, limit).map(([folder, size]) =>
  command(`scan ${folder} by ${size}`, async (model, real) => {
    const expected = model.sorted(folder).map(asStored);
    for (let at = 0, after: string | undefined; ; at += size) {
      const page = await real.scan(folder, after === undefined ? { limit: size } : { limit: size, after });
      expect([...page.entries]).toEqual(expected.slice(at, at + size));
      expect(page.next === null).toBe(at + size >= expected.length);
      if (page.next === null) return;
      after = page.next;
    }
  }),
);

const byKey = (a: StoredEntry, b: StoredEntry): number => (a.key < b.key ? -1 : 1);

const find = fc.tuple(tag, limit).map(([wanted, size]) =>
  command(`find ${wanted} by ${size}`, async (model, real) => {
    const expected = model.entries.filter((entry) => entry.tags.includes(wanted)).map(asStored);
    const found: StoredEntry[] = [];
    for (let after: string | undefined; ; ) {
      const page = await real.find(wanted, after === undefined ? { limit: size } : { limit: size, after });
      found.push(...page.entries);
      expect(page.next === null).toBe(found.length >= expected.length);
      if (page.next === null) break;
      expect(page.entries.length).toBe(size);
      after = page.next;
    }
    expect(found.toSorted(byKey)).toEqual(expected.toSorted(byKey));
  }),
);

const walk = fc
  .tuple(key, limit, fc.integer({ min: 0, max: 6 }), fc.boolean())
  .map(([folder, size, age, isSwept]) =>
    command(
      `walk ${folder} by ${size}, ${isSwept ? `sweep at ${age} writes ago` : "no sweep"}`,
      async (model, real) => {
        const expected = model.sorted(`${folder}/`);
        const pages = await Array.fromAsync(real.walk(`${folder}/`, { limit: size }));
        expect(pages.flatMap(({ entries }) => entries).toSorted(byKey)).toEqual(
          expected.map(asStored).toSorted(byKey),
        );
        if (!isSwept) return;
        const version = model.puts - age;
        const doomed = expected.filter((entry) => entry.version <= version);
        model.entries = model.entries.filter((entry) => !doomed.includes(entry));
        const swaths = pages.map(({ swath }) => swath);
        expect(await real.sweep(swaths, version)).toBe(doomed.length);
      },
    ),
  );

const claim = fc.tuple(owner, limit, fc.integer({ min: -5, max: 60 })).map(([who, size, holdMs]) =>
  command(`claim ${size} as ${who} for ${holdMs}`, async (model, real) => {
    const until = model.now + holdMs;
    const claimable = model.claimable();
    const entries = await real.claim({ now: model.now, limit: size, owner: who, until });
    // Which of several with the same due time come first is open; that the longest due come first is not.
    const dueTimes = claimable.map((entry) => entry.dueAt ?? 0).toSorted((a, b) => a - b);
    expect(entries.map((entry) => entry.dueAt ?? 0)).toEqual(dueTimes.slice(0, size));
    for (const entry of entries) {
      const known = claimable.find((candidate) => candidate.key === entry.key);
      expect(known === undefined ? null : asStored(known)).toEqual(entry);
      model.setClaim(entry.key, { owner: who, until });
    }
    expect(new Set(entries.map((entry) => entry.key)).size).toBe(entries.length);
  }),
);

const release = fc.tuple(fc.array(key, { maxLength: 6 }), owner).map(([keys, who]) =>
  command(`release ${keys.join(" ")} as ${who}`, async (model, real) => {
    for (const text of keys) if (model.find(text)?.claim?.owner === who) model.setClaim(text, null);
    await real.release(keys, who);
  }),
);

const nextDue = fc.constant(
  command("nextDue", async (model, real) => {
    const expected = model.nextDue();
    const actual = await real.nextDue();
    // A claim that lapsed may be forgotten: then the time is another one, in the past all the same.
    if (expected !== null && expected <= model.now) expect(actual).toBeLessThanOrEqual(model.now);
    else expect(actual).toBe(expected);
  }),
);

const writes = fc.constant(
  command("writes", async (model, real) => expect(await real.writes()).toBe(model.puts)),
);

const advance = fc.integer({ min: 1, max: 40 }).map((ms) =>
  command(`advance ${ms}`, async (model) => {
    model.now += ms;
  }),
);

const RUNS = process.env.SLOW === "1" ? 2000 : 150;

/** Runs random commands against fresh stores and the model, and compares every answer. */
export async function checkAgainstModel(open: () => Promise<OpenedStorage>): Promise<void> {
  const commands = fc.commands(
    [
      commit,
      commit,
      commit,
      get,
      list,
      scan,
      find,
      find,
      walk,
      claim,
      claim,
      release,
      nextDue,
      nextDue,
      writes,
      advance,
    ],
    { maxCommands: 60 },
  );
  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      const opened = await open();
      try {
        await fc.asyncModelRun(() => ({ model: new Model(), real: opened.storage }), sequence);
      } finally {
        await opened.dispose();
      }
    }),
    { numRuns: RUNS },
  );
}
