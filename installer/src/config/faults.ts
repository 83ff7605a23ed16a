/**
 * What is wrong with a configuration: all of it at once, each with its key, the reason and what to do.
 */

import type { z } from 'zod';
import { nearestWord } from '@dcos/base';

export interface Fault {
  /** Such as `docker.masters` or `hosts.masters.1`; empty for the document as a whole. */
  readonly key: string;
  readonly reason: string;
  readonly remedy: string;
}

/** The faults behind the issues of a schema. `keysAt` names the keys that are known at a place. */
export function faultsOf(
  error: z.ZodError,
  keysAt: (path: readonly PropertyKey[]) => readonly string[],
): readonly Fault[] {
  return error.issues.flatMap((issue) => {
    const key = issue.path.map(String).join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((name) => unknownKey(key, name, keysAt(issue.path)));
    }
    return [{ key, reason: reasonOf(issue), remedy: remedyOf(issue, key) }];
  });
}

function unknownKey(place: string, name: string, known: readonly string[]): Fault {
  const near = nearestWord(name, known);
  return {
    key: place === '' ? name : `${place}.${name}`,
    reason: 'there is no such key',
    remedy:
      near === undefined ? `remove it; known are ${known.join(', ')}` : `did you mean ${near}?`,
  };
}

function isMissing({ code, input }: z.core.$ZodIssue): boolean {
  return ['invalid_type', 'invalid_value'].includes(code) && input === undefined;
}

function reasonOf(issue: z.core.$ZodIssue): string {
  if (isMissing(issue)) return 'it is missing';
  switch (issue.code) {
    case 'invalid_type':
      return `it must be ${article(issue.expected)}`;
    case 'invalid_value':
      return `it must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `it must be at least ${String(issue.minimum)}`;
    case 'too_big':
      return `it must be at most ${String(issue.maximum)}`;
    default:
      return issue.message;
  }
}

const SECRET_KEY = /(^|\.)(password|passphrase|sudoPassword)$/;

function remedyOf(issue: z.core.$ZodIssue, key: string): string {
  if (isMissing(issue)) return `give ${key} a value`;
  // What stands in the place of a reference may be the secret itself.
  const isSecret = SECRET_KEY.test(key);
  const given = isSecret || issue.input === undefined ? '' : `, not ${JSON.stringify(issue.input)}`;
  switch (issue.code) {
    case 'invalid_value':
      return `give one of these${given}`;
    case 'too_small':
      return `raise it to ${String(issue.minimum)} or more`;
    case 'too_big':
      return `lower it to ${String(issue.maximum)} or less`;
    default:
      return `change ${key}${given === '' ? '' : ` from ${JSON.stringify(issue.input)}`}`;
  }
}

function article(type: string): string {
  if (type === 'int') return 'a whole number';
  if (type === 'boolean') return 'true or false';
  if (type === 'array') return 'a list';
  if (type === 'object') return 'a group of keys';
  return `a ${type}`;
}
