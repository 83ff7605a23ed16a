/**
 * Long computations, a slice at a time, so that nobody else waits for longer than a slice. However many
 * computations there are, a turn of the event loop does one slice of one of them.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long a slice lasts; the next piece is begun until then. */
const SLICE_MS = 5;

// The event loop is one for the whole process, and so is the queue for its turns.
let last: Promise<void> = Promise.resolve();

/** Does as much as fits into one slice. Returns the result when that was all. */
export function firstSlice<R>(work: Generator<unknown, R>): { readonly result: R } | undefined {
  const endMs = performance.now() + SLICE_MS;
  do {
    const step = work.next();
    if (step.done === true) return { result: step.value };
  } while (performance.now() < endMs);
  return undefined;
}

/** Finishes a computation, slice by slice. `isWanted` is asked before each; undefined when it no longer is. */
export async function inSlices<R>(
  work: Generator<unknown, R>,
  isWanted: () => boolean,
): Promise<R | undefined> {
  for (;;) {
    const before = last;
    const turn = Promise.withResolvers<void>();
    last = turn.promise;
    try {
      await before;
      await nextTurn();
      if (!isWanted()) return undefined;
      const done = firstSlice(work);
      if (done !== undefined) return done.result;
    } finally {
      turn.resolve();
    }
  }
}
