/**
 * What became of the offers that were looked at for a waiting app, and from that the answer to the question
 * why it waits.
 *
 * Invariants: bounded by {@link AGENTS_REMEMBERED_MAX}; the summary of the last offers counts every agent
 * once, with the last thing that happened to one of its offers.
 */

import { compareText, type Instant } from '@dcos/base';
import type { Offer } from '@dcos/wire';
import { REJECT_REASONS, type RejectReason, type Refusal } from './reject-reason.ts';

/** Agents whose last refused offer is kept per app. */
export const AGENTS_REMEMBERED_MAX = 1000;

export interface UnusedOffer {
  readonly offer: Offer;
  readonly refusal: Refusal;
  readonly at: Instant;
}

export interface OfferStatistics {
  /** When the app began to wait. */
  readonly since: Instant;
  processed: number;
  unused: number;
  lastUnusedAt?: Instant;
  lastUsedAt?: Instant;
  /** Agent id → its last offer that was of no use. */
  readonly lastUnused: Map<string, UnusedOffer>;
  /** Refusals since the app began to wait. */
  readonly declined: Map<RejectReason, number>;
}

export interface RejectRow {
  readonly reason: RejectReason;
  readonly declined: number;
  readonly processed: number;
}

export interface WaitingReason extends RejectRow {
  /** Exactly what turned the offers down. */
  readonly what: string;
}

export interface WaitingExplanation {
  readonly summary: string;
  readonly offersProcessed: number;
  readonly reasons: readonly WaitingReason[];
}

export function newOfferStatistics(since: Instant): OfferStatistics {
  return { since, processed: 0, unused: 0, lastUnused: new Map(), declined: new Map() };
}

/** Counts an offer that an instance of the app was launched on. */
export function recordUsed(statistics: OfferStatistics, offer: Offer, at: Instant): void {
  statistics.processed += 1;
  statistics.lastUsedAt = at;
  statistics.lastUnused.delete(offer.agent_id.value);
}

/** Counts an offer that was of no use. */
export function recordUnused(statistics: OfferStatistics, unused: UnusedOffer): void {
  statistics.processed += 1;
  statistics.unused += 1;
  statistics.lastUnusedAt = unused.at;
  const { reason } = unused.refusal;
  statistics.declined.set(reason, (statistics.declined.get(reason) ?? 0) + 1);
  const agent = unused.offer.agent_id.value;
  statistics.lastUnused.delete(agent);
  if (statistics.lastUnused.size >= AGENTS_REMEMBERED_MAX) {
    const oldest = statistics.lastUnused.keys().next();
    if (oldest.done !== true) statistics.lastUnused.delete(oldest.value);
  }
  statistics.lastUnused.set(agent, unused);
}

/** One row per stage: how many offers reached it, how many ended there. */
export function rejectFunnel(
  declined: ReadonlyMap<RejectReason, number>,
  processed: number,
): RejectRow[] {
  let reached = processed;
  return REJECT_REASONS.map((reason) => {
    const row = { reason, declined: declined.get(reason) ?? 0, processed: reached };
    reached -= row.declined;
    return row;
  });
}

/** The funnel of the last offer of each agent. */
export function lastOffersFunnel(statistics: OfferStatistics): RejectRow[] {
  const declined = new Map<RejectReason, number>();
  for (const { refusal } of statistics.lastUnused.values()) {
    declined.set(refusal.reason, (declined.get(refusal.reason) ?? 0) + 1);
  }
  return rejectFunnel(declined, statistics.lastUnused.size);
}

export interface WaitingContext {
  /** Instances that wait. */
  readonly count: number;
  /** Milliseconds until the launch delay is over; 0 when it is. */
  readonly delayMs: number;
  /** False while there is no connection to a master. */
  readonly connected: boolean;
}

/** Says why an app waits: the constraint or resource that turned the last offers down, the nearest miss first. */
export function explainWaiting(
  statistics: OfferStatistics,
  context: WaitingContext,
): WaitingExplanation {
  const groups = new Map<string, { subject: string; reason: RejectReason; refusals: Refusal[] }>();
  for (const { refusal } of statistics.lastUnused.values()) {
    const key = `${refusal.reason} ${refusal.subject}`;
    const group = groups.get(key) ?? {
      subject: refusal.subject,
      reason: refusal.reason,
      refusals: [],
    };
    group.refusals.push(refusal);
    groups.set(key, group);
  }
  const funnel = new Map(lastOffersFunnel(statistics).map((row) => [row.reason, row.processed]));
  const reasons = [...groups.values()]
    .map((group) => ({
      reason: group.reason,
      what: describe(group.subject, group.refusals),
      declined: group.refusals.length,
      processed: funnel.get(group.reason) ?? 0,
    }))
    // The later the stage, the closer the offer came to being used: that is what a person can act on.
    .sort(
      (left, right) =>
        REJECT_REASONS.indexOf(right.reason) - REJECT_REASONS.indexOf(left.reason) ||
        right.declined - left.declined ||
        compareText(left.what, right.what),
    );
  return {
    summary: summarise(reasons, statistics, context),
    offersProcessed: statistics.processed,
    reasons,
  };
}

function describe(subject: string, refusals: readonly Refusal[]): string {
  const quantities = refusals.flatMap(({ quantity }) => (quantity === undefined ? [] : [quantity]));
  const first = quantities[0];
  if (first === undefined) return subject;
  const most = Math.max(...quantities.map((quantity) => quantity.offered));
  return `${subject}: wanted ${trimmed(first.wanted)}, at most ${trimmed(most)} offered`;
}

function summarise(
  reasons: readonly WaitingReason[],
  statistics: OfferStatistics,
  context: WaitingContext,
): string {
  const instances = context.count === 1 ? '1 instance waits' : `${context.count} instances wait`;
  if (!context.connected) return `${instances}: there is no connection to a master`;
  if (context.delayMs > 0) {
    return `${instances} for ${trimmed(Math.ceil(context.delayMs / 1000))} s after failures (backoff)`;
  }
  if (statistics.processed === 0) return `${instances}: no offer has come yet`;
  if (reasons.length === 0) return `${instances} for the next offer`;
  const agents = statistics.lastUnused.size;
  const parts = reasons.map((reason) => `${reason.what} (${reason.declined} of ${agents})`);
  return `${instances}: the last offers of ${agents} ${agents === 1 ? 'agent' : 'agents'} were turned down by ${parts.join(', ')}`;
}

function trimmed(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
