import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "..", "..");

/** One import of one file, its target as a path below `src/`, or a package's name. */
export interface Import {
  readonly from: string;
  readonly to: string;
  /** Loaded when the importing file is, when the code asks for it, or never (only types). */
  readonly kind: "static" | "dynamic" | "type";
  readonly isOwn: boolean;
}

/** The TypeScript files below a folder of the repository, as paths relative to that folder, sorted. */
export function filesBelow(folder: string): readonly string[] {
  return (
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
      // Declarations of other people's modules hold no code and import nothing at run time.
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
      .map((file) => file.replaceAll("\\", "/"))
      .sort()
  );
}

export function read(file: string): string {
  return readFileSync(path.join(ROOT, file), "utf8");
}

/** The lines of a source that are code: comment lines become empty, so that numbers stay. */
export function codeLines(text: string): readonly string[] {
  return text.split("\n").map((line) => (/^\s*(?:\/\/|\/\*|\*)/.test(line) ? "" : line));
}

const TRANSPILER = new Bun.Transpiler({ loader: "ts" });
/** `import … from`, `export … from` and bare `import "…"`, each of which the formatter starts at a line's beginning. */
const STATEMENT = /^(?:import|export)\b(?:[^"'`;()=]*?\bfrom)?\s*["']([^"']+)["']/gm;
/** `import("…")` as an expression or as a type, and `require("…")`. */
const CALL = /\b(?:import|require)\(\s*["']([^"']+)["']/g;

/** Every specifier that a source names, with its kind. A source that only the transpiler understands is an error. */
export function specifiersOf(text: string): ReadonlyMap<string, Import["kind"]> {
  const code = codeLines(text).join("\n");
  const named = [...code.matchAll(STATEMENT), ...code.matchAll(CALL)].map(([, specifier = ""]) => specifier);
  const kinds = new Map<string, Import["kind"]>(named.map((specifier) => [specifier, "type"]));
  for (const { path: specifier, kind } of TRANSPILER.scanImports(text)) {
    if (!kinds.has(specifier))
      throw new TypeError(`an import of ${specifier} is written in a form this test misses`);
    const isStatic = kind === "import-statement" || kinds.get(specifier) === "static";
    kinds.set(specifier, isStatic ? "static" : "dynamic");
  }
  return kinds;
}

/** The imports of a file of `src/`. */
export function importsOf(file: string): readonly Import[] {
  return [...specifiersOf(read(`src/${file}`))].map(([specifier, kind]) => {
    const isOwn = specifier.startsWith(".");
    return {
      from: file,
      to: isOwn ? path.posix.join(path.posix.dirname(file), specifier) : packageOf(specifier),
      kind,
      isOwn,
    };
  });
}

function packageOf(specifier: string): string {
  if (/^(?:node|bun):/.test(specifier)) return specifier;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Everything that can be reached from `start` over the given imports, itself included. */
export function reachable(start: string, imports: readonly Import[]): ReadonlySet<string> {
  const seen = new Set([start]);
  for (const file of seen) {
    for (const edge of imports) if (edge.from === file && edge.isOwn) seen.add(edge.to);
  }
  return seen;
}

/** A circle of files that load each other, or undefined. */
export function findCycle(imports: readonly Import[]): readonly string[] | undefined {
  const targets = Map.groupBy(imports, (edge) => edge.from);
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): readonly string[] | undefined => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const edge of targets.get(file) ?? []) {
      const cycle = edge.isOwn && edge.kind !== "type" ? visit(edge.to, [...trail, file]) : undefined;
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of targets.keys()) {
    const cycle = visit(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
