import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Credentials } from "../run/credentials.ts";
import { keepRenewed } from "../run/renewal.ts";

/** Vault's agent looks at what has no lease this often too. */
export const STATIC_INTERVAL_MS = 300_000;
/** After a failure, doubled up to the other. */
const RETRY_MS_MIN = 1000;
const RETRY_MS_MAX = 60_000;

export interface WatchOptions {
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How often what has no lease is read again. */
  readonly intervalMs: number;
  /** Renders everything from the credentials and does what its changes call for. What it waits for ends with the signal. */
  render(signal: AbortSignal): Promise<void>;
  /** Told of each failure; the next try follows by itself. */
  onFailure(reason: string): void;
  /** How often rendering may fail in a row and is tried again; null: always. */
  readonly failuresMax?: number | null;
}

/**
 * Renders, and again whenever what was read has changed or cannot be kept any longer, until the signal. Leases are renewed
 * meanwhile; one that cannot be is read anew, and given back when what replaces it has been rendered.
 * @throws what rendering failed with, when that was once too often.
 */
export async function watchTemplates(options: WatchOptions): Promise<void> {
  const { credentials, clock, signal, failuresMax = null } = options;
  let retryMs = RETRY_MS_MIN;
  let failures = 0;
  while (!signal.aborted) {
    // Ends the wait below, and the renewal with it.
    const turn = new AbortController();
    const stop = (): void => turn.abort();
    signal.addEventListener("abort", stop, { once: true });
    try {
      await options.render(signal);
      for (const problem of await credentials.giveBack(await credentials.leases()))
        options.onFailure(`not revoked yet, and due: ${problem}`);
      retryMs = RETRY_MS_MIN;
      failures = 0;
      const renewing = keepRenewed(credentials, clock, turn.signal, ({ lease }) => {
        credentials.forgetLease(lease);
        turn.abort();
      });
      await clock.sleep(options.intervalMs, turn.signal);
      turn.abort();
      await renewing;
      credentials.forgetStatic();
    } catch (error) {
      failures += 1;
      if (failuresMax !== null && failures > failuresMax) throw error;
      options.onFailure(messageOf(error));
      credentials.forgetStatic();
      await clock.sleep(retryMs, signal);
      retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
}

/** Waits, and keeps leases renewed meanwhile; what cannot be is read anew afterwards. */
export async function pauseRenewing(
  credentials: Credentials,
  clock: Clock,
  signal: AbortSignal,
  ms: number,
): Promise<void> {
  const done = new AbortController();
  const renewing = keepRenewed(credentials, clock, done.signal, ({ lease }) =>
    credentials.forgetLease(lease),
  );
  await clock.sleep(ms, signal);
  done.abort();
  await renewing;
}
