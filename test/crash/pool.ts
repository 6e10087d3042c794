/** Kills take their time one by one; a few at once fill the machine. */
const AT_ONCE = 3;

/**
 * Starts work for every item, a few at a time and in order, so that each test can wait for its own.
 * @returns One promise for each item. A failure is held until somebody waits for it.
 */
export function pooled<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R>[] {
  const running: Promise<unknown>[] = [];
  return items.map((item, index) => {
    const before = running[index - AT_ONCE] ?? Promise.resolve();
    const mine = Promise.all([before.catch(() => undefined)]).then(() => work(item));
    mine.catch(() => undefined);
    running.push(mine);
    return mine;
  });
}
