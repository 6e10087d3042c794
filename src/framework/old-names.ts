/*
 * Some of a role's token settings had names without `token_` once. They are still taken, and shown where they were used.
 */

type GivenFields = Readonly<Record<string, unknown>>;

/** What was given, with old names turned into new ones. A new name wins where both are given. */
export function withNewNames<G extends GivenFields>(given: G, oldNames: readonly string[]): G {
  const renamed = oldNames.flatMap((name) => {
    const value = given[`token_${name}`] ?? given[name];
    return value === undefined ? [] : [[`token_${name}`, value] as const];
  });
  return { ...given, ...Object.fromEntries(renamed) };
}

/**
 * The old names that a role is shown under from now on.
 * @param before - Those it was shown under so far.
 */
export function oldNamesInUse<N extends string>(
  names: readonly N[],
  given: GivenFields,
  before: readonly N[],
): readonly N[] {
  const isUsed = (name: N): boolean => given[name] !== undefined || before.includes(name);
  return names.filter((name) => given[`token_${name}`] === undefined && isUsed(name));
}
