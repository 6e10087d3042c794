/** What the tests of every adapter are written with. */
import type { Storage, StoredEntry, Write } from "../../src/storage/port.ts";

/** The store of the test that runs. */
export type Current = () => Storage;

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array): string => new TextDecoder().decode(value);

export function put(
  key: string,
  value = key,
  more: { dueAt?: number | null; tags?: readonly string[]; expect?: number } = {},
): Write {
  return { op: "put", key, value: bytes(value), ...more };
}

export const keysOf = (entries: readonly StoredEntry[]): string[] => entries.map((entry) => entry.key);
