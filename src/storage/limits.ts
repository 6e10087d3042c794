/**
 * What every adapter accepts, so that what one of them takes, all of them take. A breach is a mistake of the calling code,
 * not of a user or the world, and is a RangeError.
 */
import { type ClaimRequest, type PageRequest, TAGS_MAX, type Write } from "./port.ts";

/** UTF-16 code units of a key. */
export const KEY_LENGTH_MAX = 4096;
/** UTF-16 code units of a cursor. It may name two keys. */
export const CURSOR_LENGTH_MAX = 3 * KEY_LENGTH_MAX;
/** UTF-16 code units of a tag. */
export const TAG_LENGTH_MAX = 64;
export const VALUE_BYTES_MAX = 32 * 1024 * 1024;
export const BATCH_WRITES_MAX = 100_000;
/** Entries or names of one page or claim. */
export const PAGE_LIMIT_MAX = 100_000;

/** Above every key: U+FFFF is refused inside of them. */
export const AFTER_ALL_KEYS = "\uffff";

/**
 * NUL ends a string in too many places, and surrogates sort differently in UTF-16 and UTF-8: without them, every store's
 * byte order is the port's code unit order.
 */
const REFUSED = /[\0\ud800-\udfff\uffff]/;

/** @throws RangeError unless `key` is `/`-joined non-empty segments of accepted characters. */
export function checkKey(key: string): void {
  if (key === "" || key.startsWith("/") || key.endsWith("/") || key.includes("//"))
    throw new RangeError("a storage key must be non-empty segments joined by '/'");
  checkText(key, KEY_LENGTH_MAX);
}

/** @throws RangeError unless `prefix` is "" or a key with a `/` after it. */
export function checkPrefix(prefix: string): void {
  if (prefix === "") return;
  if (!prefix.endsWith("/")) throw new RangeError("a storage prefix must be empty or end with '/'");
  checkKey(prefix.slice(0, -1));
}

function checkText(text: string, lengthMax: number): void {
  if (text.length > lengthMax)
    throw new RangeError(`a storage key must not be longer than ${lengthMax} characters`);
  if (REFUSED.test(text)) throw new RangeError("a storage key must not hold NUL, surrogates or U+FFFF");
}

/** @throws RangeError unless `tag` is a short text of accepted characters. */
export function checkTag(tag: string): void {
  if (tag === "" || tag.length > TAG_LENGTH_MAX)
    throw new RangeError(`a storage tag must have 1 to ${TAG_LENGTH_MAX} characters`);
  checkText(tag, TAG_LENGTH_MAX);
}

function checkTags(tags: readonly string[]): void {
  if (tags.length > TAGS_MAX) throw new RangeError(`an entry must not carry more than ${TAGS_MAX} tags`);
  if (new Set(tags).size !== tags.length) throw new RangeError("an entry must not carry a tag twice");
  for (const tag of tags) checkTag(tag);
}

/** @throws RangeError for a limit outside 1 to {@link PAGE_LIMIT_MAX}, or a cursor that no page has handed out. */
export function checkPage(page: PageRequest): void {
  checkLimit(page.limit);
  if (page.after === undefined) return;
  if (page.after === "") throw new RangeError("a storage cursor must not be empty");
  checkText(page.after, CURSOR_LENGTH_MAX);
}

/** @throws RangeError for a limit or a time out of range. */
export function checkClaim(request: ClaimRequest): void {
  checkLimit(request.limit);
  checkTime(request.now);
  checkTime(request.until);
  if (request.owner === "") throw new RangeError("a claim needs an owner");
}

/** @throws RangeError for a batch that is too long, or has a key, a value or a due time out of range. */
export function checkWrites(writes: readonly Write[]): void {
  if (writes.length > BATCH_WRITES_MAX)
    throw new RangeError(`a batch must not hold more than ${BATCH_WRITES_MAX} writes`);
  for (const write of writes) {
    checkKey(write.key);
    if (write.op !== "put") continue;
    if (write.value.length > VALUE_BYTES_MAX)
      throw new RangeError(`a stored value must not be larger than ${VALUE_BYTES_MAX} bytes`);
    if (typeof write.dueAt === "number") checkTime(write.dueAt);
    if (write.tags !== undefined) checkTags(write.tags);
  }
}

function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_LIMIT_MAX)
    throw new RangeError(`a page limit must be a whole number from 1 to ${PAGE_LIMIT_MAX}`);
}

function checkTime(ms: number): void {
  if (!Number.isSafeInteger(ms)) throw new RangeError("a stored time must be whole milliseconds");
}
