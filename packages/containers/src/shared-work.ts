/** Work that several ask for and that is done once; it is broken off when all who asked have gone. */

interface Entry<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  waiting: number;
}

export class SharedWork<T> {
  readonly #entries = new Map<string, Entry<T>>();

  /** Joins the work under this key, or starts it. Rejects at once when the own signal says so. */
  async run(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    signal.throwIfAborted();
    const entry = this.#entries.get(key) ?? this.#begin(key, work);
    entry.waiting += 1;
    const gone = Promise.withResolvers<never>();
    const onAbort = (): void => gone.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([entry.result, gone.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      entry.waiting -= 1;
      if (entry.waiting === 0) {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
        entry.abort.abort(signal.reason);
      }
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Entry<T> {
    const abort = new AbortController();
    const entry: Entry<T> = { result: work(abort.signal), abort, waiting: 0 };
    // Whoever waits gets the failure; that nobody waits any more is no reason to end the process.
    entry.result.catch(() => undefined);
    this.#entries.set(key, entry);
    return entry;
  }
}
