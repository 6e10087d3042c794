import type { JsonObject } from "../../base/json.ts";
import type { Counter, Metrics, Timing } from "../metrics.ts";

/** A figure as it is now. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly value: number;
}

/** All that is shown. Names have dots, as Vault's: `vault.core.unsealed`. */
export interface Figures {
  readonly gauges: readonly Gauge[];
  readonly counters: readonly Counter[];
  readonly timings: readonly Timing[];
}

export function figuresOf(metrics: Metrics, gauges: readonly Gauge[]): Figures {
  return { gauges, counters: metrics.counters(), timings: metrics.timings() };
}

/** The type of Prometheus' text format, version 0.0.4. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The figures in Prometheus' text format. Counters end in `_total`; timings are summaries without quantiles. */
export function prometheusText({ gauges, counters, timings }: Figures): string {
  const lines: string[] = [];
  const head = (name: string, help: string, type: string): void => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  };
  for (const { name, help, value } of gauges) {
    head(plainName(name), help, "gauge");
    lines.push(`${plainName(name)} ${value}`);
  }
  for (const [name, group] of Map.groupBy(counters, (counter) => `${plainName(counter.name)}_total`)) {
    head(name, group[0]?.help ?? "", "counter");
    for (const { labels, value } of group) lines.push(`${name}${labelText(labels)} ${value}`);
  }
  for (const { name, help, labels, sumMs, count } of timings) {
    const plain = plainName(name);
    head(plain, help, "summary");
    lines.push(`${plain}_sum${labelText(labels)} ${sumMs}`, `${plain}_count${labelText(labels)} ${count}`);
  }
  return `${lines.join("\n")}\n`;
}

function plainName(name: string): string {
  return name.replaceAll(".", "_");
}

/** Values are words of ours: none needs an escape. */
function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** The figures in the shape of Vault's JSON. What Vault shows of its last ten seconds is here of all the time since the unseal. */
export function metricsJson(figures: Figures, startedAtMs: number, nowMs: number): JsonObject {
  const seconds = Math.max(1, (nowMs - startedAtMs) / 1000);
  return {
    Timestamp: `${new Date(nowMs).toISOString().replace("T", " ").replace(/\..*$/, "")} +0000 UTC`,
    Gauges: figures.gauges.map(({ name, value }) => ({ Name: name, Value: value, Labels: {} })),
    Points: [],
    Counters: figures.counters.map(({ name, value, labels }) => {
      const each = value === 0 ? 0 : 1;
      return {
        ...{ Name: name, Count: value, Rate: value / seconds, Sum: value },
        ...{ Min: each, Max: each, Mean: each, Stddev: 0, Labels: labels },
      };
    }),
    Samples: figures.timings.map((timing) => {
      const { name, labels, count, sumMs, minMs, maxMs } = timing;
      return {
        ...{ Name: name, Count: count, Rate: sumMs / seconds, Sum: sumMs, Min: minMs, Max: maxMs },
        ...{ Mean: count === 0 ? 0 : sumMs / count, Stddev: deviation(timing), Labels: labels },
      };
    }),
  };
}

/** The sample's standard deviation. */
function deviation({ count, sumMs, squaresMs }: Timing): number {
  if (count < 2) return 0;
  return Math.sqrt(Math.max(0, (count * squaresMs - sumMs ** 2) / (count * (count - 1))));
}
