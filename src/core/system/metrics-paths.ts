import { badRequest } from "../../base/errors.ts";
import { type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { builtinRequest } from "../builtin-request.ts";
import type { Services } from "../services.ts";
import {
  type Figures,
  figuresOf,
  type Gauge,
  metricsJson,
  PROMETHEUS_TYPE,
  prometheusText,
} from "./metrics-text.ts";

/** What asks for Prometheus' format by itself: its scraper says that it would rather have this. */
const OPENMETRICS_TYPE = "application/openmetrics-text";

/** `sys/metrics`: what this process has done since the store was unsealed, and how it stands. @see reference: other sys paths. */
export function metricsPaths(services: Services): PathSpec[] {
  return [
    path({
      pattern: "metrics",
      fields: {
        format: field.string({
          description: "prometheus: that text format. Absent: as the header Accept asks, else JSON.",
        }),
      },
      help: { synopsis: "Show figures of this process, for monitoring." },
      operations: {
        read: {
          summary: "Show the figures.",
          handler: async (request): Promise<Reply> => {
            const { format } = request.values;
            if (format !== "" && format !== "prometheus")
              throw badRequest(`metrics are not available in the format ${JSON.stringify(format)}`);
            const { accept } = builtinRequest(request);
            const figures = await presentFigures(services);
            if (format === "prometheus" || accept.startsWith(OPENMETRICS_TYPE))
              return { bare: prometheusText(figures), contentType: PROMETHEUS_TYPE };
            return { bare: metricsJson(figures, services.metrics.startedAtMs, services.clock.now()) };
          },
        },
      },
    }),
  ];
}

async function presentFigures(services: Services): Promise<Figures> {
  const { barrier, clock, metrics } = services;
  const [{ term, encryptions }, nextDue] = await Promise.all([barrier.keyStatus(), barrier.nextDue()]);
  const { heapUsed, rss } = process.memoryUsage();
  const lagMs = nextDue === null ? 0 : Math.max(0, clock.now() - nextDue);
  const gauges: readonly Gauge[] = [
    { name: "vault.core.unsealed", help: "1: the store is unsealed.", value: 1 },
    { name: "vault.runtime.alloc_bytes", help: "Bytes of the heap in use.", value: heapUsed },
    { name: "vault.runtime.sys_bytes", help: "Bytes of memory that the process holds.", value: rss },
    {
      name: "vsec.due.lag_seconds",
      help: "How long the oldest due work has been waiting.",
      value: lagMs / 1000,
    },
    { name: "vsec.barrier.key_term", help: "The term of the present encryption key.", value: term },
    { name: "vsec.barrier.encryptions", help: "Values encrypted under the present key.", value: encryptions },
  ];
  return figuresOf(metrics, gauges);
}
