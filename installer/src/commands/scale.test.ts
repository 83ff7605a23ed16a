/** Other numbers of agents on a cluster in memory. */

import { temporaryDirectory } from '@dcos/testkit';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { FakeCluster, fakeRelease } from '../testing/fake-cluster.ts';
import { deploy } from './deploy.ts';
import { scale } from './scale.ts';

const folder = temporaryDirectory('scale');
afterAll(() => folder.remove());

let cluster: FakeCluster;

beforeEach(async () => {
  cluster = new FakeCluster({ masters: 1, privateAgents: 1 });
  const { session, surroundings } = cluster.session(folder.path);
  await deploy(session, {}, surroundings);
  cluster.calls.length = 0;
  cluster.counts = { masters: 1, privateAgents: 2, publicAgents: 0 };
});

test('another agent comes with the release that the cluster has', async () => {
  const { session, surroundings } = cluster.session(folder.path);
  await scale(session, { yes: true }, surroundings);
  expect(cluster.calls).toContain('make private-2');
  expect(cluster.host('private-2').units.get('dcos-mesos-slave')?.active).toBe('active');
});

test('with another release nothing is made, and nothing kept', async () => {
  const { session, surroundings } = cluster.session(folder.path, fakeRelease('b'));
  const kept: string[] = [];
  const watched = { ...session, keep: () => void kept.push('kept') };
  await expect(scale(watched, { yes: true }, surroundings)).rejects.toMatchObject({
    code: 'INSTALLER_OTHER_RELEASE',
  });
  expect(cluster.calls.filter((call) => call.startsWith('make'))).toEqual([]);
  expect(kept).toEqual([]);
});
