/** Waiting times between attempts to open a stream again: doubling, bounded. */

const FIRST_DELAY_MS = 500;
const DELAY_MAX_MS = 10_000;

/** Milliseconds before attempt number `attempt` (from 0). */
export function retryDelayMs(attempt: number): number {
  return Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 10));
}

/** Resolves after the delay, or at once when the signal fires. */
export function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, delayMs);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}
