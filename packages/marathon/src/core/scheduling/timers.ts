/**
 * The deadlines of the machine: at most one per key, read in the order in which they are due. The shell
 * holds a single timer for the earliest of them.
 */

import type { Instant } from '@dcos/base';

/** What a deadline is for. `id` is an app, an instance or empty. */
export interface TimerKey {
  readonly kind:
    | 'revive'
    | 'launch'
    | 'kill'
    | 'drain'
    | 'settle'
    | 'overdue'
    | 'inactive'
    | 'expunge'
    | 'health'
    | 'readiness'
    | 'reconcile'
    | 'reconcilePeriodic';
  readonly id: string;
}

interface Deadline {
  readonly key: TimerKey;
  readonly text: string;
  readonly at: Instant;
}

/** A set of deadlines: a binary heap, with withdrawn entries left in place until they come up. */
export class Timers {
  readonly #at = new Map<string, Deadline>();
  readonly #heap: Deadline[] = [];

  /** Sets the deadline of a key; an earlier one of the same key is replaced. */
  set(key: TimerKey, at: Instant): void {
    const deadline = { key, text: textOf(key), at };
    this.#at.set(deadline.text, deadline);
    this.#heap.push(deadline);
    this.#up(this.#heap.length - 1);
  }

  /** Sets the deadline unless the key has one already. */
  setIfAbsent(key: TimerKey, at: Instant): void {
    if (!this.#at.has(textOf(key))) this.set(key, at);
  }

  cancel(key: TimerKey): void {
    this.#at.delete(textOf(key));
  }

  has(key: TimerKey): boolean {
    return this.#at.has(textOf(key));
  }

  /** The earliest deadline; undefined when there is none. */
  next(): Instant | undefined {
    for (;;) {
      const head = this.#heap[0];
      if (head === undefined) return undefined;
      if (this.#at.get(head.text) === head) return head.at;
      this.#pop();
    }
  }

  /** Takes out the earliest deadline if it is due. */
  takeDue(now: Instant): TimerKey | undefined {
    const next = this.next();
    if (next === undefined || next > now) return undefined;
    const head = this.#pop();
    if (head === undefined) return undefined;
    this.#at.delete(head.text);
    return head.key;
  }

  #pop(): Deadline | undefined {
    const head = this.#heap[0];
    const last = this.#heap.pop();
    if (head === undefined || last === undefined || this.#heap.length === 0) return head;
    this.#heap[0] = last;
    this.#down();
    return head;
  }

  #up(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfEarlier(index, parent)) return;
      index = parent;
    }
  }

  #down(): void {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const leftAt = this.#heap[left]?.at ?? Number.POSITIVE_INFINITY;
      const rightAt = this.#heap[right]?.at ?? Number.POSITIVE_INFINITY;
      const child = rightAt < leftAt ? right : left;
      if (child >= this.#heap.length || !this.#swapIfEarlier(child, index)) return;
      index = child;
    }
  }

  #swapIfEarlier(child: number, parent: number): boolean {
    const below = this.#heap[child];
    const above = this.#heap[parent];
    if (below === undefined || above === undefined || below.at >= above.at) return false;
    this.#heap[child] = above;
    this.#heap[parent] = below;
    return true;
  }
}

function textOf(key: TimerKey): string {
  return `${key.kind} ${key.id}`;
}
