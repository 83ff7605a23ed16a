/** The provider against an EC2 that refuses, forgets and has no room, and before which it is killed at every call. */

import { temporaryDirectory } from '@dcos/testkit';
import { afterAll, describe, expect, test } from 'vitest';
import type { AwsProvider } from './aws-provider.ts';
import { diffText } from './core/diff-text.ts';
import type { Ec2 } from './shell/ec2.ts';
import { demoProvider, WHOLE, withNeighbours, type DemoOptions } from './testing/demo-cluster.ts';
import { disturbed, FakeEc2, killedAt, KilledError, type KillMoment } from './testing/fake-ec2.ts';

const folder = temporaryDirectory('aws');
afterAll(() => folder.remove());
const providerOf = (ec2: Ec2, options: DemoOptions = {}): AwsProvider =>
  demoProvider(folder.path, ec2, options);

describe('killed at every call in turn', () => {
  const moments: readonly KillMoment[] = ['before', 'after'];

  test.for(moments)('%s it is carried out: the next run makes no duplicates', async (moment) => {
    const calls = await callsOf(async (ec2) => void (await providerOf(ec2).deploy()));
    for (let index = 0; index < calls; index++) {
      const ec2 = new FakeEc2();
      await expect(providerOf(killedAt(ec2, index, moment)).deploy()).rejects.toThrow(KilledError);
      await providerOf(ec2).deploy();
      expect(ec2.namesOf('demo'), `killed at call ${index}`).toEqual(WHOLE);
    }
  });

  test.for(moments)('%s it is carried out: destroy leaves nothing', async (moment) => {
    const calls = await callsOf(async (ec2) => void (await providerOf(ec2).deploy()));
    for (let index = 0; index < calls; index++) {
      const ec2 = await withNeighbours(folder.path);
      const neighbours = ec2.others('demo');
      await expect(providerOf(killedAt(ec2, index, moment)).deploy()).rejects.toThrow(KilledError);
      await providerOf(ec2).destroy();
      expect(ec2.namesOf('demo'), `killed at call ${index}`).toEqual({});
      expect(ec2.others('demo')).toBe(neighbours);
    }
  });

  test.for(moments)('of destroy %s it is carried out: the next one ends it', async (moment) => {
    const made = await withNeighbours(folder.path);
    await providerOf(made).deploy();
    const before = made.calls.length;
    await providerOf(made).destroy();
    for (let index = 0; index < made.calls.length - before; index++) {
      const ec2 = await withNeighbours(folder.path);
      const neighbours = ec2.others('demo');
      await providerOf(ec2).deploy();
      await expect(providerOf(killedAt(ec2, index, moment)).destroy()).rejects.toThrow(KilledError);
      await providerOf(ec2).destroy();
      expect(ec2.namesOf('demo'), `killed at call ${index}`).toEqual({});
      expect(ec2.others('demo')).toBe(neighbours);
    }
  });

  async function callsOf(run: (ec2: FakeEc2) => Promise<void>): Promise<number> {
    const ec2 = new FakeEc2();
    await run(ec2);
    return ec2.calls.length;
  }
});

describe('rides out', () => {
  test.for([
    [
      'requests that are refused for their rate',
      (index: number) => index % 3 !== 0,
      'RequestLimitExceeded',
      'before',
    ],
    [
      'a connection that breaks before the request',
      (index: number) => index % 5 === 4,
      'ECONNRESET',
      'before',
    ],
    ['answers that get lost', (index: number) => index % 7 === 6, 'TimeoutError', 'after'],
    ['errors of EC2 itself', (index: number) => index % 4 === 3, 'InternalError', 'before'],
  ] as const)('%s', async ([, isHit, code, moment]) => {
    const ec2 = new FakeEc2();
    const hurt = disturbed(ec2, (index) => (isHit(index) ? { code, moment } : undefined));
    await providerOf(hurt).deploy();
    expect(ec2.namesOf('demo')).toEqual(WHOLE);
    await providerOf(hurt).destroy();
    expect(ec2.namesOf('demo')).toEqual({});
  });

  test.for([1, 2, 5, 12])('things that are not known for %i calls', async (hiddenForCalls) => {
    const ec2 = new FakeEc2();
    ec2.state.faults.hiddenForCalls = hiddenForCalls;
    await providerOf(ec2).deploy();
    expect(ec2.namesOf('demo')).toEqual(WHOLE);
    await providerOf(ec2).destroy();
    expect(ec2.namesOf('demo')).toEqual({});
  });

  test('a kill while what was made is not known yet: duplicates are found and removed', async () => {
    const whole = new FakeEc2();
    await providerOf(whole).deploy();
    for (let index = 0; index < whole.calls.length; index++) {
      const ec2 = new FakeEc2();
      ec2.state.faults.hiddenForCalls = 14;
      await expect(providerOf(killedAt(ec2, index, 'after')).deploy()).rejects.toThrow(KilledError);
      await providerOf(ec2).deploy();
      // What is not shown to one run is to the next.
      ec2.state.callCount += 14;
      await providerOf(ec2).deploy();
      expect(ec2.namesOf('demo'), `killed at call ${index}`).toEqual(WHOLE);
    }
  });

  test('lists in short pages, every other one empty', async () => {
    const ec2 = new FakeEc2();
    ec2.state.faults.pageItems = 1;
    await providerOf(ec2).deploy();
    expect(ec2.namesOf('demo')).toEqual(WHOLE);
    expect(diffText((await providerOf(ec2).plan()).plan)).toBe('No change.');
    await providerOf(ec2).destroy();
    expect(ec2.namesOf('demo')).toEqual({});
  });
});

test('a zone without room is left out', async () => {
  const ec2 = new FakeEc2();
  ec2.state.faults.hasCapacity = (zone) => zone !== 'eu-central-1a';
  const { hosts } = await providerOf(ec2).deploy();
  expect(new Set(hosts.map((host) => host.zone))).toEqual(new Set(['eu-central-1b']));
});

test('no room at all is said; what was made goes when it is destroyed', async () => {
  const ec2 = new FakeEc2();
  ec2.state.faults.hasCapacity = (_, type) => type !== 'm6i.large';
  await expect(providerOf(ec2).deploy()).rejects.toMatchObject({
    code: 'AWS_NO_CAPACITY',
    message: expect.stringContaining('public-1 (m6i.large)') as unknown,
  });
  await providerOf(ec2).destroy();
  expect(ec2.namesOf('demo')).toEqual({});
});

test('a permission that is missing is said at once, with the remedy', async () => {
  const ec2 = new FakeEc2();
  const hurt = disturbed(ec2, (_, action) =>
    action === 'CreateVpc' ? { code: 'UnauthorizedOperation', moment: 'before' } : undefined,
  );
  await expect(providerOf(hurt).deploy()).rejects.toMatchObject({
    code: 'AWS_REFUSED',
    message: expect.stringContaining('docs/operations/aws.md') as unknown,
    details: { action: 'CreateVpc', code: 'UnauthorizedOperation' },
  });
  expect(ec2.calls).not.toContain('CreateVpc');
});

test('requests that are refused for ever end the run', async () => {
  const lines: string[] = [];
  const hurt = disturbed(new FakeEc2(), (_, action) =>
    action === 'DescribeVpcs' ? { code: 'RequestLimitExceeded', moment: 'before' } : undefined,
  );
  await expect(providerOf(hurt, { lines }).deploy()).rejects.toMatchObject({
    code: 'AWS_REFUSED',
    details: { code: 'RequestLimitExceeded' },
  });
  expect(lines).toContain('DescribeVpcs: RequestLimitExceeded, trying again');
});

test('a run that is told to stop ends between two calls, and the next one goes on', async () => {
  const ec2 = new FakeEc2();
  const stop = new AbortController();
  const counting = disturbed(ec2, (index) => {
    if (index === 40) stop.abort();
    return undefined;
  });
  await expect(providerOf(counting, { signal: stop.signal }).deploy()).rejects.toMatchObject({
    code: 'AWS_STOPPED',
  });
  await providerOf(ec2).deploy();
  expect(ec2.namesOf('demo')).toEqual(WHOLE);
});
