import type { Method } from "../contract/wire.ts";

/** A counter: what has been counted since the store was unsealed in this process. */
export interface Counter {
  readonly name: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** How long something took, over all times that it happened. Milliseconds. */
export interface Timing {
  readonly name: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
  readonly sumMs: number;
  readonly squaresMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

type Figures = Pick<Timing, "count" | "sumMs" | "squaresMs" | "minMs" | "maxMs">;

/** What happens in the core, counted. An increment is all that a request pays. */
export class Metrics {
  /** Since when, milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** By method, then by class of status: `2xx`. Both are of a closed set, so that nothing here can grow. */
  readonly #requests = new Map<Method, Map<string, number>>();
  #handled: Figures = { count: 0, sumMs: 0, squaresMs: 0, minMs: Number.POSITIVE_INFINITY, maxMs: 0 };
  #leasesRevoked = 0;
  #revocationsFailed = 0;
  #dueDone = 0;
  #dueFailed = 0;

  constructor(startedAtMs: number) {
    this.startedAtMs = startedAtMs;
  }

  /** @param tookMs - Negative where the clock was set back meanwhile: it counts as no time. */
  request(method: Method, status: number, tookMs: number): void {
    const durationMs = Math.max(0, tookMs);
    const byStatus = this.#requests.get(method) ?? new Map<string, number>();
    const statusClass = `${Math.floor(status / 100)}xx`;
    byStatus.set(statusClass, (byStatus.get(statusClass) ?? 0) + 1);
    this.#requests.set(method, byStatus);
    const { count, sumMs, squaresMs, minMs, maxMs } = this.#handled;
    this.#handled = {
      count: count + 1,
      sumMs: sumMs + durationMs,
      squaresMs: squaresMs + durationMs ** 2,
      minMs: Math.min(minMs, durationMs),
      maxMs: Math.max(maxMs, durationMs),
    };
  }

  leasesRevoked(done: number, failed: number): void {
    this.#leasesRevoked += done;
    this.#revocationsFailed += failed;
  }

  /** @param entries - All that were taken up; `failed` of them are due again. */
  dueWork(entries: number, failed: number): void {
    this.#dueDone += entries - failed;
    this.#dueFailed += failed;
  }

  counters(): readonly Counter[] {
    const plain = (name: string, help: string, value: number): Counter => ({ name, help, labels: {}, value });
    const requests = [...this.#requests].flatMap(([method, byStatus]) =>
      [...byStatus].map(([status, value]): Counter => {
        return { name: "vsec.requests", help: "Requests answered.", labels: { method, status }, value };
      }),
    );
    return [
      ...requests,
      plain("vsec.leases.revoked", "Leases whose secrets were revoked.", this.#leasesRevoked),
      plain(
        "vsec.leases.revocation_failures",
        "Revocations that failed; each is tried again.",
        this.#revocationsFailed,
      ),
      plain("vsec.due.done", "Entries whose due work was done.", this.#dueDone),
      plain("vsec.due.failures", "Entries whose due work failed; each is tried again.", this.#dueFailed),
    ];
  }

  timings(): readonly Timing[] {
    const { count, minMs } = this.#handled;
    const help = "The time from a request's arrival in the core to its answer, in milliseconds.";
    const handled = { ...this.#handled, minMs: count === 0 ? 0 : minMs };
    return [{ name: "vault.core.handle_request", help, labels: {}, ...handled }];
  }
}
