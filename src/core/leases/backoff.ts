import { type Random, randomFraction } from "../../base/random.ts";

const BASE_MS = 10_000;
/** The slow end: a revocation that keeps failing is still tried this often. */
const CAP_MS = 15 * 60_000;

/**
 * How long to wait after a failed revocation: 10 s doubled with each attempt up to 15 minutes, times 0.5 to 1.5 so that a
 * flood does not come back as a flood. (Vault's first five steps are the same; it stops after the sixth.)
 * @param attempts - Failed attempts so far, at least 1.
 */
export function retryDelayMs(attempts: number, random: Random): number {
  const raw = Math.min(BASE_MS * 2 ** Math.min(attempts, 30), CAP_MS);
  return Math.round(raw * (0.5 + randomFraction(random)));
}
