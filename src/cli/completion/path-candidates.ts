import { isJsonObject } from "../../base/json.ts";
import type { Asker } from "./candidates.ts";

/** Where the names are listed that stand behind a segment which cannot be listed itself: `creds/readonly` is a role. */
const NAMED_ELSEWHERE: Readonly<Record<string, string>> = {
  ...listedAt("roles", ["creds", "sts", "issue", "sign", "credential-process", "sign-verbatim", "code"]),
  ...listedAt("static-roles", ["static-creds", "rotate-role"]),
  ...listedAt("config", ["rotate-root", "reset", "reload", "reconcile"]),
  ...listedAt("keys", [
    "encrypt",
    "decrypt",
    "rewrap",
    "sign",
    "verify",
    "hmac",
    "datakey",
    "export",
    "backup",
  ]),
  ...listedAt("metadata", ["data", "subkeys", "delete", "undelete", "destroy"]),
};

function listedAt(collection: string, segments: readonly string[]): Record<string, string> {
  return Object.fromEntries(segments.map((segment) => [segment, collection]));
}

/**
 * API paths, one segment further than typed: what the mounts declare (their OpenAPI document has it), and where a name is
 * wanted, the names that there are.
 */
export async function pathCandidates({ get, list }: Asker, typed: string): Promise<readonly string[]> {
  const folder = typed.slice(0, typed.lastIndexOf("/") + 1);
  const { paths } = await get("sys/internal/specs/openapi");
  const next = nextSegments(isJsonObject(paths) ? Object.keys(paths) : [], folder);
  const literals = next.filter((segment) => !segment.startsWith("{"));
  const names = next.length === literals.length ? [] : await namesAt(list, folder);
  return [...literals, ...names].map((segment) => folder + segment);
}

/**
 * The segments that declared paths have right behind `folder`, `{name}` for a name; a folder ends in `/`.
 * @param folder - Empty, or ending in `/`.
 */
export function nextSegments(declared: readonly string[], folder: string): readonly string[] {
  const typed = folder.split("/").slice(0, -1);
  const found = declared.flatMap((path) => {
    const segments = path.replace(/^\//, "").split("/");
    const fits = typed.every((word, at) => segments[at] === word || segments[at]?.startsWith("{") === true);
    const next = segments[typed.length] ?? "";
    if (!fits || next === "") return [];
    return segments.length > typed.length + 1 ? [`${next}/`] : [next];
  });
  return [...new Set(found)];
}

async function namesAt(list: Asker["list"], folder: string): Promise<readonly string[]> {
  const segments = folder.split("/").slice(0, -1);
  const own = await list(segments.join("/"));
  if (own.length > 0) return own;
  const at = segments.findLastIndex((segment) => Object.hasOwn(NAMED_ELSEWHERE, segment));
  const elsewhere = NAMED_ELSEWHERE[segments[at] ?? ""];
  return elsewhere === undefined ? [] : list(segments.with(at, elsewhere).join("/"));
}
