import type { Backend, PathSpec } from "./backend.ts";

/** Vault's rule for names in paths: word characters at both ends, `-` and `.` inside. */
export const NAME = /^\w(?:[\w.-]*\w)?$/;

/** The rule of paths whose names may be mail addresses. */
export const NAME_WITH_AT = /^\w(?:[\w.@-]*\w)?$/;

/** Characters of a path; nothing that is longer matches. */
export const PATH_CHARS_MAX = 4096;

/** Where a path led. */
export interface PathMatch {
  readonly spec: PathSpec;
  /** What the pattern's `:name` and `*name` stand for. */
  readonly captured: Readonly<Record<string, string>>;
}

/** A path's pattern, taken apart. */
interface Pattern {
  readonly spec: PathSpec;
  readonly parts: readonly Part[];
  /** The index of the `*name`, or -1. */
  readonly restAt: number;
  /** Of two patterns that fit a path, the one whose rank sorts first is meant. */
  readonly rank: string;
}

/** A segment of a pattern. A rest's rule is null: it takes anything. */
type Part =
  | { readonly literal: string }
  | { readonly literal: undefined; readonly name: string; readonly rule: RegExp | null };

/** A command asks for one path and ends, so only the patterns that its first segment leaves are taken apart. */
const patterns = new WeakMap<PathSpec, Pattern>();

/**
 * Finds the path of a backend that a request is for. A literal segment wins over `:name`, which wins over `*name`.
 * @param path - Below the mount; a trailing slash, as LIST requests have it, does not count.
 * @returns Undefined when no pattern matches, which includes paths with empty, `.` or `..` segments.
 * @throws TypeError for a pattern that is malformed or declared twice: a mistake of the engine's author.
 */
export function matchPath(backend: Pick<Backend, "paths">, path: string): PathMatch | undefined {
  if (path.length > PATH_CHARS_MAX) return undefined;
  const trimmed = path.endsWith("/") ? path.slice(0, -1) : path;
  const segments = trimmed === "" ? [] : trimmed.split("/");
  // A lone "/" would otherwise count as the mount's root.
  if (path === "/" || segments.some((segment) => segment === "" || isRelative(segment))) return undefined;
  let best: Pattern | undefined;
  for (const spec of backend.paths) {
    if (!mayBegin(spec.pattern, segments[0] ?? "")) continue;
    const pattern = patternOf(spec);
    if (!fits(pattern, segments)) continue;
    if (best === undefined || pattern.rank < best.rank) best = pattern;
    else if (shapeOf(pattern) === shapeOf(best)) throw mistake(spec, "is declared twice");
  }
  return best === undefined ? undefined : { spec: best.spec, captured: capture(best, segments) };
}

/** True for a path with a `.` or `..` segment, which Vault refuses as such. */
export function hasRelativeSegment(path: string): boolean {
  return path.includes(".") && path.split("/").some(isRelative);
}

function isRelative(segment: string): boolean {
  return segment === "." || segment === "..";
}

/** Whether a path with this first segment can be one of the pattern's, from a look at the text alone. */
function mayBegin(pattern: string, first: string): boolean {
  if (pattern.startsWith(":") || pattern.startsWith("*")) return true;
  return pattern.startsWith(first) && (pattern.length === first.length || pattern[first.length] === "/");
}

function patternOf(spec: PathSpec): Pattern {
  let pattern = patterns.get(spec);
  if (pattern === undefined) {
    pattern = takeApart(spec);
    patterns.set(spec, pattern);
  }
  return pattern;
}

function takeApart(spec: PathSpec): Pattern {
  const segments = spec.pattern === "" ? [] : spec.pattern.split("/");
  const parts = segments.map((segment) => partOf(spec, segment));
  const restAt = segments.findIndex((segment) => segment.startsWith("*"));
  if (restAt !== -1 && parts.slice(restAt + 1).some((part) => part.literal === undefined)) {
    throw mistake(spec, 'may go on after its "*" with literals only');
  }
  const names = parts.map((part) => (part.literal === undefined ? part.name : undefined));
  if (names.some((name, index) => name !== undefined && names.indexOf(name) !== index)) {
    throw mistake(spec, "has a name twice");
  }
  const ranks = parts.map((part, index) => (part.literal !== undefined ? "0" : index === restAt ? "2" : "1"));
  // The 9 makes a rest with a longer tail sort before one with a shorter tail.
  return { spec, parts, restAt, rank: ranks.join("") + (restAt === -1 ? "" : "9") };
}

function partOf(spec: PathSpec, segment: string): Part {
  if (segment === "") throw mistake(spec, "has an empty segment");
  const isRest = segment.startsWith("*");
  if (!isRest && !segment.startsWith(":")) return { literal: segment };
  const name = segment.slice(1);
  // The handler reads it among its fields.
  if (!Object.hasOwn(spec.fields, name)) throw mistake(spec, `has a name, "${name}", that is no field`);
  const own = spec.captures?.[name]?.source;
  const rule = own === undefined ? NAME : new RegExp(`^(?:${own})$`);
  return { literal: undefined, name, rule: isRest ? null : rule };
}

function mistake(spec: PathSpec, what: string): TypeError {
  return new TypeError(`the pattern "${spec.pattern}" ${what}`);
}

/** How many more segments than parts there are, all of them the rest's. */
function stretchOf(pattern: Pattern, segments: readonly string[]): number {
  return segments.length - pattern.parts.length;
}

function fits(pattern: Pattern, segments: readonly string[]): boolean {
  const { parts, restAt } = pattern;
  const stretch = stretchOf(pattern, segments);
  if (stretch < 0 || (stretch > 0 && restAt === -1)) return false;
  // Literals first: they rule most patterns out, and a rule costs more.
  for (let index = 0; index < parts.length; index++) {
    const literal = parts[index]?.literal;
    const isTail = restAt !== -1 && index > restAt;
    if (literal !== undefined && literal !== segments[isTail ? index + stretch : index]) return false;
  }
  return parts.every(
    (part, index) =>
      part.literal !== undefined || part.rule === null || part.rule.test(segments[index] ?? ""),
  );
}

function capture(pattern: Pattern, segments: readonly string[]): Record<string, string> {
  const captured: Record<string, string> = {};
  for (const [index, part] of pattern.parts.entries()) {
    if (part.literal !== undefined) continue;
    const end = part.rule === null ? index + 1 + stretchOf(pattern, segments) : index + 1;
    captured[part.name] = segments.slice(index, end).join("/");
  }
  return captured;
}

/** What two patterns have in common that take the same paths. */
function shapeOf({ parts }: Pattern): string {
  return parts.map((part) => part.literal ?? (part.rule === null ? "*" : `:${part.rule.source}`)).join("/");
}
