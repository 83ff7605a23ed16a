/** What came of a probe that the shell made. */

import type { ProbeOutcome } from './health.ts';

export type ProbeAnswer =
  /** An HTTP answer; the body only for readiness probes, cut to a bound. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly contentType?: string;
      readonly body?: string;
    }
  /** A TCP connection was made. */
  | { readonly kind: 'connected' }
  /** No answer in time, refused, or broken. */
  | { readonly kind: 'failed'; readonly cause: string };

/** What an answer says about health: 200 to 399 is healthy, 1xx may be told to say nothing. */
export function healthOutcome(
  answer: ProbeAnswer,
  rules: { readonly ignoreHttp1xx: boolean },
): ProbeOutcome {
  switch (answer.kind) {
    case 'connected':
      return { kind: 'healthy' };
    case 'failed':
      return { kind: 'unhealthy', cause: answer.cause };
    default:
      if (answer.status >= 200 && answer.status < 400) return { kind: 'healthy' };
      if (rules.ignoreHttp1xx && answer.status < 200) return { kind: 'ignored' };
      return { kind: 'unhealthy', cause: `HTTP status ${answer.status}` };
  }
}
