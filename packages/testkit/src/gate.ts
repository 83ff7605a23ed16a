/** Holds calls up until the test lets them go: a store that is slow, an answer that is on its way. */
export class Gate {
  #isShut = false;
  #waiting: (() => void)[] = [];

  /** Calls that are held up now. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** From now on calls are held up. */
  shut(): void {
    this.#isShut = true;
  }

  /** Those that were held up go on, in their order, and later ones are not held up. */
  open(): void {
    this.#isShut = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Resolves at once, or when the gate is opened. */
  async pass(): Promise<void> {
    if (this.#isShut) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
  }
}
