/**
 * What clients asked for and were told, in order: the evidence that the checkers look at afterwards.
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

/** Whom people ask: for a name, or for a service through a router or through a load balancer. */
export const ASKED = ['names', 'services', 'balancer'] as const;

/** What somebody heard who did. */
export interface Answer {
  readonly what: (typeof ASKED)[number];
  /** The host that was asked. */
  readonly host: string;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly outcome: 'right' | 'wrong' | 'none';
  readonly detail: string;
}

export class History {
  readonly operations: Operation[] = [];
  readonly answers: Answer[] = [];

  add(operation: Operation): void {
    this.operations.push(operation);
  }

  answered(answer: Answer): void {
    this.answers.push(answer);
  }

  /** The longest time in which no operation was acknowledged, between these two moments. */
  longestSilenceMs(fromMs: number, toMs: number): number {
    const acknowledged = this.operations.filter(({ outcome }) => outcome === 'acknowledged');
    return longestGapMs(acknowledged, fromMs, toMs);
  }

  /** The longest time in which no host gave a right answer, as people feel it who ask the next one then. */
  longestWithoutAnswerMs(what: Answer['what'], fromMs: number, toMs: number): number {
    const right = this.answers.filter(
      (answer) => answer.what === what && answer.outcome === 'right',
    );
    return longestGapMs(right, fromMs, toMs);
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

function longestGapMs(
  events: readonly { readonly endedMs: number }[],
  fromMs: number,
  toMs: number,
): number {
  const ends = events
    .map(({ endedMs }) => endedMs)
    .filter((endedMs) => endedMs >= fromMs && endedMs <= toMs);
  const moments = [fromMs, ...ends, toMs];
  return Math.max(...moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0)));
}
