import type { CommandContext } from "../command-context.ts";
import { suggestions } from "../dispatch.ts";
import { COMPLETED_FROM_STORE, candidatesFor } from "./candidates.ts";

/** A path has no more segments than this that are looked at. */
const SEGMENTS_MAX = 8;

/**
 * What a person may have meant by a name or path that there is not: the first segment that is unknown is replaced by what
 * comes close to it. Asks the store only for lists.
 * @param words - The command's.
 * @returns `Did you mean …?`, or the empty string where nothing comes close, or where the name is known.
 */
export async function meant(context: CommandContext, words: string, typed: string): Promise<string> {
  if (!COMPLETED_FROM_STORE.includes(words) || typed === "") return "";
  const segments = typed.replace(/\/+$/, "").split("/").slice(0, SEGMENTS_MAX);
  for (const [index, segment] of segments.entries()) {
    const folder = segments
      .slice(0, index)
      .map((each) => `${each}/`)
      .join("");
    const known = [...new Set((await candidatesFor(context, words, folder)).map(lastSegment))];
    if (known.length === 0) return "";
    if (known.includes(segment)) continue;
    const found = suggestions(segment, known).map((each) => segments.with(index, each).join("/"));
    return found.length === 0 ? "" : `Did you mean ${found.map((each) => `"${each}"`).join(" or ")}?`;
  }
  return "";
}

function lastSegment(path: string): string {
  return path.replace(/\/$/, "").split("/").at(-1) ?? "";
}
