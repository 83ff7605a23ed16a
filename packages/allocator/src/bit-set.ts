/** A set of small whole numbers, one bit each; grows as needed, never shrinks. */

export class BitSet {
  #words: Uint32Array = new Uint32Array(0);

  has(index: number): boolean {
    const word = this.#words[index >>> 5];
    return word !== undefined && (word & (1 << (index & 31))) !== 0;
  }

  add(index: number): void {
    const at = index >>> 5;
    if (at >= this.#words.length) {
      const longer = new Uint32Array(Math.max(at + 1, 2 * this.#words.length));
      longer.set(this.#words);
      this.#words = longer;
    }
    this.#words[at] = (this.#words[at] ?? 0) | (1 << (index & 31));
  }

  delete(index: number): void {
    const at = index >>> 5;
    if (at < this.#words.length) this.#words[at] = (this.#words[at] ?? 0) & ~(1 << (index & 31));
  }

  isEmpty(): boolean {
    return this.#words.every((word) => word === 0);
  }

  clear(): void {
    this.#words.fill(0);
  }

  /** Whether all of the other's members are in this one. */
  includes(other: BitSet): boolean {
    const words = other.#words;
    for (let at = 0; at < words.length; at++) {
      if (((words[at] ?? 0) & ~(this.#words[at] ?? 0)) !== 0) return false;
    }
    return true;
  }
}
