import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { createOciRuntime } from '@dcos/containers';
import type { TaskInfo } from '@dcos/wire';
import type { AgentConfigInput } from './config.ts';
import type { RunningAgent } from './shell/start-agent.ts';
import { agentScene } from './testing/agent-scene.ts';
import { commandTask, FRAMEWORK, until, type FakeMaster } from './testing/fake-master.ts';

const reason = await createOciRuntime({ stateRoot: '/none', logger: silentLogger }).unavailable();
if (reason !== undefined) console.warn(`SKIPPED agent with the runtime oci: ${reason}`);
const hasNetworks = ['/usr/lib/cni/bridge', '/usr/sbin/iptables', '/bin/busybox'].every(existsSync);
if (!hasNetworks)
  console.warn(
    'SKIPPED networks of an agent: apt-get install containernetworking-plugins iptables busybox-static',
  );

describe.skipIf(reason !== undefined)('an agent with the runtime oci', () => {
  const scene = agentScene();
  let master: FakeMaster;
  let workDir = '';
  beforeEach(() => ({ master, workDir } = scene()));
  const start = async (more?: AgentConfigInput): Promise<RunningAgent> =>
    await scene().start({ runtimes: 'oci', ...more });

  const sandbox = (id: string, file: string): string => {
    const executor = `slaves/latest/frameworks/framework-0000/executors/${id}`;
    return join(workDir, executor, 'runs/latest', file);
  };

  test('runs a command task among processes of its own', async () => {
    const agent = await start();
    const value =
      'cd /proc; echo $(ls -d [0-9]* | wc -l) processes; cd; echo "$MESOS_SANDBOX"; exit 3';
    master.run(commandTask('hello', value));
    expect((await master.waitFor('hello', 'TASK_FAILED')).message).toBe(
      'Command exited with status 3',
    );
    expect(master.statesOf('hello')).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FAILED']);
    const output = await readFile(sandbox('hello', 'stdout'), 'utf8');
    const [processes, path] = output.trim().split('\n');
    // The first process, the shell, and what counts.
    expect(Number(processes?.split(' ')[0])).toBeLessThan(6);
    expect(path).toContain('/executors/hello/runs/');
    const flags = await fetch(`${agent.url}/flags`, { headers: { connection: 'close' } });
    expect(await flags.json()).toMatchObject({
      flags: { containerizers: 'mesos', launcher: 'linux' },
    });
  });

  test('a task that takes too much memory fails with the reason and the numbers', async () => {
    await start();
    master.run(commandTask('hog', 'head -c 100m /dev/zero | tail >/dev/null; sleep 60'));
    expect(await master.waitFor('hog', 'TASK_FAILED')).toMatchObject({
      reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
      source: 'SOURCE_AGENT',
      message: 'Memory limit exceeded: Requested: 32MB Maximum Used: 32MB',
      limitation: { resources: [{ name: 'mem', type: 'SCALAR', scalar: { value: 32 } }] },
    });
  });

  test('a task that runs is killed gently, and its usage is shown with its limits', async () => {
    const agent = await start({ cgroupsEnableCfs: true });
    master.run(commandTask('sleeper', 'sleep 60'));
    await master.waitFor('sleeper', 'TASK_RUNNING');
    const answer = await fetch(`${agent.url}/containers`, { headers: { connection: 'close' } });
    expect(await answer.json()).toMatchObject([
      {
        executor_id: 'sleeper',
        statistics: {
          cpus_limit: 0.1,
          mem_limit_bytes: 32 * 1024 * 1024,
          mem_soft_limit_bytes: 32 * 1024 * 1024,
          processes: expect.any(Number) as number,
          threads: expect.any(Number) as number,
        },
      },
    ]);
    master.kill('sleeper');
    expect((await master.waitFor('sleeper', 'TASK_KILLED')).message).toBe(
      'Command terminated with signal Terminated',
    );
  });

  test('a task survives the agent, and its end is told by the next one', async () => {
    const first = await start();
    master.run(commandTask('survivor', 'until [ -e go ]; do sleep 0.05; done; echo done; exit 4'));
    await master.waitFor('survivor', 'TASK_RUNNING');
    await first.close();
    await start();
    const path = sandbox('survivor', 'go');
    master.run(commandTask('helper', `touch ${path}`));
    expect((await master.waitFor('survivor', 'TASK_FAILED')).message).toBe(
      'Command exited with status 4',
    );
    expect(await readFile(sandbox('survivor', 'stdout'), 'utf8')).toBe('done\n');
  });

  test.runIf(hasNetworks)(
    'a task with a network of its own has its address in the status',
    async () => {
      await start();
      const container = { type: 'MESOS', network_infos: [{ name: 'mesos-bridge' }] } as const;
      master.run(commandTask('own', 'exec sleep 60', { container }));
      const { container_status } = await master.waitFor('own', 'TASK_RUNNING');
      expect(container_status?.network_infos).toEqual([
        {
          name: 'mesos-bridge',
          ip_addresses: [
            { protocol: 'IPv4', ip_address: expect.stringMatching(/^172\.31\.254\./) as string },
          ],
        },
      ]);
    },
  );

  test.runIf(hasNetworks)(
    'checks reach what listens at the loopback of a network of its own',
    async () => {
      await start();
      const container = { type: 'MESOS', network_infos: [{ name: 'mesos-bridge' }] } as const;
      const program = "require('net').createServer((each) => each.end()).listen(8080, '127.0.0.1')";
      const vector = ['node', '-e', program];
      const often = { delay_seconds: 0, interval_seconds: 0.2, grace_period_seconds: 60 };
      master.run(
        commandTask('inner', '', {
          container,
          command: { shell: false, value: process.execPath, arguments: vector },
          resources: [
            { name: 'cpus', type: 'SCALAR', scalar: { value: 0.5 } },
            { name: 'mem', type: 'SCALAR', scalar: { value: 256 } },
          ],
          health_check: { type: 'TCP', tcp: { port: 8080 }, ...often },
        }),
      );
      await until(() => master.updates.some(({ healthy }) => healthy === true), 'it is healthy');
    },
  );

  test('a task is held to limits apart from what it asks for', async () => {
    const agent = await start();
    expect(master.registrations[0]?.capabilities).toContainEqual({ type: 'TASK_RESOURCE_LIMITS' });
    const limits = { cpus: { value: 0.5 }, mem: { value: 64 } };
    master.run(commandTask('limited', 'exec sleep 60', { limits }));
    await master.waitFor('limited', 'TASK_RUNNING');
    const answer = await fetch(`${agent.url}/containers`, { headers: { connection: 'close' } });
    expect(await answer.json()).toMatchObject([
      {
        statistics: {
          cpus_limit: 0.5,
          cpus_soft_limit: 0.1,
          mem_limit_bytes: 64 * 1024 * 1024,
          mem_soft_limit_bytes: 32 * 1024 * 1024,
        },
      },
    ]);
  });

  test('a task has its secrets, and they are gone with it', async () => {
    await start();
    const secret = { type: 'VALUE', value: { data: Buffer.from('geheim') } } as const;
    const variables = [{ name: 'PASSWORD', type: 'SECRET', secret }] as const;
    const value = 'echo "$PASSWORD"; cat etc/password; echo x >etc/password';
    const source = { type: 'SECRET', secret } as const;
    const volumes = [{ mode: 'RO', container_path: 'etc/password', source }] as const;
    master.run(
      commandTask('keeper', value, {
        command: { value, environment: { variables } },
        container: { type: 'MESOS', volumes },
      }),
    );
    // Nobody writes to it, not even root.
    await master.waitFor('keeper', 'TASK_FAILED');
    expect(await readFile(sandbox('keeper', 'stdout'), 'utf8')).toBe('geheim\ngeheim');
    const files = join(workDir, 'run', 'secrets');
    await expect.poll(async () => await readdir(files), { timeout: 20_000 }).toEqual([]);
  });

  test('a directory of the host that is not allowed is no volume', async () => {
    await start({ hostPathVolumeAllow: ['/srv'] });
    const volumes = [{ mode: 'RW', host_path: '/etc', container_path: 'etc' }] as const;
    master.run(commandTask('nosy', 'true', { container: { type: 'MESOS', volumes } }));
    expect((await master.waitFor('nosy', 'TASK_FAILED')).message).toBe(
      "Failed to launch container: the host path '/etc' is not among those that tasks may have",
    );
  });

  test.runIf(hasNetworks)(
    'the tasks of a pod share localhost, an address and a volume, also after a restart',
    async () => {
      const first = await start();
      const volumes = [
        {
          mode: 'RW',
          container_path: 'shared',
          source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path: 'pod' } },
        },
      ] as const;
      const member = (id: string, value: string): TaskInfo =>
        commandTask(id, value, { container: { type: 'MESOS', volumes } });
      const server = 'while :; do echo hello | busybox nc -l -p 8080; done';
      const client = [
        'until busybox nc 127.0.0.1 8080 >answer && [ -s answer ]; do sleep 0.1; done',
        'cp answer shared/answer',
        'until [ -e shared/go ]; do sleep 0.1; done; exit 0',
      ].join('; ');
      master.send({
        type: 'RUN_TASK_GROUP',
        run_task_group: {
          framework_info: FRAMEWORK,
          executor: {
            type: 'DEFAULT',
            executor_id: { value: 'pod' },
            container: { type: 'MESOS', network_infos: [{ name: 'mesos-bridge' }] },
          },
          task_group: { tasks: [member('server', server), member('client', client)] },
          launch_executor: true,
        },
      });
      const [one, other] = await Promise.all([
        master.waitFor('server', 'TASK_RUNNING'),
        master.waitFor('client', 'TASK_RUNNING'),
      ]);
      const [network] = one.container_status?.network_infos ?? [];
      expect(network).toMatchObject({ name: 'mesos-bridge' });
      expect(other.container_status?.network_infos).toEqual([network]);
      const pod = join(workDir, 'slaves/latest/frameworks/framework-0000/executors/pod/runs');
      const [run = ''] = await readdir(pod);
      const shared = (name: string): string => join(pod, run, 'pod', name);
      await until(() => existsSync(shared('answer')), 'the client has its answer');
      expect(await readFile(shared('answer'), 'utf8')).toBe('hello\n');
      await first.close();
      await start();
      await writeFile(shared('go'), '');
      await master.waitFor('client', 'TASK_FINISHED');
      expect(master.statesOf('server').at(-1)).toBe('TASK_RUNNING');
      master.kill('server');
      await master.waitFor('server', 'TASK_KILLED');
      // The holder of the network goes with the last task.
      await until(() => !existsSync(join(workDir, 'run', 'oci', run)), 'the holder is gone');
    },
  );
});
