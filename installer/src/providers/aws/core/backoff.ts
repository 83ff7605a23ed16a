/**
 * How long to wait before a request is repeated: exponential with full jitter, so that many installers that were slowed
 * down together do not come back together. And which answers of EC2 deserve it.
 */

import { randomFraction, type Random } from '@dcos/base';

export interface BackoffLimits {
  readonly baseMs: number;
  readonly capMs: number;
  /** How often in all. */
  readonly attemptsMax: number;
}

/** Too many requests: they were not carried out. About four minutes in all. */
export const THROTTLE_LIMITS: BackoffLimits = { baseMs: 500, capMs: 30_000, attemptsMax: 16 };
/** What was just made is not known everywhere; about a minute. */
export const NOT_FOUND_LIMITS: BackoffLimits = { baseMs: 500, capMs: 8_000, attemptsMax: 16 };
/** Something that is about to end holds on to it; about five minutes. */
export const IN_USE_LIMITS: BackoffLimits = { baseMs: 1_000, capMs: 15_000, attemptsMax: 40 };
/** EC2 or the way to it failed. */
export const FAILURE_LIMITS: BackoffLimits = { baseMs: 500, capMs: 10_000, attemptsMax: 8 };

/**
 * Milliseconds to wait before the next attempt.
 * @param attempt number of the attempt that failed, from 1.
 */
export function backoffMs(attempt: number, limits: BackoffLimits, random: Random): number {
  const ceiling = Math.min(limits.capMs, limits.baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.ceil(randomFraction(random) * ceiling);
}

export type FailureClass =
  /** Refused for its rate, not carried out. */
  | 'throttled'
  /** A part of EC2 does not know the resource, or it is gone. */
  | 'notFound'
  /** Something else needs the resource. */
  | 'inUse'
  /** Nobody knows whether it was carried out. */
  | 'unclear'
  /** The same request will be answered the same. */
  | 'final';

const THROTTLED = new Set([
  'RequestLimitExceeded',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'TooManyRequestsException',
  'EC2ThrottledException',
  'BandwidthLimitExceeded',
  'SlowDown',
]);
const IN_USE = new Set([
  'DependencyViolation',
  'InvalidGroup.InUse',
  'VolumeInUse',
  'InvalidNetworkInterface.InUse',
  'InvalidIPAddress.InUse',
  'IncorrectInstanceState',
  'IncorrectState',
]);
const UNCLEAR = new Set([
  'InternalError',
  'InternalFailure',
  'InternalServerError',
  'ServiceUnavailable',
  'Unavailable',
  'RequestTimeout',
  'TimeoutError',
]);
/** Of the connection, as Node names them. */
const CONNECTION = /^(ECONN|EPIPE|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_)/;

/** What an error's code says about trying again. */
export function classifyFailure(code: string): FailureClass {
  if (THROTTLED.has(code)) return 'throttled';
  // Images are not made here: one that is not there will not come.
  if (code.startsWith('InvalidAMIID')) return 'final';
  if (/NotFound$|NotFoundException$|\.Unknown$/.test(code)) return 'notFound';
  if (code === 'Gateway.NotAttached') return 'notFound';
  if (IN_USE.has(code)) return 'inUse';
  if (UNCLEAR.has(code) || CONNECTION.test(code)) return 'unclear';
  return 'final';
}

const ALREADY_THERE = new Set([
  'InvalidGroup.Duplicate',
  'InvalidKeyPair.Duplicate',
  'InvalidSubnet.Conflict',
  'Resource.AlreadyAssociated',
  'RouteAlreadyExists',
  'InvalidPermission.Duplicate',
  'IdempotentParameterMismatch',
]);

/** Whether it says that somebody, perhaps we, did it before: what exists has to be looked at again. */
export function isAlreadyThere(code: string): boolean {
  return ALREADY_THERE.has(code);
}
