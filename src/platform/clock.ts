import type { Clock } from "../base/clock.ts";

/** The longest timer that the runtime keeps; a longer one would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The machine's clock and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),

  async sleep(ms, signal) {
    for (let left = ms; left > 0 && signal?.aborted !== true; left -= TIMER_MS_MAX) {
      await timer(Math.min(left, TIMER_MS_MAX), signal);
    }
  },
};

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(handle);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const handle = setTimeout(end, ms);
    signal?.addEventListener("abort", end, { once: true });
  });
}
