/**
 * ZooKeeper's error codes by their names. A code that is not listed is passed on as `UNKNOWN`: a newer
 * server may say things that we do not know.
 *
 * @see ZooKeeper's `KeeperException.Code`
 */

import { assert } from '@dcos/base';

const CODES = {
  /** Within a `multi` that failed: an operation that would have worked. */
  OK: 0,
  SYSTEMERROR: -1,
  RUNTIMEINCONSISTENCY: -2,
  DATAINCONSISTENCY: -3,
  CONNECTIONLOSS: -4,
  MARSHALLINGERROR: -5,
  UNIMPLEMENTED: -6,
  OPERATIONTIMEOUT: -7,
  BADARGUMENTS: -8,
  APIERROR: -100,
  NONODE: -101,
  NOAUTH: -102,
  BADVERSION: -103,
  NOCHILDRENFOREPHEMERALS: -108,
  NODEEXISTS: -110,
  NOTEMPTY: -111,
  SESSIONEXPIRED: -112,
  INVALIDCALLBACK: -113,
  INVALIDACL: -114,
  AUTHFAILED: -115,
  SESSIONMOVED: -118,
  NOTREADONLY: -119,
  EPHEMERALONLOCALSESSION: -120,
  NOWATCHER: -121,
  REQUESTTIMEOUT: -122,
  SESSIONCLOSEDREQUIRESASLAUTH: -124,
  QUOTAEXCEEDED: -125,
  THROTTLEDOP: -127,
} as const;

/** What a request can fail with; the last three are ours and never reach the wire. */
export type ErrorName = keyof typeof CODES | 'UNKNOWN' | 'QUEUEFULL' | 'PACKETTOOLARGE' | 'CLOSED';

const NAMES = new Map<number, ErrorName>(
  Object.entries(CODES).map(([name, code]) => [code, name as ErrorName]),
);

/** The name of a code. */
export function errorName(code: number): ErrorName {
  return NAMES.get(code) ?? 'UNKNOWN';
}

/** The code of a name that reaches the wire. */
export function codeOf(name: ErrorName): number {
  const code = (CODES as Readonly<Partial<Record<ErrorName, number>>>)[name];
  assert(code !== undefined, `servers do not say ${name}`);
  return code;
}
