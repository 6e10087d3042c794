import { ApiError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS = "0123456789";

/** Characters of which a password has to have some. */
export interface PasswordRule {
  /** Characters; one that comes twice counts once. */
  readonly charset: string;
  /** 0: may be used, need not. */
  readonly minChars: number;
}

/** What a password is made of. */
export interface PasswordRules {
  readonly length: number;
  /** The password's alphabet is all of their characters together: 1 to 256. */
  readonly rules: readonly PasswordRule[];
}

/** Vault's default: 20 characters, at least one of each class. @see reference: passwords. */
export const DEFAULT_PASSWORD_RULES: PasswordRules = {
  length: 20,
  rules: [LOWER, UPPER, DIGITS, "-"].map((charset) => ({ charset, minChars: 1 })),
};

/** Draws before rules count as impossible; all of them take less than a second. The default rules need four on average. */
const DRAWS_MAX = 100_000;

/** The characters that passwords by these rules are made of, each once. */
export function alphabetOf({ rules }: PasswordRules): readonly string[] {
  return [...new Set(rules.flatMap(({ charset }) => [...charset]))];
}

/**
 * Makes a password, uniform among those that satisfy the rules: whole candidates are drawn until one does.
 * @throws ApiError 500 when none is found, which takes impossible rules or a broken source of randomness.
 */
export function generatePassword(random: Random, rules: PasswordRules = DEFAULT_PASSWORD_RULES): string {
  const alphabet = alphabetOf(rules);
  const needed = rules.rules.flatMap(({ charset, minChars }) =>
    minChars > 0 ? [{ chars: new Set(charset), minChars }] : [],
  );
  for (let draw = 0; draw < DRAWS_MAX; draw++) {
    const candidate = drawChars(random, rules.length, alphabet);
    if (needed.every(({ chars, minChars }) => countOf(candidate, chars) >= minChars)) {
      return candidate.join("");
    }
  }
  throw new ApiError(500, "timed out generating string");
}

/** Characters drawn uniformly, by rejection sampling. */
function drawChars(random: Random, length: number, alphabet: readonly string[]): readonly string[] {
  const limit = 256 - (256 % alphabet.length);
  const chars: string[] = [];
  while (chars.length < length) {
    for (const byte of random.bytes(length - chars.length + 8)) {
      const char = byte < limit ? alphabet[byte % alphabet.length] : undefined;
      if (char !== undefined && chars.length < length) chars.push(char);
    }
  }
  return chars;
}

function countOf(chars: readonly string[], wanted: ReadonlySet<string>): number {
  let count = 0;
  for (const char of chars) if (wanted.has(char)) count++;
  return count;
}
