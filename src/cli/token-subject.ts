import { checkCount } from "./argument-count.ts";
import type { CommandContext } from "./command-context.ts";
import { localFailure } from "./failure.ts";
import { secretArgument } from "./secret-argument.ts";

/** Whose token a command is about: the one in use, the given one, or the one with the given accessor. */
export type TokenSubject =
  | { readonly kind: "self" }
  | { readonly kind: "token"; readonly value: string }
  | { readonly kind: "accessor"; readonly value: string };

/** Help's words for the flag that turns the argument into an accessor. */
export const ACCESSOR_FLAG = {
  accessor: {
    kind: "bool",
    text: "The argument is an accessor, which names a token without being one.",
  },
} as const;

/**
 * Reads the one argument that may be given; an empty one is as good as none.
 * @throws CommandFailure (exit 1) for a wrong number of them.
 */
export async function tokenSubject(
  context: CommandContext,
  isAccessor: boolean,
  args: readonly string[],
): Promise<TokenSubject> {
  if (isAccessor) checkAccessorCount(1, args.length);
  else checkCount({ min: 0, max: 1 }, args.length);
  const value = await secretArgument(context, args[0] ?? "");
  if (isAccessor) return { kind: "accessor", value };
  return value === "" ? { kind: "self" } : { kind: "token", value };
}

/** Refuses a wrong number of arguments where one of them is an accessor. */
export function checkAccessorCount(expected: number, got: number): void {
  if (got === expected) return;
  const judgement = got < expected ? "Not enough" : "Too many";
  throw localFailure(`${judgement} arguments with -accessor (expected ${expected}, got ${got})`);
}
