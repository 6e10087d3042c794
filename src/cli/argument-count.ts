import type { ArgumentCount } from "./command.ts";
import { localFailure } from "./failure.ts";

/** Refuses a wrong number of arguments with Vault's texts. */
export function checkCount(expected: ArgumentCount, got: number): void {
  const { min, max, least } = expected;
  if (got < min)
    throw localFailure(`Not enough arguments (expected ${least ?? rangeText(min, max ?? min)}, got ${got})`);
  if (max !== undefined && got > max)
    throw localFailure(`Too many arguments (expected ${rangeText(min, max)}, got ${got})`);
}

const rangeText = (min: number, max: number): string => (min === max ? `${min}` : `${min}-${max}`);
