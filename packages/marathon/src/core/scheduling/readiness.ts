/**
 * Readiness of new instances during a deployment: asked at once when the task runs, then at an interval,
 * until the answer has one of the wanted status codes; never again after that.
 */

import type { ProbeAnswer } from './probe-answer.ts';

/** Characters of a response body that are kept for display. */
export const RESPONSE_LENGTH_MAX = 10_000;

export interface ReadinessState {
  readonly taskId: string;
  readonly name: string;
  readonly ready: boolean;
  readonly lastResponse?: ReadinessResponse;
}

export interface ReadinessResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Takes in the answer to a readiness probe. A failure to ask counts as a gateway time-out. */
export function applyReadinessAnswer(
  state: ReadinessState,
  answer: ProbeAnswer,
  rules: { readonly readyStatuses: readonly number[]; readonly preserveLastResponse: boolean },
): ReadinessState {
  const response: ReadinessResponse =
    answer.kind === 'status'
      ? {
          status: answer.status,
          contentType: answer.contentType ?? '',
          body: (answer.body ?? '').slice(0, RESPONSE_LENGTH_MAX),
        }
      : {
          status: 504,
          contentType: 'text/plain',
          body: answer.kind === 'failed' ? answer.cause : '',
        };
  const { lastResponse: _previous, ...rest } = state;
  return {
    ...rest,
    ready: state.ready || rules.readyStatuses.includes(response.status),
    ...(rules.preserveLastResponse ? { lastResponse: response } : {}),
  };
}
