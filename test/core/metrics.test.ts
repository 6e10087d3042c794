import { describe, expect, test } from "bun:test";
import { Metrics } from "../../src/core/metrics.ts";
import { figuresOf, metricsJson, prometheusText } from "../../src/core/system/metrics-text.ts";
import { CoreWorld } from "./world.ts";

describe("metrics", () => {
  test("count revocations and due work, done and failed, and tell how long work has been waiting", async () => {
    const world = await CoreWorld.create();
    await world.issue("tiny/key/a", { ttl: 60 });
    await world.issue("tiny/key/b", { ttl: 60 });
    world.advance(75);
    const figure = (name: string): number | undefined => {
      const { metrics } = world.core.services;
      const counter = metrics.counters().find((candidate) => candidate.name === name);
      return counter?.value;
    };
    const text = String((await world.get("sys/metrics", { format: "prometheus" })).body);
    expect(text).toContain("\nvsec_due_lag_seconds 15\n");
    world.keys.broken = "the backend is away";
    await world.daemon();
    expect(figure("vsec.leases.revocation_failures")).toBe(2);
    expect(figure("vsec.due.failures")).toBe(2);
    world.keys.broken = null;
    world.advance(1350);
    await world.daemon();
    expect(figure("vsec.leases.revoked")).toBe(2);
    expect(figure("vsec.due.done")).toBe(2);
    const after = String((await world.get("sys/metrics", { format: "prometheus" })).body);
    expect(after).toContain("\nvsec_due_lag_seconds 0\n");
  });

  test("give requests by method and class of status, and their times", () => {
    const metrics = new Metrics(1_000);
    metrics.request("GET", 200, 2);
    metrics.request("GET", 204, 4);
    metrics.request("PUT", 403, 6);
    const figures = figuresOf(metrics, []);
    const text = prometheusText(figures);
    expect(text).toContain('\nvsec_requests_total{method="GET",status="2xx"} 2\n');
    expect(text).toContain('\nvsec_requests_total{method="PUT",status="4xx"} 1\n');
    expect(text).toContain("\nvault_core_handle_request_sum 12\nvault_core_handle_request_count 3\n");
    expect(metricsJson(figures, 1_000, 5_000)).toMatchObject({
      Timestamp: "1970-01-01 00:00:05 +0000 UTC",
      Samples: [{ Count: 3, Sum: 12, Min: 2, Max: 6, Mean: 4, Stddev: 2, Rate: 3 }],
    });
  });

  test("have no number that is none, before the first request and after the clock was set back", () => {
    const metrics = new Metrics(0);
    const sample = (): unknown => metricsJson(figuresOf(metrics, []), 0, 0).Samples;
    const zero = { Count: 0, Rate: 0, Sum: 0, Min: 0, Max: 0, Mean: 0, Stddev: 0 };
    expect(sample()).toMatchObject([zero]);
    metrics.request("GET", 200, -5);
    expect(sample()).toMatchObject([{ ...zero, Count: 1 }]);
  });
});
