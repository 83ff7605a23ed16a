/**
 * Hands events to one consumer, strictly in order and one at a time: to a listener, or to whoever
 * iterates. The promise of `push` settles when the consumer has taken the event and is done with it,
 * which is what holds the reader of the stream back.
 */

/** Called for each event; the next one waits for the returned promise. */
export type Listener<Event> = (event: Event) => void | Promise<void>;

export interface Delivery<Event> {
  push(event: Event): void | Promise<void>;
  /** No event follows: iteration ends after what was pushed. */
  end(error?: unknown): void;
  /** Iterates over the events, once; `onReturn` runs when the consumer leaves the loop. */
  iterate(onReturn: () => void): AsyncIterableIterator<Event>;
}

/** Delivery to a function. Runs synchronously as long as the function does. */
export function deliverTo<Event>(listener: Listener<Event>): Delivery<Event> {
  let tail: Promise<void> | undefined;
  const follow = (handled: Promise<void>): Promise<void> => {
    const mine = handled.finally(() => {
      if (tail === mine) tail = undefined;
    });
    tail = mine;
    return mine;
  };
  return {
    push(event) {
      if (tail !== undefined) return follow(tail.then(() => listener(event)));
      const handled = listener(event);
      return handled === undefined ? undefined : follow(handled);
    },
    end: () => undefined,
    iterate() {
      throw new TypeError('this connection has a listener: its events cannot be iterated as well');
    },
  };
}

interface Waiting<Event> {
  readonly event: Event;
  readonly taken: () => void;
}

/** Delivery to an async iterator: an event counts as done when the next one is asked for. */
export function deliverByIteration<Event>(): Delivery<Event> {
  const queue: Waiting<Event>[] = [];
  let wake: (() => void) | undefined;
  let ended = false;
  let failure: unknown;
  let iterating = false;

  const finish = (): void => {
    ended = true;
    for (const waiting of queue.splice(0)) waiting.taken();
  };

  async function* events(onReturn: () => void): AsyncGenerator<Event, undefined, undefined> {
    try {
      for (;;) {
        const head = queue[0];
        if (head !== undefined) {
          yield head.event;
          queue.shift();
          head.taken();
        } else if (ended) {
          if (failure !== undefined) throw failure;
          return undefined;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      finish();
      onReturn();
    }
  }

  return {
    push(event) {
      if (ended) return undefined;
      return new Promise<void>((taken) => {
        queue.push({ event, taken });
        wake?.();
      });
    },
    end(error) {
      ended = true;
      failure = error;
      wake?.();
    },
    iterate(onReturn) {
      if (iterating) throw new TypeError('the events of a connection can be iterated once');
      iterating = true;
      return events(onReturn);
    },
  };
}
