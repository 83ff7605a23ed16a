/**
 * The life of a cluster after its first day, with hosts in containers and three masters: more agents, fewer agents, of
 * which those that go are drained, through kills.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerImage, temporaryDirectory, waitFor } from '@dcos/testkit';
import { engine, HOST_IMAGE } from '../engine.ts';
import { runInstaller, saidBy, type InstallerEvent, type InstallerRun } from './installer-run.ts';

const facility = dockerImage(HOST_IMAGE);
const PATIENCE_MS = 180_000;
const NAME = `life-${process.pid}`;
const directory = temporaryDirectory('installer-life');
const config = join(directory.path, 'cluster.yaml');
let url = '';

const run = async (
  words: readonly string[],
  onEvent?: (event: InstallerEvent) => 'kill' | void,
): Promise<InstallerRun> =>
  await runInstaller(words, {
    directory: directory.path,
    config,
    ...(onEvent !== undefined && { onEvent }),
  });

async function succeeds(...words: readonly string[]): Promise<InstallerRun> {
  const result = await run(words);
  expect(result.code, saidBy(result)).toBe(0);
  return result;
}

/** Names of the cluster's hosts, in order. */
async function hosts(): Promise<readonly string[]> {
  const filters = { label: [`dcos.cluster=${NAME}`] };
  const found = await engine.listContainers({ all: true, filters });
  const prefix = `/dcos-${NAME}-`;
  return found.map(({ Names }) => (Names[0] ?? '').slice(prefix.length)).sort();
}

async function ask<T>(path: string): Promise<T> {
  const answer = await fetch(`${url}${path}`);
  return (await answer.json()) as T;
}

interface Task {
  readonly id: string;
  readonly host: string;
  readonly state: string;
}

async function runningTasks(): Promise<readonly Task[]> {
  const { tasks } = await ask<{ readonly tasks: readonly Task[] }>(
    '/service/marathon/v2/apps/web/tasks',
  );
  return tasks.filter(({ state }) => state === 'TASK_RUNNING');
}

/** Addresses of agents that the leading master knows. */
async function agents(): Promise<readonly string[]> {
  const { slaves } = await ask<{ readonly slaves: readonly { readonly hostname: string }[] }>(
    '/mesos/slaves',
  );
  return slaves.map(({ hostname }) => hostname.replace(/^.*\./, '')).sort();
}

describe.skipIf(!facility.available)(`the life of a cluster${facility.note}`, () => {
  beforeAll(async () => {
    writeFileSync(
      config,
      [
        `name: ${NAME}`,
        'provider: docker',
        'docker:',
        '  masters: 3 # for life',
        '  privateAgents: 1',
        '  publicAgents: 0',
        `  image: ${HOST_IMAGE}`,
        '  outbound: false',
        '',
      ].join('\n'),
    );
    const deployed = await succeeds('deploy');
    url = String(deployed.events.find(({ event }) => event === 'cluster.url')?.['url']);
    const created = await fetch(`${url}/service/marathon/v2/apps`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        id: '/web',
        cmd: 'exec python3 -m http.server $PORT0',
        cpus: 1.5,
        mem: 32,
        instances: 3,
      }),
    });
    expect(created.status).toBe(201);
  });
  afterAll(async () => {
    await run(['destroy', '--yes']);
    directory.remove();
  });

  test('scaled out, new agents take what had no room', async () => {
    await succeeds('scale', '--private-agents', '3');
    await waitFor('all instances', async () => (await runningTasks()).length === 3, PATIENCE_MS);
    expect((await succeeds('plan')).events.at(-1)).toMatchObject({ changes: 0 });
  });

  test('scaled in, agents are drained: killed in between, the next run goes on', async () => {
    const plain = await run(['scale', '--private-agents', '2']);
    // Nobody can be asked whether that is meant; then nothing changes.
    expect(plain.code).toBe(2);
    expect((await succeeds('plan')).events.at(-1)).toMatchObject({ changes: 0 });
    const killed = await run(['scale', '--private-agents', '2', '--yes'], ({ event }) =>
      event === 'host.leaving' ? 'kill' : undefined,
    );
    expect(killed.code).toBeNull();
    const leaving = (await succeeds('plan')).events.filter(({ event }) => event === 'plan.leaving');
    expect(leaving.map(({ host }) => host)).toEqual(['private-3']);
    await succeeds('deploy', '--yes');
    expect(await hosts()).toEqual(['master-1', 'master-2', 'master-3', 'private-1', 'private-2']);
    expect(await agents()).toEqual(['20', '21']);
    await waitFor('all instances', async () => (await runningTasks()).length === 3, PATIENCE_MS);
    expect(
      (await succeeds('deploy')).events.find(({ event }) => event === 'deploy.done'),
    ).toMatchObject({ changed: 0 });
  });
});
