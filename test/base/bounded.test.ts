import { expect, test } from "bun:test";
import { mapBounded } from "../../src/base/bounded.ts";

/** Lets everything that can go on without outside help do so. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("no more than the limit are under way, and the results are in the order of the items", async () => {
  const open: (() => void)[] = [];
  const taken: number[] = [];
  async function* items() {
    for (let item = 0; item < 5; item += 1) {
      taken.push(item);
      yield item;
    }
  }
  const results = mapBounded(items(), 2, async (item) => {
    await new Promise<void>((resolve) => open.push(resolve));
    return item * 10;
  });
  for (const expected of [
    [0, 1],
    [0, 1, 2],
    [0, 1, 2, 3],
  ]) {
    await settle();
    expect(taken).toEqual(expected);
    open.pop()?.();
  }
  while (open.length > 0) {
    open.pop()?.();
    await settle();
  }
  expect(await results).toEqual([0, 10, 20, 30, 40]);
});

test("after a failure nothing more is begun, and what is under way is waited for", async () => {
  const begun: number[] = [];
  let isOver = false;
  const results = mapBounded([0, 1, 2, 3], 2, async (item) => {
    begun.push(item);
    if (item === 0) throw new TypeError("no");
    await settle();
    isOver = true;
  });
  expect(results).rejects.toThrow("no");
  await results.catch(() => undefined);
  expect(isOver).toBe(true);
  expect(begun).toEqual([0, 1]);
});
