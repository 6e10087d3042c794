import { AFTER_ALL_KEYS } from "./limits.ts";
import type { ListPage, PageRequest } from "./port.ts";

/** Where the next key is looked for: at `key` or behind it, or only behind it. */
export interface Position {
  readonly key: string;
  readonly inclusive: boolean;
}

/** Finds the first key at a position and before `end`; undefined when there is none. */
export type Seek = (position: Position, end: string) => string | undefined;

/** The end of the range of keys that start with `prefix`; not part of it. `0` is the character after `/`. */
export function endOfPrefix(prefix: string): string {
  return prefix === "" ? AFTER_ALL_KEYS : `${prefix.slice(0, -1)}0`;
}

/** The key behind which a scan of `prefix` goes on. */
export function scanStart(prefix: string, page: PageRequest): string {
  return page.after !== undefined && page.after > prefix ? page.after : prefix;
}

/** Lists a page of direct children with one seek for each name: what lies below a folder is jumped over. */
export function listChildren(prefix: string, page: PageRequest, seek: Seek): ListPage {
  const end = endOfPrefix(prefix);
  const names: string[] = [];
  let last = page.after;
  for (;;) {
    const key = seek(behind(prefix, last), end);
    if (key === undefined) return { names, next: null };
    if (names.length === page.limit) return { names, next: last ?? null };
    last = childName(key.slice(prefix.length));
    names.push(last);
  }
}

function behind(prefix: string, name: string | undefined): Position {
  if (name === undefined) return { key: prefix, inclusive: false };
  if (!name.endsWith("/")) return { key: prefix + name, inclusive: false };
  return { key: endOfPrefix(prefix + name), inclusive: true };
}

function childName(rest: string): string {
  const slash = rest.indexOf("/");
  return slash === -1 ? rest : rest.slice(0, slash + 1);
}
