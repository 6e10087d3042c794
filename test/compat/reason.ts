/** Why vsec does not serve something that Vault's API has. What is served is never excused: the test fails on a reason too many. */
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
