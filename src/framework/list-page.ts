import { field } from "./field.ts";

/** The fields of a list that can be asked for in pages. */
export const PAGE_FIELDS = {
  after: field.string({ description: "Only the keys that sort after this one." }),
  limit: field.int({ description: "At most this many keys; 0 or less for all." }),
};

/** The part of a list that was asked for. @param keys - Sorted. */
export function pageOf(
  keys: readonly string[],
  { after, limit }: { readonly after: string; readonly limit: number },
): readonly string[] {
  const rest = after === "" ? keys : keys.filter((key) => key > after);
  return limit > 0 ? rest.slice(0, limit) : rest;
}
