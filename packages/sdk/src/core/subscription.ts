/**
 * The life of one event subscription at a group of masters, as a pure machine: which master is asked,
 * when a silent or broken stream is given up, how long to wait before the next try, when to stop.
 *
 * Invariants: at most one stream is open or being opened; every open stream has a generation, and what
 * is reported for an older generation changes nothing; after `stopped` no effect follows.
 * Source: scheduler and operator API of the original (heartbeats every 15 s, five missed ones count as
 * a partition; 307 with a Location that may lack the scheme).
 */

import { assert, randomFraction, unreachable, type Instant, type Random } from '@dcos/base';
import { redirectOrigin } from './redirect.ts';

/** Heartbeat intervals without a byte after which a stream counts as dead. */
export const HEARTBEATS_MISSED_MAX = 5;
/** Interval assumed until the master names its own. */
export const HEARTBEAT_INTERVAL_MS = 15_000;
/** Time for a master to answer a SUBSCRIBE with a first byte. */
export const OPENING_MS_MAX = 10_000;
/** Redirects followed in a row before the wait between rounds applies. */
export const REDIRECTS_MAX = 5;
/** First wait after a round in which no master took the subscription. */
export const RETRY_MS_MIN = 100;
/** Bound on the wait between rounds. */
export const RETRY_MS_MAX = 5_000;

export interface SubscriptionOptions {
  /** Origins of the masters such as `http://10.0.0.1:5050`, in order of preference. None: it waits for some. */
  readonly masters: readonly string[];
  readonly retryMsMin?: number;
  readonly retryMsMax?: number;
}

export type Phase = 'idle' | 'opening' | 'open' | 'waiting' | 'stopped';

export interface Subscription {
  readonly options: SubscriptionOptions;
  readonly phase: Phase;
  /** Counts opened streams; 0 before the first. */
  readonly generation: number;
  /** The master that was asked last. */
  readonly origin: string | undefined;
  /** Place in `options.masters` of the master that is asked next in this round. */
  readonly next: number;
  /** Rounds over all masters that failed in a row. */
  readonly failedRounds: number;
  readonly redirects: number;
  readonly heartbeatIntervalMs: number;
  readonly lastActivityAt: Instant;
}

export type SubscriptionEvent =
  | { readonly kind: 'start' }
  /** Others are to be asked from now on; with none, the one that there is stays. */
  | { readonly kind: 'masters'; readonly masters: readonly string[] }
  /** The master accepted: its stream begins. */
  | { readonly kind: 'accepted'; readonly generation: number }
  | {
      readonly kind: 'redirected';
      readonly generation: number;
      readonly from: string;
      readonly location: string;
    }
  /** The master said no in a way that another try cannot change. */
  | { readonly kind: 'refused'; readonly generation: number; readonly problem: string }
  | {
      readonly kind: 'activity';
      readonly generation: number;
      readonly heartbeatIntervalMs?: number;
    }
  /** The subscription stands: its first event was read. */
  | {
      readonly kind: 'subscribed';
      readonly generation: number;
      readonly heartbeatIntervalMs: number;
    }
  /** The stream or the attempt to open it ended. */
  | { readonly kind: 'ended'; readonly generation: number; readonly problem: string }
  /** The caller knows that the stream is no longer the one that the master knows. */
  | { readonly kind: 'stale'; readonly generation: number; readonly problem: string }
  | { readonly kind: 'retryDue'; readonly generation: number }
  | { readonly kind: 'silenceDue'; readonly generation: number }
  | { readonly kind: 'stop'; readonly reason: StopReason; readonly problem: string };

/** Why a subscription is over for good. */
export type StopReason = 'closed' | 'refused' | 'failedOver' | 'removed' | 'agentLost';

export type SubscriptionEffect =
  | { readonly kind: 'open'; readonly generation: number; readonly origin: string }
  /** Drop the stream of this generation, whatever its state. */
  | { readonly kind: 'abort'; readonly generation: number }
  | { readonly kind: 'retryAfter'; readonly generation: number; readonly afterMs: number }
  | { readonly kind: 'watchSilence'; readonly generation: number; readonly afterMs: number }
  /** A stream that stood is gone, or no master could be reached. */
  | { readonly kind: 'disconnected'; readonly problem: string; readonly retryInMs: number }
  | { readonly kind: 'stopped'; readonly reason: StopReason; readonly problem: string };

export interface SubscriptionStep {
  readonly state: Subscription;
  readonly effects: readonly SubscriptionEffect[];
}

/** A subscription that has not started. */
export function createSubscription(options: SubscriptionOptions): Subscription {
  return {
    options,
    phase: 'idle',
    generation: 0,
    origin: undefined,
    next: 0,
    failedRounds: 0,
    redirects: 0,
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    lastActivityAt: 0,
  };
}

/** Takes one event; `now` is monotonic, since it is compared with time-outs only. */
export function stepSubscription(
  state: Subscription,
  event: SubscriptionEvent,
  now: Instant,
  random: Random,
): SubscriptionStep {
  if (state.phase === 'stopped') return { state, effects: [] };
  if (event.kind === 'stop') return stop(state, event.reason, event.problem);
  if (event.kind === 'start') {
    assert(state.phase === 'idle', 'a subscription starts once');
    return openNext(state, now);
  }
  if (event.kind === 'masters') return onMasters(state, event.masters, now);
  if (event.generation !== state.generation) return { state, effects: [] };
  switch (event.kind) {
    case 'accepted':
      return { state: { ...state, lastActivityAt: now }, effects: [] };
    case 'redirected':
      return onRedirected(state, event, now, random);
    case 'refused':
      return stop(state, 'refused', event.problem);
    case 'activity':
      return { state: { ...state, lastActivityAt: now }, effects: [] };
    case 'subscribed':
      return onSubscribed(state, event.heartbeatIntervalMs, now);
    case 'ended':
    case 'stale':
      return onLost(state, event.problem, now, random);
    case 'retryDue':
      return state.phase === 'waiting' ? openNext(state, now) : { state, effects: [] };
    case 'silenceDue':
      return onSilenceDue(state, now, random);
    default:
      return unreachable(event);
  }
}

function openNext(state: Subscription, now: Instant): SubscriptionStep {
  const { masters } = state.options;
  const origin = masters[state.next % masters.length];
  // Nobody is known: whoever becomes known is asked at once.
  if (origin === undefined) return { state: { ...state, phase: 'waiting' }, effects: [] };
  return open({ ...state, next: state.next + 1 }, origin, now);
}

function open(state: Subscription, origin: string, now: Instant): SubscriptionStep {
  const generation = state.generation + 1;
  return {
    state: { ...state, phase: 'opening', generation, origin, lastActivityAt: now },
    effects: [
      { kind: 'open', generation, origin },
      { kind: 'watchSilence', generation, afterMs: OPENING_MS_MAX },
    ],
  };
}

/** Leaves a master that is none of these, and asks them at once. */
function onMasters(
  state: Subscription,
  masters: readonly string[],
  now: Instant,
): SubscriptionStep {
  const known: Subscription = { ...state, options: { ...state.options, masters } };
  const [first] = masters;
  if (state.phase === 'idle' || first === undefined) return { state: known, effects: [] };
  const anew: Subscription = { ...known, next: 0, redirects: 0, failedRounds: 0 };
  if (state.phase === 'waiting') return openNext(anew, now);
  if (state.origin !== undefined && masters.includes(state.origin)) {
    return { state: known, effects: [] };
  }
  const { state: opened, effects } = openNext(anew, now);
  const problem = `${first} leads`;
  return {
    state: opened,
    effects: [
      { kind: 'abort', generation: state.generation },
      { kind: 'disconnected', problem, retryInMs: 0 },
      ...effects,
    ],
  };
}

function onSubscribed(
  state: Subscription,
  heartbeatIntervalMs: number,
  now: Instant,
): SubscriptionStep {
  if (state.phase !== 'opening') return { state, effects: [] };
  return {
    state: {
      ...state,
      phase: 'open',
      // The master that answered is not known to be at this place of the list: begin anew after a loss.
      next: 0,
      failedRounds: 0,
      redirects: 0,
      heartbeatIntervalMs: Math.max(1, heartbeatIntervalMs),
      lastActivityAt: now,
    },
    effects: [],
  };
}

function onRedirected(
  state: Subscription,
  event: SubscriptionEvent & { readonly kind: 'redirected' },
  now: Instant,
  random: Random,
): SubscriptionStep {
  const origin = redirectOrigin(event.from, event.location);
  if (origin === undefined) {
    return onLost(state, `redirected to an unusable address: ${event.location}`, now, random);
  }
  if (state.redirects >= REDIRECTS_MAX) {
    return onLost({ ...state, redirects: 0 }, `more than ${REDIRECTS_MAX} redirects`, now, random);
  }
  return open({ ...state, redirects: state.redirects + 1 }, origin, now);
}

function onSilenceDue(state: Subscription, now: Instant, random: Random): SubscriptionStep {
  if (state.phase !== 'opening' && state.phase !== 'open') return { state, effects: [] };
  const limitMs =
    state.phase === 'opening' ? OPENING_MS_MAX : HEARTBEATS_MISSED_MAX * state.heartbeatIntervalMs;
  const leftMs = state.lastActivityAt + limitMs - now;
  if (leftMs > 0) {
    return {
      state,
      effects: [{ kind: 'watchSilence', generation: state.generation, afterMs: leftMs }],
    };
  }
  const problem =
    state.phase === 'opening'
      ? `no answer within ${OPENING_MS_MAX} ms`
      : `no heartbeat for ${HEARTBEATS_MISSED_MAX} intervals of ${state.heartbeatIntervalMs} ms`;
  return onLost(state, problem, now, random);
}

/** The stream is gone: the next master at once, or a wait when all of them have been tried. */
function onLost(
  state: Subscription,
  problem: string,
  now: Instant,
  random: Random,
): SubscriptionStep {
  if (state.phase !== 'opening' && state.phase !== 'open') return { state, effects: [] };
  const abort: SubscriptionEffect = { kind: 'abort', generation: state.generation };
  const wasOpen = state.phase === 'open';
  const roundLeft = !wasOpen && state.next < state.options.masters.length;
  if (roundLeft) {
    const opened = openNext(state, now);
    return { state: opened.state, effects: [abort, ...opened.effects] };
  }
  const afterMs = retryDelayMs(state, random);
  const waiting: Subscription = {
    ...state,
    phase: 'waiting',
    next: 0,
    redirects: 0,
    failedRounds: wasOpen ? 0 : state.failedRounds + 1,
  };
  return {
    state: waiting,
    effects: [
      abort,
      { kind: 'disconnected', problem, retryInMs: afterMs },
      { kind: 'retryAfter', generation: state.generation, afterMs },
    ],
  };
}

/** Doubles with each failed round up to the bound; half of it is chance, so that clients spread out. */
function retryDelayMs(state: Subscription, random: Random): number {
  const least = state.options.retryMsMin ?? RETRY_MS_MIN;
  const most = state.options.retryMsMax ?? RETRY_MS_MAX;
  const full = Math.min(most, least * 2 ** Math.min(state.failedRounds, 30));
  return Math.round(full / 2 + (full / 2) * randomFraction(random));
}

function stop(state: Subscription, reason: StopReason, problem: string): SubscriptionStep {
  const abort: readonly SubscriptionEffect[] =
    state.phase === 'opening' || state.phase === 'open'
      ? [{ kind: 'abort', generation: state.generation }]
      : [];
  return {
    state: { ...state, phase: 'stopped' },
    effects: [...abort, { kind: 'stopped', reason, problem }],
  };
}
