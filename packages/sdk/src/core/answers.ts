/**
 * What the status codes of the scheduler API and the texts of ERROR events mean for a subscription.
 * Source: recorded exchanges with the original.
 */

import type { StopReason } from './subscription.ts';

/** Answers to SUBSCRIBE that the same request will get again: wrong request, wrong credentials. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403, 405, 406, 413, 415, 501]);

/** True when repeating a SUBSCRIBE that got this status is pointless. */
export function isRefusal(status: number): boolean {
  return REFUSALS.has(status);
}

/**
 * True when the answer to a call shows that the master no longer knows our stream: 403 (not subscribed),
 * 307 (no longer leading), and among the 400s those that name the stream or the framework.
 */
export function isStaleAnswer(status: number, body: string): boolean {
  if (status === 403 || status === 307) return true;
  return status === 400 && /stream id|framework cannot be found|not subscribed/i.test(body);
}

/** The reason to stop that an ERROR event's text gives; undefined when subscribing again may help. */
export function stopReasonOf(message: string): StopReason | undefined {
  if (/framework failed over/i.test(message)) return 'failedOver';
  if (/framework (has been|was) removed|torn down|teardown/i.test(message)) return 'removed';
  return undefined;
}
