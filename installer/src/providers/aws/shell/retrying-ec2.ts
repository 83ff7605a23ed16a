/**
 * Repeats what may be repeated, each for its own time: refused for its rate, not known yet everywhere, still in use. A
 * request whose outcome is unclear is repeated only where twice is as once; a creation is not, unless it has a client
 * token: `AWS_UNCLEAR` is thrown, and what exists has to be looked at again.
 */

import { errorText, unreachable } from '@dcos/base';
import {
  backoffMs,
  classifyFailure,
  FAILURE_LIMITS,
  IN_USE_LIMITS,
  NOT_FOUND_LIMITS,
  THROTTLE_LIMITS,
  type BackoffLimits,
  type FailureClass,
} from '../core/backoff.ts';
import { remedyFor } from '../core/remedies.ts';
import { awsError, ec2Code } from '../errors.ts';
import type { Ec2, Ec2Action, Ec2Calls } from './ec2.ts';
import { pause, throwIfStopped, type RunContext } from './run-context.ts';

/** `final` failures have none. */
const LIMITS: Readonly<Record<Exclude<FailureClass, 'final'>, BackoffLimits>> = {
  throttled: THROTTLE_LIMITS,
  notFound: NOT_FOUND_LIMITS,
  inUse: IN_USE_LIMITS,
  unclear: FAILURE_LIMITS,
};

/** An EC2 that repeats. Errors that remain are `AWS_REFUSED` with EC2's code in `details.code`, or `AWS_UNCLEAR`. */
export function retryingEc2(ec2: Ec2, context: RunContext): Ec2 {
  return {
    async call<A extends Ec2Action>(action: A, input: Ec2Calls[A][0]): Promise<Ec2Calls[A][1]> {
      const attempts: Record<FailureClass, number> = {
        throttled: 0,
        notFound: 0,
        inUse: 0,
        unclear: 0,
        final: 0,
      };
      for (;;) {
        throwIfStopped(context.signal);
        try {
          return await ec2.call(action, input);
        } catch (error) {
          const kind = classifyFailure(ec2Code(error));
          attempts[kind] += 1;
          if (!mayRepeat(action, input, kind) || kind === 'final') throw toAwsError(action, error);
          const limits = LIMITS[kind];
          if (attempts[kind] >= limits.attemptsMax) throw toAwsError(action, error);
          if (attempts[kind] === 3)
            context.onProgress(`${action}: ${ec2Code(error)}, trying again`);
          await pause(backoffMs(attempts[kind], limits, context.random), context);
        }
      }
    },
  };
}

function mayRepeat(action: Ec2Action, input: object, kind: FailureClass): boolean {
  switch (kind) {
    case 'throttled':
      return true;
    case 'unclear':
      return !isCreation(action) || 'ClientToken' in input;
    case 'notFound':
      // To those that remove it is the end that they want; those that look have asked by tag.
      return !isRemoval(action) && !action.startsWith('Describe');
    case 'inUse':
      return isRemoval(action) || action === 'StartInstances';
    case 'final':
      return false;
    default:
      return unreachable(kind);
  }
}

function isCreation(action: Ec2Action): boolean {
  return /^(Create(?!Tags|Route$)|Allocate|Import)/.test(action) || action === 'RunInstances';
}

function isRemoval(action: Ec2Action): boolean {
  return /^(Delete|Terminate|Release|Detach|Disassociate|Revoke)/.test(action);
}

/** Names of errors that are neither an answer nor of the connection, but a mistake of ours. */
const NO_ANSWERS = new Set(['', 'Error', 'TypeError', 'RangeError', 'AssertionError']);

function toAwsError(action: Ec2Action, error: unknown): Error {
  const code = ec2Code(error);
  if (NO_ANSWERS.has(code)) return error instanceof Error ? error : new Error(errorText(error));
  const details = { action, code };
  if (classifyFailure(code) === 'unclear' && isCreation(action)) {
    return awsError('AWS_UNCLEAR', `${action} was not answered (${code})`, {
      cause: error,
      details,
    });
  }
  const remedy = remedyFor(code);
  const message = `EC2 refused ${action} (${code})${remedy === undefined ? '' : `; ${remedy}`}`;
  return awsError('AWS_REFUSED', message, { cause: error, details });
}

/** EC2's code of an error that came through {@link retryingEc2}; empty for others. */
export function refusalCode(error: unknown): string {
  if (!(error instanceof Error) || !('details' in error)) return '';
  const { details } = error;
  if (typeof details !== 'object' || details === null || !('code' in details)) return '';
  return typeof details.code === 'string' ? details.code : '';
}
