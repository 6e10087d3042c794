import { localFailure } from "../failure.ts";

/** The flag that names versions. */
export function versionsFlag(verb: string) {
  return {
    versions: {
      kind: "list",
      text: `The number of a version to ${verb}; several with commas between them, or repeated.`,
    },
  } as const;
}

/** The numbers that the flag was given, in order. */
export function versionNumbers(given: readonly string[]): readonly string[] {
  return given
    .flatMap((text) => text.split(","))
    .map((text) => text.trim())
    .filter((text) => text !== "");
}

/** The same where there have to be some. @throws CommandFailure (exit 1) */
export function requireVersions(given: readonly string[], verb: string): readonly string[] {
  const numbers = versionNumbers(given);
  if (numbers.length > 0) return numbers;
  throw localFailure(`No versions provided, use the "-versions" flag to specify the version to ${verb}.`);
}
