/** Names, prices, answers and their repetition: the small decisions. */

import { seededRandom } from '@dcos/base';
import { describe, expect, test } from 'vitest';
import { backoffMs, classifyFailure } from './backoff.ts';
import { instanceToken, isClusterName, tagsOf } from './names.ts';
import { estimateCost } from './prices.ts';
import { remedyFor } from './remedies.ts';
import { chooseZones } from './to-wanted.ts';
import type { Wanted, WantedInstance } from './wanted.ts';

describe('names', () => {
  test('a token is the same for the same request, and another one for every other', () => {
    const parts = { cluster: 'demo', instance: 'master-1', generation: 1, subnetId: 'subnet-0a1b' };
    const token = instanceToken(parts);
    expect(instanceToken({ ...parts })).toBe(token);
    const others = [
      { ...parts, cluster: 'dem' },
      { ...parts, instance: 'master-2' },
      { ...parts, generation: 2 },
      { ...parts, subnetId: 'subnet-0a1c' },
    ].map(instanceToken);
    expect(new Set([token, ...others]).size).toBe(5);
  });

  test('the longest token has what EC2 takes', () => {
    const token = instanceToken({
      cluster: 'x'.repeat(30),
      instance: 'private-999',
      generation: 9_999,
      subnetId: 'subnet-0123456789abcdef0',
    });
    expect(token.length).toBeLessThanOrEqual(64);
  });

  test('our tags win over those of the operator', () => {
    const tags = tagsOf('demo', 'vpc', { Name: 'mine', 'dcos:cluster': 'other', team: 'a' });
    expect(tags).toEqual({
      Name: 'demo-vpc',
      'dcos:cluster': 'demo',
      'dcos:resource': 'vpc',
      team: 'a',
    });
  });

  test.for([
    ['demo', true],
    ['a-1', true],
    ['x'.repeat(30), true],
    ['x'.repeat(31), false],
    ['Demo', false],
    ['1a', false],
    ['a b', false],
    ['', false],
  ] as const)('%s as the name of a cluster: %s', ([name, isOne]) =>
    expect(isClusterName(name)).toBe(isOne),
  );
});

describe('what an answer of EC2 means', () => {
  test.for([
    ['RequestLimitExceeded', 'throttled'],
    ['InvalidVpcID.NotFound', 'notFound'],
    ['InvalidAMIID.NotFound', 'final'],
    ['DependencyViolation', 'inUse'],
    ['ECONNRESET', 'unclear'],
    ['InternalError', 'unclear'],
    ['UnauthorizedOperation', 'final'],
    ['', 'final'],
  ] as const)('%s is %s', ([code, kind]) => expect(classifyFailure(code)).toBe(kind));

  test('a person is told what to do about what no repetition changes', () => {
    expect(remedyFor('VpcLimitExceeded')).toContain('aws.vpc.id');
    expect(remedyFor('UnauthorizedOperation')).toContain('docs/operations/aws.md');
    expect(remedyFor('SomethingElse')).toBe(undefined);
  });
});

test('waits grow to their limit, and are anything below it', () => {
  const limits = { baseMs: 100, capMs: 1_000, attemptsMax: 9 };
  const last = { nextU32: () => 2 ** 32 - 1 };
  expect([1, 2, 3, 4, 5, 1_000].map((attempt) => backoffMs(attempt, limits, last))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ]);
  const random = seededRandom(7);
  const some = Array.from({ length: 100 }, () => backoffMs(4, limits, random));
  expect(Math.min(...some)).toBeLessThan(200);
  expect(Math.max(...some)).toBeGreaterThan(600);
});

describe('zones', () => {
  const offering = new Set(['b', 'c', 'd']);
  const available = ['d', 'c', 'b', 'a'];
  test('those that offer the types, in order', () => {
    expect(chooseZones({ asked: 2, available, offering, used: [] }).zones).toEqual(['b', 'c']);
  });
  test('those in use first, whatever was added since', () => {
    const choice = chooseZones({ asked: 2, available, offering, used: ['d'] });
    expect(choice).toEqual({ zones: ['d', 'b'], missing: [] });
  });
  test('what is missing is said', () => {
    expect(chooseZones({ asked: 5, available, offering, used: [] }).missing).toEqual([
      '2 more zones',
    ]);
    expect(chooseZones({ asked: ['a', 'b'], available, offering, used: [] }).missing).toEqual([
      'a',
    ]);
  });
});

describe('cost', () => {
  const instance: WantedInstance = {
    name: 'master-1',
    role: 'master',
    instanceType: 'm6i.large',
    image: { id: 'ami-1', rootDevice: '/dev/xvda' },
    volume: { sizeGib: 100, type: 'gp3', isEncrypted: true },
    isSpot: false,
    hasElasticAddress: false,
    hasPublicAddress: true,
  };
  const wanted = (instances: readonly WantedInstance[]): Wanted => ({
    cluster: 'demo',
    network: { kind: 'existing', vpcId: 'vpc-1', subnets: [] },
    groups: [],
    key: { kind: 'existing', keyName: 'k' },
    instances,
    tags: {},
  });

  test('the machine, its disk and its address', () => {
    const { usdPerHour, unknown, text } = estimateCost(wanted([instance]));
    expect(usdPerHour).toBeCloseTo(0.096 + 8 / 730 + 0.005, 6);
    expect(unknown).toEqual([]);
    expect(text).toContain('Estimate');
  });

  test('a type that is not known is named, not counted', () => {
    const { usdPerHour, unknown, text } = estimateCost(
      wanted([{ ...instance, instanceType: 'x9.huge', hasPublicAddress: false }]),
    );
    expect(usdPerHour).toBeCloseTo(8 / 730, 6);
    expect(unknown).toEqual(['x9.huge']);
    expect(text).toContain('price unknown: x9.huge');
  });
});
