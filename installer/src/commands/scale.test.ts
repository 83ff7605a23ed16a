/** Other numbers of agents on a cluster in memory. */

import { OperationError } from '@dcos/base';
import { temporaryDirectory } from '@dcos/testkit';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { FakeCluster, fakeRelease, Killed } from '../testing/fake-cluster.ts';
import { deploy } from './deploy.ts';
import { scale } from './scale.ts';
import type { Session, Surroundings } from './session.ts';

const folder = temporaryDirectory('scale');
afterAll(() => folder.remove());

let cluster: FakeCluster;

beforeEach(async () => {
  cluster = new FakeCluster({ masters: 1, privateAgents: 2 });
  const { session, surroundings } = cluster.session(folder.path);
  await deploy(session, {}, surroundings);
  cluster.calls.length = 0;
  cluster.counts = { masters: 1, privateAgents: 3, publicAgents: 0 };
});

test('another agent comes with the release that the cluster has', async () => {
  const { session, surroundings } = cluster.session(folder.path);
  await scale(session, { yes: true }, surroundings);
  expect(cluster.calls).toContain('make private-3');
  expect(cluster.host('private-3').units.get('dcos-mesos-slave')?.active).toBe('active');
});

/** Runs it, and says how often the configuration was kept and how the run ended. */
async function scaling(
  change: Partial<Session> = {},
  around: Partial<Surroundings> = {},
): Promise<{ readonly kept: number; readonly error: unknown }> {
  let kept = 0;
  const { session, surroundings } = cluster.session(folder.path);
  const watched = { ...session, keep: () => void (kept += 1), ...change };
  const error: unknown = await scale(watched, {}, { ...surroundings, ...around }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { kept, error };
}

const changes = (): readonly string[] =>
  cluster.calls.filter((call) => /^(make|remove) /.test(call));

test('with another release nothing is made, and nothing kept', async () => {
  const release = async () => await Promise.resolve(fakeRelease('b'));
  const { kept, error } = await scaling({ release });
  expect(error).toMatchObject({ code: 'INSTALLER_OTHER_RELEASE' });
  expect([kept, changes()]).toEqual([0, []]);
});

test('with a release that cannot be read nothing is made, and nothing kept', async () => {
  const unreadable = new OperationError('RELEASE_KEY_UNREADABLE', 'no such file');
  const { kept, error } = await scaling({ release: async () => await Promise.reject(unreadable) });
  expect(error).toBe(unreadable);
  expect([kept, changes()]).toEqual([0, []]);
});

test.each([
  ['declined', async () => await Promise.resolve(false), 'INSTALLER_DECLINED'],
  ['where nobody can be asked', undefined, 'INSTALLER_USAGE'],
])('fewer agents, %s: nothing is taken away, and nothing kept', async (_what, confirm, code) => {
  cluster.counts = { masters: 1, privateAgents: 1, publicAgents: 0 };
  const { kept, error } = await scaling({}, { confirm });
  expect(error).toMatchObject({ code });
  expect([kept, changes()]).toEqual([0, []]);
});

test('cut short after the first host was made, the new numbers are kept', async () => {
  cluster.onCall = (call) => {
    if (call === 'private-3: probe.sh') throw new Killed('the run was killed');
  };
  const { kept, error } = await scaling();
  expect(error).toBeInstanceOf(Killed);
  expect([kept, changes()]).toEqual([1, ['make private-3']]);
});
