/** Kills at moments of a command's life, wherever they fall. */

import { expect } from "bun:test";
import type { KillCase } from "./case.ts";

/** How long the command takes here and now, so that the kills fall into all of its life on any machine. */
export async function measure(at: KillCase, line: string, offsetMs = 0): Promise<number> {
  const startedAt = performance.now();
  await at.at(offsetMs, line);
  return performance.now() - startedAt;
}

/** Moments from the start to a little past the end, one at random in each of the equal parts. */
export function moments(count: number, lengthMs: number): number[] {
  return Array.from({ length: count }, (_, index) => ((index + Math.random()) / count) * lengthMs * 1.1);
}

/** Runs the command and kills it at a moment. @returns Users that were left without a lease. */
export async function killAt(
  at: KillCase,
  line: string,
  killAfterMs: number,
  offsetMs = 0,
): Promise<readonly string[]> {
  const { code, signal } = await at.at(offsetMs, line, { killAfterMs });
  expect(signal === "SIGKILL" || code === 0).toBe(true);
  return (await at.orphans()).map((user) => `${user}, killed after ${killAfterMs.toFixed(1)} ms`);
}
