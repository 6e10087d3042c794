/**
 * A walk goes over the rows of many keys in the order of their ids, in which they lie in the file: keys are random, so in their
 * order each row is on another page. It goes from stretch to stretch, each of the next so many keys, so that it need not know
 * of all keys at once. (Measured with 10,000 entries: two thirds of the time to read, half of that to delete in four parts.)
 */

/** Keys of one stretch. */
export const STRETCH_KEYS = 10_000;

/** Where a walk goes on: behind the key `start`, or, with `upTo`, up to that one and behind the id. */
export interface WalkPlace {
  readonly start: string;
  readonly upTo: string | null;
  readonly id: number;
}

/** The ids of the rows of a stretch, in order. */
export interface Stretch {
  readonly start: string;
  readonly upTo: string;
  readonly ids: readonly number[];
  readonly isLast: boolean;
}

/** The rows of a page, and where the page after it is. */
export interface WalkPart {
  readonly ids: readonly number[];
  readonly next: string | null;
}

/** @param cursor - What {@link partsOf} gave; undefined for the start. @throws RangeError for any other. */
export function placeOf(prefix: string, cursor: string | undefined): WalkPlace {
  if (cursor === undefined) return { start: prefix, upTo: null, id: 0 };
  const [start, upTo, id] = parsed(cursor);
  if (typeof start !== "string" || !start.startsWith(prefix) || typeof id !== "number" || !isKeyOrNull(upTo))
    throw new RangeError("a storage cursor must be one that a page handed out");
  return { start, upTo, id };
}

function parsed(cursor: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(cursor);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

function isKeyOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

/** Cuts a stretch into pages. */
export function partsOf({ start, upTo, ids, isLast }: Stretch, limit: number): readonly WalkPart[] {
  const behind = isLast ? null : JSON.stringify([upTo, null, 0]);
  const parts: WalkPart[] = [];
  for (let at = 0; at < ids.length; at += limit) {
    const some = ids.slice(at, at + limit);
    const next = at + limit < ids.length ? JSON.stringify([start, upTo, some.at(-1)]) : behind;
    parts.push({ ids: some, next });
  }
  return parts;
}
