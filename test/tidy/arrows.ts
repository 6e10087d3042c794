import type { Import } from "./sources.ts";

/**
 * One row of the table of who may import whom. Places are paths below `src/`: `folder/` is all that lies in it,
 * `file.ts` is that file, and a star is any one segment.
 */
interface Row {
  readonly from: string;
  readonly may: readonly string[];
  /** Only as types, or through `import()`, so that it is loaded when it is used. */
  readonly mayLazily?: readonly string[];
}

/** The first row that fits a file is its own. Besides what it says, everyone may import `base/` and its own place. */
const ROWS: readonly Row[] = [
  { from: "main.ts", may: ["cli/", "contract/"] },
  {
    from: "compose.ts",
    may: [
      "storage/",
      "barrier/",
      "framework/",
      "engines/",
      "auth/",
      "core/",
      "contract/",
      "client/",
      "platform/",
    ],
  },
  { from: "base/", may: [] },
  { from: "contract/", may: [] },
  { from: "platform/", may: [] },
  // An adapter knows the port and what lies beside it, and none of its siblings.
  { from: "storage/*.ts", may: ["storage/*.ts"] },
  { from: "storage/*/", may: ["storage/*.ts"] },
  { from: "barrier/", may: ["storage/port.ts"] },
  { from: "framework/", may: [] },
  // An engine sees the framework and itself; a file beside the folders is the table that lists them.
  { from: "engines/*.ts", may: ["framework/"], mayLazily: ["engines/"] },
  { from: "engines/*/", may: ["framework/"] },
  { from: "auth/*.ts", may: ["framework/"], mayLazily: ["auth/"] },
  { from: "auth/*/", may: ["framework/"] },
  { from: "core/", may: ["framework/", "barrier/", "contract/"] },
  { from: "client/", may: ["contract/"], mayLazily: ["compose.ts"] },
  { from: "http/", may: ["compose.ts", "core/", "contract/", "platform/"] },
  { from: "daemon/", may: ["http/", "compose.ts", "core/", "contract/", "platform/"] },
  { from: "cli/", may: ["client/", "contract/", "platform/"], mayLazily: ["daemon/"] },
];

/** The start of `file` that fits `place`, as in `engines/pki/` of `engines/pki/roles.ts`; undefined when it is elsewhere. */
function placeOf(place: string, file: string): string | undefined {
  const text = place.replaceAll(".", "\\.").replaceAll("*", "[^/]+");
  return new RegExp(`^${text}${place.endsWith("/") ? "" : "$"}`).exec(file)?.[0];
}

/** True when the table has this arrow. An import of a package always may. */
export function isAllowed(edge: Import): boolean {
  if (!edge.isOwn || edge.to.startsWith("base/")) return true;
  const row = ROWS.find((candidate) => placeOf(candidate.from, edge.from) !== undefined);
  if (row === undefined) return false;
  const home = placeOf(row.from, edge.from);
  if (home !== undefined && home === placeOf(row.from, edge.to)) return true;
  const places = edge.kind === "static" ? row.may : [...row.may, ...(row.mayLazily ?? [])];
  return places.some((place) => placeOf(place, edge.to) !== undefined);
}
