/** What the registry in ZooKeeper carries from a leader that is killed to the next one, and what ends with it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  startZooKeeperEnsemble,
  temporaryDirectory,
  waitFor,
  zooKeeper,
  type ZooKeeperEnsemble,
} from '@dcos/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  ask,
  leaderOf,
  startAgentProcess,
  startMasterProcess,
  type MasterProcess,
} from './testing/master-processes.ts';
import { at, jsonCodec, RawStream, type Plain } from './testing/raw-framework.ts';

const facility = zooKeeper();
/** A leader that is killed before the next in line has reached it is waited for so long. */
const SESSION = '10secs';
const LED_TIMEOUT_MS = 60_000;
/** Nobody has less time to find the next leader than this; a minute, unless told. */
const LEAST_WAIT_MS = 3_000;

describe.skipIf(!facility.available)(`a leader is killed${facility.note}`, () => {
  const closers: (() => Promise<unknown> | void)[] = [];
  let ensemble: ZooKeeperEnsemble;

  beforeAll(async () => {
    ensemble = await startZooKeeperEnsemble(1);
  });
  afterAll(async () => {
    await ensemble?.stop();
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  const untilLed = async (masters: readonly MasterProcess[]): Promise<MasterProcess> =>
    await waitFor('a leading master', () => leaderOf(masters), LED_TIMEOUT_MS);

  async function startCluster(path: string) {
    const flags = [`--recovered-framework-wait-ms=${LEAST_WAIT_MS}`];
    const masters = await Promise.all(
      [1, 2].map(() => startMasterProcess(ensemble.address(path), SESSION, flags)),
    );
    for (const master of masters) closers.push(() => master.kill());
    const leader = await untilLed(masters);
    const folder = temporaryDirectory('failover-registry');
    closers.push(() => folder.remove());
    const agent = startAgentProcess(ensemble.address(path), folder.path);
    closers.push(() => agent.kill());
    await waitFor('the agent', async () => (await agentsOf(leader)).length === 1);
    return {
      leader,
      others: masters.filter((master) => master !== leader),
      folder: folder.path,
    };
  }

  test('what operators decided holds on', async () => {
    const { leader, others } = await startCluster('/decided');
    const [agent] = await agentsOf(leader);
    const machine = { hostname: 'elsewhere', ip: '192.0.2.1' };
    const unavailability = { start: { nanoseconds: 1e18 } };
    const weights = JSON.stringify([{ role: 'dev', weight: 2.5 }]);
    const decisions: readonly (readonly [string, string, string])[] = [
      ['PUT', '/weights', weights],
      [
        'POST',
        '/maintenance/schedule',
        text({ windows: [{ machine_ids: [machine], unavailability }] }),
      ],
      ['POST', '/machine/down', text([machine])],
      ...[
        {
          type: 'UPDATE_QUOTA',
          update_quota: { quota_configs: [{ role: 'dev', limits: { cpus: { value: 3 } } }] },
        },
        { type: 'DEACTIVATE_AGENT', deactivate_agent: { agent_id: { value: agent?.['id'] } } },
      ].map((call) => ['POST', '/api/v1', text(call)] as const),
    ];
    for (const [method, path, body] of decisions) {
      expect(await ask(leader.url + path, { method, body })).toMatchObject({ status: 200 });
    }
    const removed = await RawStream.subscribe(leader.url, jsonCodec, subscription({}));
    await removed.event('SUBSCRIBED', ({ type }) => type === 'SUBSCRIBED');
    expect(await removed.call({ type: 'TEARDOWN' })).toBe(202);
    const before = await decided(leader);
    expect(before).toMatchObject({
      '/weights': [{ role: 'dev', weight: 2.5 }],
      '/maintenance/status': { down_machines: [machine] },
    });

    await leader.kill();
    const next = await untilLed(others);
    expect(await decided(next)).toEqual(before);
    const deactivated = await waitFor('the agent', async () => (await agentsOf(next))[0]);
    expect(deactivated).toMatchObject({ id: agent?.['id'], deactivated: true });
    const id = at(removed.events[0], 'subscribed.framework_id') as Plain;
    const again = await RawStream.subscribe(next.url, jsonCodec, subscription({ id }));
    const refusal = await again.event('a refusal', ({ type }) => type === 'ERROR');
    expect(at(refusal, 'error.message')).toBe('Framework has been removed');
  });

  test('a framework that never returns is torn down, and its task killed', async () => {
    const { leader, others, folder } = await startCluster('/never');
    const stream = await RawStream.subscribe(leader.url, jsonCodec, subscription({}));
    closers.push(stream.acknowledgeAll());
    const offers = await stream.event('an offer', ({ type }) => type === 'OFFERS');
    const [offer] = at(offers, 'offers.offers') as readonly Plain[];
    const pidFile = join(folder, 'pid');
    const scalar = (name: string, value: number): Plain => ({
      name,
      type: 'SCALAR',
      scalar: { value },
      allocation_info: { role: '*' },
    });
    const task: Plain = {
      name: 'left',
      task_id: { value: 'left' },
      agent_id: offer?.['agent_id'],
      resources: [scalar('cpus', 0.1), scalar('mem', 32)],
      command: { value: `echo $$ > ${pidFile}; exec sleep 1000` },
    };
    const operations = [{ type: 'LAUNCH', launch: { task_infos: [task] } }];
    await stream.call({ type: 'ACCEPT', accept: { offer_ids: [offer?.['id']], operations } });
    await stream.event(
      'TASK_RUNNING',
      (event) => at(event, 'update.status.state') === 'TASK_RUNNING',
    );
    const pid = await waitFor('the process of the task', () => {
      const written = readFileSync(pidFile, 'utf8');
      return written.endsWith('\n') ? Number(written) : undefined;
    });
    closers.push(() => void (isAlive(pid) && process.kill(pid, 'SIGKILL')));

    await leader.kill();
    const next = await untilLed(others);
    await waitFor('the end of the task', () => !isAlive(pid), LED_TIMEOUT_MS);
    const id = at(stream.events[0], 'subscribed.framework_id.value');
    await waitFor('the end of the framework', async () => {
      const answer = JSON.parse((await ask(`${next.url}/frameworks`)).text) as Plain;
      const completed = answer['completed_frameworks'] as readonly Plain[];
      return completed.some((framework) => framework['id'] === id);
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function text(value: unknown): string {
  return JSON.stringify(value);
}

/** Of a framework without a failover time-out, as by default. */
function subscription({ id }: { readonly id?: Plain }): Plain {
  return {
    type: 'SUBSCRIBE',
    ...(id !== undefined && { framework_id: id }),
    subscribe: {
      framework_info: {
        user: 'root',
        name: 'left',
        roles: ['*'],
        checkpoint: true,
        capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
        ...(id !== undefined && { id }),
      },
    },
  };
}

async function agentsOf({ url }: MasterProcess): Promise<readonly Plain[]> {
  const { slaves } = JSON.parse((await ask(`${url}/slaves`)).text) as {
    readonly slaves: readonly Plain[];
  };
  return slaves;
}

/** What operators have decided, by where it is read. */
async function decided({ url }: MasterProcess): Promise<Plain> {
  const read = async (path: string): Promise<readonly [string, Plain]> => [
    path,
    JSON.parse((await ask(url + path)).text) as Plain,
  ];
  const quota = await ask(`${url}/api/v1`, { method: 'POST', body: text({ type: 'GET_QUOTA' }) });
  const paths = ['/weights', '/maintenance/schedule', '/maintenance/status'];
  return {
    ...Object.fromEntries(await Promise.all(paths.map(read))),
    quota: JSON.parse(quota.text) as Plain,
  };
}
