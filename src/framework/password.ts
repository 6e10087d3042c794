import { ApiError } from "../base/errors.ts";
import { type Random, randomString } from "../base/random.ts";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS = "0123456789";

/** Characters of which a password has to have some. */
export interface PasswordRule {
  /** Distinct characters, each one UTF-16 unit. */
  readonly charset: string;
  /** 0: may be used, need not. */
  readonly minChars: number;
}

/** What a password is made of. */
export interface PasswordRules {
  readonly length: number;
  /** The password's alphabet is all of their characters together: 2 to 256. */
  readonly rules: readonly PasswordRule[];
}

/** Vault's default: 20 characters, at least one of each class. @see reference: passwords. */
export const DEFAULT_PASSWORD_RULES: PasswordRules = {
  length: 20,
  rules: [LOWER, UPPER, DIGITS, "-"].map((charset) => ({ charset, minChars: 1 })),
};

/** Draws before rules count as impossible. The default ones need four on average. */
const DRAWS_MAX = 10_000;

/**
 * Makes a password, uniform among those that satisfy the rules: whole candidates are drawn until one does.
 * @throws ApiError 500 when none is found, which takes impossible rules or a broken source of randomness.
 */
export function generatePassword(random: Random, rules: PasswordRules = DEFAULT_PASSWORD_RULES): string {
  const alphabet = [...new Set(rules.rules.flatMap((rule) => rule.charset.split("")))].join("");
  for (let draw = 0; draw < DRAWS_MAX; draw++) {
    const candidate = randomString(random, rules.length, alphabet);
    if (rules.rules.every((rule) => countOf(candidate, rule.charset) >= rule.minChars)) return candidate;
  }
  throw new ApiError(500, "timed out generating string");
}

function countOf(text: string, charset: string): number {
  let count = 0;
  for (const char of text) if (charset.includes(char)) count++;
  return count;
}
