/** Waiting for conditions: the only way in which tests spend time. */

import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two looks at a condition. */
const INTERVAL_MS = 20;
/** How long a condition may take unless the test says otherwise; generous, since machines are busy. */
const TIMEOUT_MS = 20_000;

/**
 * Calls `probe` until it returns something other than undefined, null or false, and returns that.
 * An error of the probe counts as "not yet"; the last one is shown when time runs out.
 * @param what is waited for, for the message.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | Promise<T>,
  timeoutMs: number = TIMEOUT_MS,
): Promise<Exclude<T, undefined | null | false>> {
  const endMs = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) {
        return value as Exclude<T, undefined | null | false>;
      }
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > endMs) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}; last seen: ${String(last)}`);
    }
    await sleep(INTERVAL_MS);
  }
}
