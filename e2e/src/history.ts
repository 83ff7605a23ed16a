/**
 * What a client asked for and was told, in order: the evidence that the checkers look at afterwards.
 *
 * An operation is `acknowledged` when its answer said so, `refused` when the answer said that nothing was done,
 * `unknown` when there was no answer: it may or may not have been done.
 */

export type Outcome = 'acknowledged' | 'refused' | 'unknown';

export interface Operation {
  readonly app: string;
  /** How many instances the app has once it is done; undefined for none, as the app is gone. */
  readonly instances: number | undefined;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly outcome: Outcome;
  readonly detail: string;
}

export class History {
  readonly operations: Operation[] = [];

  add(operation: Operation): void {
    this.operations.push(operation);
  }

  /** The longest time in which no operation was acknowledged, between these two moments. */
  longestSilenceMs(fromMs: number, toMs: number): number {
    const ends = this.operations
      .filter(
        ({ outcome, endedMs }) =>
          outcome === 'acknowledged' && endedMs >= fromMs && endedMs <= toMs,
      )
      .map(({ endedMs }) => endedMs);
    const moments = [fromMs, ...ends, toMs];
    return Math.max(...moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0)));
  }

  /**
   * What each app may look like now: the last acknowledged operation, or one after it whose outcome is unknown.
   * `undefined` in the list stands for no app.
   */
  possible(): ReadonlyMap<string, readonly (number | undefined)[]> {
    const result = new Map<string, (number | undefined)[]>();
    for (const { app, instances, outcome } of this.operations) {
      const before = result.get(app) ?? [undefined];
      if (outcome === 'acknowledged') result.set(app, [instances]);
      else if (outcome === 'unknown') result.set(app, [...before, instances]);
      else result.set(app, before);
    }
    return result;
  }
}
