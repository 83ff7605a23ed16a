/** Lets a bounded number through at once, the others in the order in which they came. */

export interface Turnstile {
  /** Runs the function when there is room; its result or error is the caller's. */
  through<T>(act: () => Promise<T>): Promise<T>;
}

/** @param width how many may be inside at once, at least 1. */
export function createTurnstile(width: number): Turnstile {
  let inside = 0;
  const waiting: (() => void)[] = [];
  return {
    async through(act) {
      if (inside >= width) await new Promise<void>((resolve) => waiting.push(resolve));
      else inside += 1;
      try {
        return await act();
      } finally {
        // The place is handed on, so that nobody who comes now is faster than those who wait.
        const next = waiting.shift();
        if (next === undefined) inside -= 1;
        else next();
      }
    },
  };
}
