/**
 * Which steps may begin: pure book-keeping over what waits for what. A step whose predecessor failed never begins, all
 * others go on, so that one run does as much as it can.
 */

export interface Scheduled {
  readonly id: string;
  readonly after: readonly string[];
}

export class Schedule<Step extends Scheduled> {
  readonly #waiting: Map<string, Step>;
  readonly #running = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #known: ReadonlySet<string>;
  readonly #done = new Set<string>();

  constructor(steps: readonly Step[]) {
    this.#waiting = new Map(steps.map((step) => [step.id, step]));
    this.#known = new Set(this.#waiting.keys());
  }

  /** Steps that begin now, at most this many at a time together with those that run. */
  begin(parallelMax: number): readonly Step[] {
    const begun: Step[] = [];
    for (const step of this.#waiting.values()) {
      if (this.#running.size >= parallelMax) break;
      if (!step.after.every((id) => this.#done.has(id) || !this.#known.has(id))) continue;
      this.#running.add(step.id);
      begun.push(step);
    }
    for (const { id } of begun) this.#waiting.delete(id);
    return begun;
  }

  /** Notes the end of a step that ran. */
  end(id: string, succeeded: boolean): void {
    this.#running.delete(id);
    (succeeded ? this.#done : this.#failed).add(id);
  }

  /** Steps that failed. */
  get failed(): readonly string[] {
    return [...this.#failed];
  }

  /** When nothing runs and nothing begins: steps that never will, since one that they wait for failed. */
  get held(): readonly string[] {
    return [...this.#waiting.keys()];
  }
}
