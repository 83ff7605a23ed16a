/** What a measurement with many processes needs: everything it started ends with it, and no step takes for ever. */

/** No step of a measurement may take longer. */
const STEP_MS_MAX = 170_000;

export class Stage {
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly #onSignal = (): void => {
    void this.close().then(() => process.exit(130));
  };

  constructor() {
    process.once('SIGINT', this.#onSignal);
    process.once('SIGTERM', this.#onSignal);
  }

  /** Closes it with the stage, what came last first. */
  add<T>(actor: T, close: (actor: T) => Promise<unknown>): T {
    this.#closers.push(() => close(actor));
    return actor;
  }

  /** Waits for a step; throws when it takes too long. Says what it waits for. */
  async step<T>(what: string, result: Promise<T>): Promise<T> {
    process.stderr.write(`  ${what}\n`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${what}: not done after ${STEP_MS_MAX / 1000} s`)),
        STEP_MS_MAX,
      );
    });
    try {
      return await Promise.race([result, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
    process.off('SIGINT', this.#onSignal);
    process.off('SIGTERM', this.#onSignal);
  }
}
