import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '@dcos/base';
import { program, REGISTRY_USER, startDockerRegistry, temporaryDirectory } from '@dcos/testkit';
import type { AgentConfigInput } from './config.ts';
import { startAgent, type RunningAgent } from './shell/start-agent.ts';
import { commandTask, startFakeMaster, until, type FakeMaster } from './testing/fake-master.ts';

const IMAGE = 'python:3';

function obstacle(): string | undefined {
  if (!existsSync('/var/run/docker.sock')) return 'there is no Docker engine';
  try {
    execFileSync('docker', ['image', 'inspect', IMAGE], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `the engine has no image ${IMAGE}`;
  }
}

const reason = obstacle();
if (reason !== undefined) console.warn(`SKIPPED docker tasks of the agent: ${reason}`);

describe.skipIf(reason !== undefined)('with an engine', () => {
  let master: FakeMaster;
  let workDir = '';
  let agent: RunningAgent;

  const start = async (more: AgentConfigInput = {}): Promise<RunningAgent> => {
    const config = {
      masters: [master.url],
      port: 0,
      workDir,
      runtimes: 'process,docker',
      resources: 'ports:[1024-65535]',
      registrationBackoffMs: 10,
      ...more,
    };
    const started = await startAgent(config, { logger: silentLogger });
    await started.registered;
    return started;
  };

  beforeAll(async () => {
    master = await startFakeMaster();
    workDir = await mkdtemp(join(tmpdir(), 'dcos-agent-docker-'));
    agent = await start();
  });
  afterAll(async () => {
    await agent.shutdown({ killTasks: true });
    await master.close();
    await rm(workDir, { recursive: true, force: true });
  });

  test('a web server in a container is checked, survives the agent, and is told with its address', async () => {
    const port = await freePort();
    const web = commandTask('web', 'python3 -m http.server 8080');
    const ports = {
      name: 'ports',
      type: 'RANGES',
      ranges: { range: [{ begin: port, end: port }] },
      allocation_info: { role: '*' },
    } as const;
    master.run(
      commandTask('web', 'python3 -m http.server 8080', {
        resources: [...(web.resources ?? []), ports],
        container: {
          type: 'DOCKER',
          docker: {
            image: IMAGE,
            network: 'BRIDGE',
            port_mappings: [{ host_port: port, container_port: 8080 }],
          },
        },
        health_check: {
          type: 'HTTP',
          http: { port: 8080, path: '/' },
          delay_seconds: 0,
          interval_seconds: 0.2,
          grace_period_seconds: 60,
        },
        kill_policy: { grace_period: { nanoseconds: 1e8 } },
      }),
    );
    const running = await master.waitFor('web', 'TASK_RUNNING');
    const [address] = running.container_status?.network_infos?.[0]?.ip_addresses ?? [];
    expect(address?.ip_address).toMatch(/^172\./);
    await until(() => master.updates.some(({ healthy }) => healthy === true), 'it is healthy');
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    await agent.close();
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    agent = await start();
    expect(agent.snapshot().live).toMatchObject([{ state: 'TASK_RUNNING' }]);
    master.kill('web');
    expect((await master.waitFor('web', 'TASK_KILLED')).message).toMatch(
      /^Container exited with status/,
    );
    const log = await fetch(`${agent.url}/system/v1/logs/v2/task/web/file/stderr`);
    expect(await log.text()).toContain('"GET / HTTP/1.1" 200');
  });

  test('a port that is not the task’s own is not mapped', async () => {
    master.run(
      commandTask('thief', 'true', {
        container: {
          type: 'DOCKER',
          docker: {
            image: IMAGE,
            network: 'BRIDGE',
            port_mappings: [{ host_port: 80, container_port: 80 }],
          },
        },
      }),
    );
    const failed = await master.waitFor('thief', 'TASK_FAILED');
    expect(failed.message).toContain('Port mappings require port resources');
  });

  test('a check reaches what listens at the loopback of a container', async () => {
    master.run(
      commandTask('inner', 'exec python3 -m http.server 8080 --bind 127.0.0.1', {
        container: { type: 'DOCKER', docker: { image: IMAGE, network: 'BRIDGE' } },
        check: {
          type: 'HTTP',
          http: { port: 8080, path: '/none' },
          delay_seconds: 0,
          interval_seconds: 0.2,
        },
        kill_policy: { grace_period: { nanoseconds: 1e8 } },
      }),
    );
    await until(
      () => master.updates.some(({ check_status }) => check_status?.http?.status_code === 404),
      'the server has answered',
    );
    master.kill('inner');
    await master.waitFor('inner', 'TASK_KILLED');
  });

  test('a container has its secrets, whatever its account is', async () => {
    const secret = { type: 'VALUE', value: { data: Buffer.from('geheim') } } as const;
    const variables = [{ name: 'PASSWORD', type: 'SECRET', secret }] as const;
    const value = 'test "$(id -un) $PASSWORD $(cat /run/password)" = "nobody geheim geheim"';
    master.run(
      commandTask('keeper', value, {
        command: { value, user: 'nobody', environment: { variables } },
        container: {
          type: 'DOCKER',
          docker: { image: IMAGE },
          volumes: [
            { mode: 'RO', container_path: '/run/password', source: { type: 'SECRET', secret } },
          ],
        },
      }),
    );
    await master.waitFor('keeper', 'TASK_FINISHED');
  });

  test.skipIf(!program('docker-registry').available || !existsSync('/bin/busybox'))(
    'private images come with credentials of the task or of the agent',
    async () => {
      const registry = await startDockerRegistry({ needsLogin: true });
      const image = `${registry.host}/team/app:1`;
      const files = temporaryDirectory('credentials');
      try {
        mkdirSync(join(files.path, 'bin'));
        copyFileSync('/bin/busybox', join(files.path, 'bin/sh'));
        const layer = execFileSync('tar', ['-C', files.path, '-cf', '-', 'bin'], {
          maxBuffer: 64 * 1024 * 1024,
        });
        await registry.push({ name: 'team/app', tag: '1', layers: [layer] });
        const { username, password } = REGISTRY_USER;
        const auth = Buffer.from(`${username}:${password}`).toString('base64');
        const config = JSON.stringify({ auths: { [registry.host]: { auth } } });
        mkdirSync(join(files.path, '.docker'));
        writeFileSync(join(files.path, '.docker/config.json'), config);
        const archive = join(files.path, 'docker.tar.gz');
        execFileSync('tar', ['-C', files.path, '-czf', archive, '.docker']);
        const run = (id: string, uris: readonly string[]): void =>
          master.run(
            commandTask(id, '', {
              command: { value: 'true', uris: uris.map((value) => ({ value })) },
              container: { type: 'DOCKER', docker: { image, force_pull_image: true } },
            }),
          );
        run('nobody', []);
        const failed = await master.waitFor('nobody', 'TASK_FAILED');
        expect(failed).toMatchObject({ reason: 'REASON_CONTAINER_LAUNCH_FAILED' });
        expect(failed.message).toMatch(/Failed to pull image '.*': .*no basic auth credentials/);
        run('brings', [archive]);
        await master.waitFor('brings', 'TASK_FINISHED');
        await agent.close();
        agent = await start({ dockerConfig: config });
        run('lends', []);
        await master.waitFor('lends', 'TASK_FINISHED');
      } finally {
        await registry.close();
        files.remove();
        await until(() => agent.snapshot().live.length === 0, 'no task is left');
        execFileSync('docker', ['image', 'rm', '--force', image], { stdio: 'ignore' });
      }
    },
  );
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}
