/**
 * Does `work` for each item, at most `limit` at a time, taking the items as they are needed. After a failure nothing more is
 * begun, and what is under way is waited for.
 * @returns What `work` gave, in the order of the items.
 * @throws the first failure.
 */
export async function mapBounded<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const results: R[] = [];
  let begun = 0;
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    while (failure === undefined) {
      const index = begun;
      begun += 1;
      const next = await source.next();
      if (next.done === true) return;
      results[index] = await work(next.value);
    }
  };
  const guarded = (): Promise<void> =>
    worker().catch((error: unknown) => {
      failure ??= { error };
    });
  await Promise.all(Array.from({ length: limit }, guarded));
  if (failure !== undefined) throw failure.error;
  return results;
}
