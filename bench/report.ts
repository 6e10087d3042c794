/** What a benchmark found, and how it is shown. */

import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { median, quantile, type Samples } from "./measure.ts";

/** One line of a figure: something that was measured. */
export interface Row {
  readonly what: string;
  readonly value: string;
}

/** How the thing compares with its yardstick; without a target it is there to be read only. */
export interface Ratio {
  readonly what: string;
  readonly value: number;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface Figure {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
}

/** A median with the middle 80 % of the samples around it. */
export function timeRow(what: string, samples: Samples): Row {
  const [low, middle, high] = [quantile(samples, 0.1), median(samples), quantile(samples, 0.9)].map(formatMs);
  return { what, value: `${middle}  (${low} to ${high}, ${samples.length} runs)` };
}

export function formatMs(ms: number): string {
  return ms < 10_000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** @param rate - Of one second. */
export function formatRate(rate: number): string {
  return `${Math.round(rate).toLocaleString("en")} a second`;
}

export function formatBytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
}

/** True where there is no target. */
export function isMet({ value, atMost, atLeast }: Ratio): boolean {
  return (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
}

export function formatFigure({ title, rows, ratios }: Figure): string {
  const lines = [
    ...rows.map(({ what, value }) => [what, value] as const),
    ...ratios.map((ratio) => [ratio.what, `${ratio.value.toFixed(2)}x  ${verdict(ratio)}`] as const),
  ];
  const width = Math.max(...lines.map(([what]) => what.length));
  const body = lines.map(([what, value]) => `  ${what.padEnd(width)}  ${value}`.trimEnd());
  return `${title}\n${body.join("\n")}\n`;
}

function verdict(ratio: Ratio): string {
  const { atMost, atLeast } = ratio;
  const outcome = isMet(ratio) ? "target met" : "target missed";
  if (atMost !== undefined) return `(at most ${atMost}x: ${outcome})`;
  return atLeast === undefined ? "" : `(at least ${atLeast}x: ${outcome})`;
}

/** What the figures were taken on. */
export function describeMachine(): string {
  const [first] = cpus();
  const memory = `${(totalmem() / 1024 ** 3).toFixed(0)} GiB`;
  const model = first?.model.trim() ?? "an unknown processor";
  return `${model}, ${cpus().length} cores, ${memory}; ${systemName()}, kernel ${release()}; Bun ${Bun.version}`;
}

function systemName(): string {
  try {
    const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
    return name ?? process.platform;
  } catch {
    // Only Linux has the file.
    return process.platform;
  }
}
