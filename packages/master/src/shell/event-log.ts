/**
 * The newest events of the operators' stream, numbered, so that a subscriber that comes back can be given
 * what it missed. Goes beyond the original, whose subscribers begin anew each time; a subscriber asks for
 * it by a header that clients of the original do not send.
 *
 * A position is `<id of the master>:<number of the last event>`. Numbers begin anew with each master, and
 * a position of another one is no position here.
 */

import type { FastifyRequest } from '@dcos/http';
import type { masterApi } from '@dcos/wire';
import type { EventOwner } from '../core/visible-event.ts';

/** Request: where the subscriber stands, or `0` for one that begins and wants events with numbers. */
export const LAST_EVENT_HEADER = 'mesos-last-event-sequence';
/** Answer: the position after which the events begin; that of the snapshot when there is one. */
export const SEQUENCE_HEADER = 'mesos-event-sequence';
/** Answer: `true` when the missed events follow, `false` when a snapshot does. */
export const RESUMED_HEADER = 'mesos-event-stream-resumed';

export const POSITION_INVALID =
  "Expecting 'Mesos-Last-Event-Sequence' to be '<master id>:<number>', or '0' to begin";

export interface Position {
  readonly epoch: string;
  readonly sequence: number;
}

/** Where a subscriber says that it stands; undefined when it does not know of positions. */
export function positionOf(request: FastifyRequest): Position | 'begin' | 'invalid' | undefined {
  const text = request.headers[LAST_EVENT_HEADER];
  if (text === undefined) return undefined;
  if (text === '0') return 'begin';
  const [, epoch, digits] = /^([\w.-]{1,128}):(\d{1,15})$/.exec(String(text)) ?? [];
  if (epoch === undefined || digits === undefined) return 'invalid';
  return { epoch, sequence: Number(digits) };
}

/** An event with its number. */
export interface LoggedEvent {
  readonly sequence: number;
  readonly event: masterApi.Event;
  readonly owner: EventOwner | undefined;
}

/** Holds the newest events, a fixed number of them. */
export class EventLog {
  readonly #eventsMax: number;
  /** A ring: the event of number `n` is at `n` modulo its size. */
  readonly #events: LoggedEvent[] = [];
  #last = 0;

  constructor(eventsMax: number) {
    this.#eventsMax = eventsMax;
  }

  /** Number of the newest event; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Takes an event; the oldest gives way when there are too many. */
  add(event: masterApi.Event, owner?: EventOwner): void {
    this.#last += 1;
    this.#events[this.#last % this.#eventsMax] = { sequence: this.#last, event, owner };
  }

  /** The first events after that number; undefined when some are no longer there, or not yet. */
  after(sequence: number, countMax = this.#eventsMax): readonly LoggedEvent[] | undefined {
    const count = this.#last - sequence;
    if (count < 0 || count > this.#eventsMax) return undefined;
    const events: LoggedEvent[] = [];
    const end = Math.min(this.#last, sequence + countMax);
    for (let number = sequence + 1; number <= end; number++) {
      const logged = this.#events[number % this.#eventsMax];
      if (logged?.sequence !== number) return undefined;
      events.push(logged);
    }
    return events;
  }
}
