/** A pattern as it takes part in the choice. */
interface Candidate<T> {
  readonly value: T;
  /** The pattern without its final `*`. */
  readonly text: string;
  readonly isPrefix: boolean;
  /** Segments that are `+`. */
  readonly plusCount: number;
}

const NONE: readonly number[] = [];

/** What has the same segments up to a point; a step down is one segment. Most nodes have little, so nothing is made ahead. */
class Node<T> {
  children: Map<string, Node<T>> | undefined;
  plus: Node<T> | undefined;
  /** A pattern with `+` that ends with the segment before. */
  terminal: Candidate<T> | undefined;
  /** Patterns that end in `*` within the segment after, by what stands before the `*` there. */
  tails: Map<string, Candidate<T>> | undefined;
  /** The lengths of the tails, the longest first. */
  tailLengths: readonly number[] = NONE;
}

/**
 * Finds which of many patterns decides about a path. Exact patterns are looked up; the others lie in a tree of segments, so
 * that the cost of a question grows with the path's segments and not with the number of patterns.
 *
 * A final `*` stands for any rest, a `+` for exactly one whole segment. Ranking, the highest wins: the first wildcard comes
 * later; no final `*`; fewer `+`; longer; sorts later.
 * @see reference: policies, choosing the rule.
 */
export class PatternIndex<T> {
  readonly #exact = new Map<string, T>();
  readonly #root = new Node<T>();

  /** @param patterns - Each pattern once. */
  constructor(patterns: Iterable<readonly [string, T]>) {
    for (const [pattern, value] of patterns) this.#add(pattern, value);
  }

  /** The value of the pattern without wildcards that is the path. */
  exact(path: string): T | undefined {
    return this.#exact.get(path);
  }

  /** The value of the highest-ranking pattern with wildcards that matches. */
  best(path: string): T | undefined {
    return bestBelow(this.#root, path.split("/"), 0)?.value;
  }

  #add(pattern: string, value: T): void {
    const isPrefix = pattern.endsWith("*");
    const text = isPrefix ? pattern.slice(0, -1) : pattern;
    const segments = text.split("/");
    const plusCount = segments.filter((segment) => segment === "+").length;
    if (!isPrefix && plusCount === 0) {
      this.#exact.set(pattern, value);
      return;
    }
    const tail = isPrefix ? (segments.pop() ?? "") : "";
    const node = segments.reduce(stepInto, this.#root);
    const candidate = { value, text, isPrefix, plusCount };
    if (!isPrefix) node.terminal = candidate;
    else {
      node.tails ??= new Map();
      node.tails.set(tail, candidate);
      if (!node.tailLengths.includes(tail.length)) {
        node.tailLengths = [...node.tailLengths, tail.length].sort((one, other) => other - one);
      }
    }
  }
}

function stepInto<T>(node: Node<T>, segment: string): Node<T> {
  if (segment === "+") {
    node.plus ??= new Node<T>();
    return node.plus;
  }
  node.children ??= new Map();
  let child = node.children.get(segment);
  if (child === undefined) {
    child = new Node<T>();
    node.children.set(segment, child);
  }
  return child;
}

/**
 * The highest of the patterns below a node that no `+` led to. What matches below the literal child has its first wildcard
 * later than anything here, so it wins unseen; then the tail that takes most of the segment; a `+` or bare `*` comes last.
 */
function bestBelow<T>(node: Node<T>, segments: readonly string[], depth: number): Candidate<T> | undefined {
  const segment = segments[depth];
  if (segment === undefined) return undefined;
  const child = node.children?.get(segment);
  const below = child === undefined ? undefined : bestBelow(child, segments, depth + 1);
  if (below !== undefined) return below;
  const tail = longestTail(node, segment);
  if (tail !== undefined && tail.text !== "" && !tail.text.endsWith("/")) return tail;
  return node.plus === undefined ? tail : higher(tail, bestAfterPlus(node.plus, segments, depth + 1));
}

/** The highest of the patterns below a node that a `+` led to: all have their first wildcard at the same place. */
function bestAfterPlus<T>(
  node: Node<T>,
  segments: readonly string[],
  depth: number,
): Candidate<T> | undefined {
  const segment = segments[depth];
  if (segment === undefined) return node.terminal;
  let best = longestTail(node, segment);
  const child = node.children?.get(segment);
  if (child !== undefined) best = higher(best, bestAfterPlus(child, segments, depth + 1));
  if (node.plus !== undefined) best = higher(best, bestAfterPlus(node.plus, segments, depth + 1));
  return best;
}

function longestTail<T>(node: Node<T>, segment: string): Candidate<T> | undefined {
  for (const length of node.tailLengths) {
    const tail = length > segment.length ? undefined : node.tails?.get(segment.slice(0, length));
    if (tail !== undefined) return tail;
  }
  return undefined;
}

/** The higher of two patterns whose first wildcards are at the same place. */
function higher<T>(one: Candidate<T> | undefined, other: Candidate<T> | undefined): Candidate<T> | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  if (one.isPrefix !== other.isPrefix) return one.isPrefix ? other : one;
  if (one.plusCount !== other.plusCount) return one.plusCount > other.plusCount ? other : one;
  const [bytes, otherBytes] = [Buffer.from(one.text), Buffer.from(other.text)];
  // Vault counts and compares bytes of UTF-8.
  const order = bytes.length - otherBytes.length || Buffer.compare(bytes, otherBytes);
  return order < 0 ? other : one;
}
