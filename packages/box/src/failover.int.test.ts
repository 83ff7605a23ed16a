/**
 * Several masters, of which one leads: killed and frozen, with a task that runs on, and a reader of
 * ZooKeeper that is not ours.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { silentLogger } from '@dcos/base';
import { subscribeOperator, systemClock, systemRandom } from '@dcos/sdk';
import { mastersOf } from '@dcos/store';
import {
  facility,
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

/** Of the distribution: the path may have another Python first. */
const PYTHON = '/usr/bin/python3';
const KAZOO = '/usr/lib/python3/dist-packages/kazoo';
const needed = [
  zooKeeper(),
  facility(existsSync(PYTHON) && existsSync(KAZOO), 'python3-kazoo is not installed'),
];
const missing = needed.find(({ available }) => !available);

/** Prints the leader's MasterInfo for each line that it reads, as detectors find it. */
const READER = `
import sys
from kazoo.client import KazooClient
zk = KazooClient(hosts=sys.argv[1])
zk.start()
for line in sys.stdin:
    # The server that is asked may be behind the others.
    zk.sync(sys.argv[2])
    names = sorted(n for n in zk.get_children(sys.argv[2]) if n.startswith('json.info_'))
    print(zk.get(sys.argv[2] + '/' + names[0])[0].decode() if names else 'null', flush=True)
`;

interface Followed {
  /** Of the last snapshot. */
  leader: string | undefined;
  readonly heard: string[];
}

const FAILOVERS = 10;
/** Longer than a leader is waited for: whoever is replaced was not waited for to expire. */
const LONG_SESSION = '60secs';
const LED_TIMEOUT_MS = 40_000;
/** Longer than a busy machine lets a process wait for its turn. */
const SHORT_SESSION = '5secs';
/** A leader that is killed before the next in line has reached it is waited for, as one that is silent. */
const KILLED_SESSION = '10secs';
/** Far less than that session. */
const AT_ONCE_MS = 5_000;

describe.skipIf(missing !== undefined)(`several masters${missing?.note ?? ''}`, () => {
  const closers: (() => Promise<void> | void)[] = [];
  let ensemble: ZooKeeperEnsemble;

  beforeAll(async () => {
    ensemble = await startZooKeeperEnsemble(3);
  });
  afterAll(async () => {
    await ensemble?.stop();
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function startMaster(path: string, sessionTimeout: string): Promise<MasterProcess> {
    const master = await startMasterProcess(ensemble.address(path), sessionTimeout);
    closers.push(() => master.kill());
    return master;
  }

  async function startMasters(path: string, sessionTimeout: string): Promise<MasterProcess[]> {
    return await Promise.all([1, 2, 3].map(() => startMaster(path, sessionTimeout)));
  }

  /** Starts an agent and gives its folder. */
  function startAgent(mastersSetting: string): string {
    const folder = temporaryDirectory('failover-agent');
    closers.push(() => folder.remove());
    const agent = startAgentProcess(mastersSetting, folder.path);
    closers.push(() => agent.kill());
    return folder.path;
  }

  /** How many agents are connected to a master. */
  async function agentsOf(url: string): Promise<number> {
    const { text } = await ask(`${url}/slaves`);
    const { slaves } = JSON.parse(text) as { readonly slaves: readonly Plain[] };
    return slaves.filter(({ active }) => active === true).length;
  }

  const untilLed = async (masters: readonly MasterProcess[]): Promise<MasterProcess> =>
    await waitFor('a leading master', () => leaderOf(masters), LED_TIMEOUT_MS);

  function startReader(path: string): ChildProcess {
    const hosts = ensemble.address('').slice('zk://'.length);
    const reader = spawn(PYTHON, ['-c', READER, hosts, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    closers.push(() => void reader.kill('SIGKILL'));
    return reader;
  }

  /** What a client of ours hears that looks for the leader in ZooKeeper: whose snapshots, and how streams ended. */
  function followOperator(path: string): Followed {
    const followed: Followed = { leader: undefined, heard: [] };
    const common = { clock: systemClock, random: systemRandom, logger: silentLogger };
    const connection = subscribeOperator({
      ...common,
      masters: mastersOf(ensemble.address(path), { ...common, hasTls: false }),
      listener(event) {
        const said =
          event.kind === 'snapshot' ? event.masterUrl : 'problem' in event ? event.problem : '';
        if (event.kind === 'snapshot') followed.leader = event.masterUrl;
        followed.heard.push(`${Math.round(performance.now())} ms: ${event.kind} ${said}`);
      },
    });
    closers.push(() => connection.close());
    return followed;
  }

  test('those that follow send clients to the leader, and answer for themselves', async () => {
    const masters = await startMasters('/follow', LONG_SESSION);
    const leader = await untilLed(masters);
    const target = leader.url.slice('http:'.length);
    for (const master of masters) {
      // Each of them hears of the leader in its own time.
      await waitFor('the redirect', async () => {
        const { status, location } = await ask(`${master.url}/redirect`);
        return status === 307 && location === target;
      });
      expect((await ask(`${master.url}/health`)).status).toBe(200);
      const { flags } = JSON.parse((await ask(`${master.url}/flags`)).text) as { flags: Plain };
      expect(flags).toMatchObject({
        zk: ensemble.address('/follow'),
        zk_session_timeout: '1mins',
      });
      if (master === leader) continue;
      expect(await ask(`${master.url}/master/state?jsonp=f`)).toMatchObject({
        status: 307,
        location: `${target}/master/state?jsonp=f`,
      });
      for (const path of ['/api/v1', '/api/v1/scheduler', '/master/api/v1']) {
        const body = JSON.stringify({ type: 'GET_HEALTH' });
        const answer = await ask(master.url + path, { method: 'POST', body });
        expect(answer).toMatchObject({ status: 307, location: target + path });
      }
      expect((await ask(`${master.url}/nowhere`)).status).toBe(404);
      const metrics = JSON.parse((await ask(`${master.url}/metrics/snapshot`)).text) as Plain;
      expect(metrics['master/elected']).toBe(0);
    }
    // An agent that knows none but one of them is sent on as well.
    const other = masters.find((master) => master !== leader) ?? leader;
    startAgent(other.url);
    await waitFor('the agent at the leader', async () => (await agentsOf(leader.url)) === 1);
    // One by one they end as they are asked to, and the last one leads.
    expect(await other.terminate()).toBe(0);
    expect(await leaderOf([leader])).toBe(leader);
    expect(await agentsOf(leader.url)).toBe(1);
    expect(await leader.terminate()).toBe(0);
    await untilLed(masters.filter((master) => master !== leader && master !== other));
  });

  test('leaders are killed one after another: the next leads, the task runs on', async () => {
    const path = '/kill';
    let masters = await startMasters(path, KILLED_SESSION);
    const workDir = startAgent(ensemble.address(path));
    const reader = startReader(path);
    const lines = createInterface({ input: reader.stdout ?? process.stdin })[
      Symbol.asyncIterator
    ]();
    let leader = await untilLed(masters);
    const followed = followOperator(path);
    const task = await runTask(leader.url, join(workDir, 'pid'));
    closers.push(() => void process.kill(task.pid, 'SIGKILL'));

    const tookMs: number[] = [];
    for (let count = 0; count < FAILOVERS; count++) {
      const killedMs = performance.now();
      await leader.kill();
      const rest = masters.filter((master) => master !== leader);
      leader = await untilLed(rest);
      tookMs.push(performance.now() - killedMs);
      reader.stdin?.write('\n');
      const { value } = (await lines.next()) as { value: string };
      const { hostname, port } = new URL(leader.url);
      expect(JSON.parse(value)).toMatchObject({
        pid: `master@${hostname}:${port}`,
        port: Number(port),
        address: { ip: hostname, port: Number(port) },
      });
      const elected = leader;
      const hasSnapshot = (): boolean => {
        if (followed.leader === elected.url) return true;
        // Seen once, and not explained: whoever meets it again shall know more.
        throw new Error(
          [
            `${performance.now()} ms`,
            ...followed.heard.slice(-20),
            elected.output.slice(-4_000),
          ].join('\n'),
        );
      };
      await waitFor(`a snapshot of ${elected.url}`, hasSnapshot, LED_TIMEOUT_MS);
      masters = [...rest, await startMaster(path, KILLED_SESSION)];
    }
    // The first may be killed before anybody watches over it.
    expect(tookMs.slice(1).filter((ms) => ms > AT_ONCE_MS)).toEqual([]);
    process.stdout.write(
      `a killed leader was replaced in ${tookMs.map(Math.round).join(', ')} ms\n`,
    );

    // The agent found each of them; nothing was started anew.
    const again = await RawStream.subscribe(leader.url, jsonCodec, {
      type: 'SUBSCRIBE',
      framework_id: task.frameworkId,
      subscribe: { framework_info: { ...FRAMEWORK, id: task.frameworkId } },
    });
    closers.push(again.acknowledgeAll());
    await waitFor('the agent at the new leader', async () => {
      const { text } = await ask(`${leader.url}/tasks`);
      return (JSON.parse(text) as { tasks: readonly Plain[] }).tasks.some(
        ({ id, state }) => id === 'kept' && state === 'TASK_RUNNING',
      );
    });
    expect(process.kill(task.pid, 0)).toBe(true);
  });

  test('a leader that was frozen for longer than its session changes nothing more', async () => {
    const masters = await startMasters('/freeze', SHORT_SESSION);
    const old = await untilLed(masters);
    const weights = (weight: number): string => JSON.stringify([{ role: 'a', weight }]);
    const put = async (url: string, weight: number): ReturnType<typeof ask> =>
      await ask(`${url}/weights`, { method: 'PUT', body: weights(weight) });
    expect((await put(old.url, 2)).status).toBe(200);
    old.freeze();
    // It is in the buffers of its kernel, and the first that it reads when it wakes up.
    const late = put(old.url, 3).then(
      ({ status }) => status,
      () => 'no answer',
    );
    const next = await untilLed(masters.filter((master) => master !== old));
    expect((await put(next.url, 4)).status).toBe(200);
    old.thaw();
    expect(await old.exit).toBe(1);
    expect(await late).not.toBe(200);
    expect(JSON.parse((await ask(`${next.url}/weights`)).text)).toEqual([{ role: 'a', weight: 4 }]);
    // Neither did it write what its successor would read.
    await next.kill();
    const last = await untilLed(masters.filter((master) => master !== old && master !== next));
    expect(JSON.parse((await ask(`${last.url}/weights`)).text)).toEqual([{ role: 'a', weight: 4 }]);
  });

  test('ZooKeeper is away for longer than a session: tasks run on, and all comes back', async () => {
    const path = '/away';
    const first = await startMaster(path, SHORT_SESSION);
    const workDir = startAgent(ensemble.address(path));
    const leader = await untilLed([first]);
    const task = await runTask(leader.url, join(workDir, 'pid'));
    closers.push(() => void process.kill(task.pid, 'SIGKILL'));
    await Promise.all(ensemble.servers.map((server) => server.kill()));
    // Nobody can say that it still leads, so it does not.
    expect(await first.exit).toBe(1);
    expect(process.kill(task.pid, 0)).toBe(true);
    // What its supervisor starts waits, and says so.
    const waiting = await startMaster(path, SHORT_SESSION);
    expect((await ask(`${waiting.url}/health`)).status).toBe(200);
    const hosts = ensemble.address('').slice('zk://'.length);
    for (const refused of ['/state', '/redirect', '/api/v1', '/api/v1/scheduler', '/weights']) {
      expect(await ask(waiting.url + refused, { method: 'POST', body: '{}' })).toMatchObject({
        status: 503,
        text: `Waiting for ZooKeeper at ${hosts}: no server answers`,
      });
    }
    const another = await startMaster(path, SHORT_SESSION);
    expect(await another.terminate()).toBe(0);
    for (const server of ensemble.servers) server.start();
    await ensemble.ready();
    const next = await untilLed([waiting]);
    await waitFor('the agent at the new leader', async () => (await agentsOf(next.url)) === 1);
    expect(process.kill(task.pid, 0)).toBe(true);
    const { tasks } = JSON.parse((await ask(`${next.url}/tasks`)).text) as { tasks: Plain[] };
    expect(tasks).toMatchObject([{ id: 'kept', state: 'TASK_RUNNING' }]);
  });

  const FRAMEWORK = {
    user: 'root',
    name: 'kept',
    roles: ['*'],
    checkpoint: true,
    failover_timeout: 3600,
    capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
  };

  /** Starts a task that outlives its scheduler's stream. */
  async function runTask(
    url: string,
    pidFile: string,
  ): Promise<{ readonly frameworkId: Plain; readonly pid: number }> {
    const stream = await RawStream.subscribe(url, jsonCodec, {
      type: 'SUBSCRIBE',
      subscribe: { framework_info: FRAMEWORK },
    });
    closers.push(stream.acknowledgeAll());
    const event = await stream.event('an offer', ({ type }) => type === 'OFFERS');
    const [offer] = at(event, 'offers.offers') as readonly Plain[];
    if (offer === undefined) throw new Error('no offer');
    const scalar = (name: string, value: number): Plain => ({
      name,
      type: 'SCALAR',
      scalar: { value },
      allocation_info: { role: '*' },
    });
    const task: Plain = {
      name: 'kept',
      task_id: { value: 'kept' },
      agent_id: offer['agent_id'],
      resources: [scalar('cpus', 0.1), scalar('mem', 32)],
      command: { value: `echo $$ > ${pidFile}; exec sleep 1000` },
    };
    const operations = [{ type: 'LAUNCH', launch: { task_infos: [task] } }];
    const accept = { offer_ids: [offer['id']], operations };
    expect(await stream.call({ type: 'ACCEPT', accept })).toBe(202);
    await stream.event(
      'TASK_RUNNING',
      (each) => at(each, 'update.status.state') === 'TASK_RUNNING',
    );
    // The task runs before its shell has said who it is.
    const pid = await waitFor('the process of the task', () => {
      const text = readFileSync(pidFile, 'utf8');
      return text.endsWith('\n') ? Number(text) : undefined;
    });
    return { frameworkId: at(stream.events[0], 'subscribed.framework_id') as Plain, pid };
  }
});
