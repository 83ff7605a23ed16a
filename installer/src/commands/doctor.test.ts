/** What `doctor` makes of a cluster in memory. What is found in which facts is tested with `core/doctor.ts`. */

import { OperationError } from '@dcos/base';
import { temporaryDirectory } from '@dcos/testkit';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { FakeCluster } from '../testing/fake-cluster.ts';
import { deploy } from './deploy.ts';
import { doctor } from './doctor.ts';

const folder = temporaryDirectory('doctor');
afterAll(() => folder.remove());

let cluster: FakeCluster;

beforeEach(async () => {
  cluster = new FakeCluster({ masters: 1, privateAgents: 2 });
  const { session, surroundings } = cluster.session(folder.path);
  await deploy(session, {}, surroundings);
});

/** What it found, and the code that it ended with. */
async function diagnosed(): Promise<readonly unknown[]> {
  const { session, events } = cluster.session(folder.path);
  const code = await doctor(session).then(
    () => 'done',
    (error: unknown) => (error instanceof OperationError ? error.code : String(error)),
  );
  const told = events
    .filter(({ event }) => event === 'doctor.finding' || event === 'doctor.warning')
    .map(({ event, host, reason }) => [event, host, reason]);
  return [...told, code];
}

test('nothing is wrong with a cluster that serves', async () => {
  expect(await diagnosed()).toEqual(['done']);
});

test('a host that cannot be reached, a stopped unit and a closed way are told together', async () => {
  cluster.host('private-2').isReachable = false;
  cluster.host('master-1').units.delete('dcos-mesos-dns');
  cluster.closedWays = ['10.0.0.20:5051'];
  expect(await diagnosed()).toEqual([
    ['doctor.finding', 'private-2', '10.0.0.21 does not answer'],
    ['doctor.finding', 'master-1', 'dcos-mesos-dns is not installed'],
    [
      'doctor.finding',
      'master-1',
      'it does not reach private-1 (10.0.0.20) at port 5051: no answer',
    ],
    'INSTALLER_UNHEALTHY',
  ]);
});

test('where ways cannot be looked at the rest is told', async () => {
  cluster.host('master-1').units.delete('dcos-mesos-dns');
  cluster.onCall = (call) => {
    if (call === 'private-1: reach.sh')
      throw new OperationError('HOST_TIMEOUT', 'private-1 took too long');
  };
  expect(await diagnosed()).toEqual([
    ['doctor.finding', 'master-1', 'dcos-mesos-dns is not installed'],
    [
      'doctor.warning',
      'cluster',
      'nobody knows whether hosts reach each other: private-1 took too long',
    ],
    'INSTALLER_UNHEALTHY',
  ]);
});
