/**
 * Why vsec does not serve something that Vault's API has. What is served is never excused: the test fails on a reason too many.
 * Those of the core are in `reasons/core.ts`, those of an engine in `reasons/<type>.ts` (`reasons/kv-v2.ts` where it has versions),
 * a file that exports `REASONS` and is found by its name.
 */
export interface Reason {
  /** Vault's path, or with `/*` at its end everything below it too. */
  readonly path: string;
  /** Only these parameters; absent: the whole endpoint. */
  readonly parameters?: readonly string[];
  /** Only these operations. */
  readonly operations?: readonly string[];
  /** That it asks of its caller what Vault does not ask, or less. */
  readonly access?: "unauthenticated" | "token" | "sudo";
  readonly reason: string;
}
