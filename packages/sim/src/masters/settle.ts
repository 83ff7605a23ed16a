/** Waits for what promises do: the one thing in the world of several masters that is not an event of it. */

import { setImmediate as nextTurn } from 'node:timers/promises';

/** Resolves when no promise has anything left to do that no event must come for. */
export async function settle(): Promise<void> {
  await nextTurn();
}
