import type { Barrier, StoredEntry } from "../../barrier/port.ts";

const PAGE = 500;

/** All entries below a prefix, page by page, in the store's order. */
export async function* pagesUnder(barrier: Barrier, prefix: string): AsyncGenerator<readonly StoredEntry[]> {
  let after: string | undefined;
  do {
    const page = await barrier.scan(prefix, after === undefined ? { limit: PAGE } : { limit: PAGE, after });
    if (page.entries.length > 0) yield page.entries;
    after = page.next ?? undefined;
  } while (after !== undefined);
}

/** The names directly below a prefix, sorted; folders end in `/`. */
export async function namesUnder(barrier: Barrier, prefix: string): Promise<string[]> {
  const names: string[] = [];
  let after: string | undefined;
  do {
    const page = await barrier.list(prefix, after === undefined ? { limit: PAGE } : { limit: PAGE, after });
    names.push(...page.names);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return names.sort();
}

/** Deletes all entries below a prefix. */
export async function wipe(barrier: Barrier, prefix: string): Promise<void> {
  for await (const page of pagesUnder(barrier, prefix)) {
    await barrier.commit(page.map(({ key }) => ({ op: "delete", key })));
  }
}
