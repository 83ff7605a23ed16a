import { expect, test } from 'vitest';
import { ec2Code } from './errors.ts';
import { Ec2Error } from './testing/fake-state.ts';

const withCode = (error: Error, code: string): Error => Object.assign(error, { code });

test.for([
  ['an answer of EC2', new Ec2Error('InvalidVpcID.NotFound'), 'InvalidVpcID.NotFound'],
  ['a broken connection', withCode(new Error('reset'), 'ECONNRESET'), 'ECONNRESET'],
  ['no address answers', withCode(new AggregateError([]), 'ECONNREFUSED'), 'ECONNREFUSED'],
  ['a mistake of ours', new TypeError('x'), 'TypeError'],
  ['no error', 'text', ''],
] as const)('the code of %s', ([, error, code]) => expect(ec2Code(error)).toBe(code));
