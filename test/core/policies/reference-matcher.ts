/**
 * Which pattern decides about a path, and what it allows, done the slow way: the rules of Vault's documentation one after
 * the other over a plain list, sharing no code with the matcher that is tested.
 */

export interface PlainStanza {
  readonly pattern: string;
  readonly capabilities: readonly string[];
}

/** Whether a pattern stands for a path, by trying every place. */
function fits(pattern: string, path: string): boolean {
  const isGlob = pattern.endsWith("*");
  const wanted = (isGlob ? pattern.slice(0, -1) : pattern).split("/");
  const given = path.split("/");
  if (given.length < wanted.length || (!isGlob && given.length > wanted.length)) return false;
  for (let index = 0; index < wanted.length; index += 1) {
    const isLast = index === wanted.length - 1;
    const want = wanted[index] ?? "";
    const have = given[index] ?? "";
    if (isLast && isGlob) {
      if (!have.startsWith(want)) return false;
    } else if (want !== "+" && want !== have) return false;
  }
  return true;
}

function isWild(pattern: string): boolean {
  return pattern.endsWith("*") || pattern.split("/").includes("+");
}

/** The place of the first wildcard, in characters. */
function firstWildcard(pattern: string): number {
  let place = 0;
  for (const segment of pattern.split("/")) {
    if (segment === "+") return place;
    place += segment.length + 1;
  }
  return pattern.length - 1;
}

/** The figures by which patterns are ranked; the greater, at the first difference, is the higher. */
function ranks(pattern: string): readonly number[] {
  const pluses = pattern.split("/").filter((segment) => segment === "+").length;
  return [firstWildcard(pattern), pattern.endsWith("*") ? 0 : 1, -pluses, Buffer.byteLength(pattern)];
}

function isHigher(one: string, other: string): boolean {
  const [mine, theirs] = [ranks(one), ranks(other)];
  for (let index = 0; index < mine.length; index += 1) {
    if (mine[index] !== theirs[index]) return (mine[index] ?? 0) > (theirs[index] ?? 0);
  }
  return Buffer.compare(Buffer.from(one), Buffer.from(other)) > 0;
}

function bestWild(patterns: readonly string[], path: string): string | undefined {
  let best: string | undefined;
  for (const pattern of patterns) {
    if (!isWild(pattern) || !fits(pattern, path)) continue;
    if (best === undefined || isHigher(pattern, best)) best = pattern;
  }
  return best;
}

/** The pattern that decides; undefined: none. */
export function decidingPattern(
  patterns: readonly string[],
  path: string,
  isList: boolean,
): string | undefined {
  const exact = (wanted: string): string | undefined =>
    patterns.find((pattern) => !isWild(pattern) && pattern === wanted);
  const bare = path.endsWith("/") ? path.slice(0, -1) : path;
  const steps = isList
    ? [() => exact(path), () => exact(bare), () => bestWild(patterns, path), () => bestWild(patterns, bare)]
    : [() => exact(path), () => bestWild(patterns, path)];
  for (const step of steps) {
    const found = step();
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The capabilities on a path: those of all stanzas of the deciding pattern, or none where one of them denies. */
export function capabilitiesOn(
  stanzas: readonly PlainStanza[],
  path: string,
  isList: boolean,
): readonly string[] {
  const pattern = decidingPattern(
    stanzas.map((stanza) => stanza.pattern),
    path,
    isList,
  );
  if (pattern === undefined) return [];
  const granted = new Set(
    stanzas.filter((stanza) => stanza.pattern === pattern).flatMap((stanza) => stanza.capabilities),
  );
  return granted.has("deny") ? [] : [...granted].sort();
}
