/** What a task may plant in its sandbox, asked for by every way to read files: nothing leads out, and nothing is too large. */

import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import type { Resource } from '@dcos/wire';
import type { RunningAgent } from './shell/start-agent.ts';
import { agentScene } from './testing/agent-scene.ts';
import { commandTask, type FakeMaster } from './testing/fake-master.ts';

const GIBIBYTE = 1024 ** 3;
const PIECE = 64 * 1024;

const scene = agentScene();
let master: FakeMaster;
let agent: RunningAgent;
beforeEach(async () => {
  ({ master } = scene());
  agent = await scene().start();
});

const VIRTUAL = '/frameworks/framework-0000/executors/task/runs/latest';

/** Runs a task to its end; gives the real path of its sandbox. */
async function sandboxOf(command: string): Promise<string> {
  master.run(commandTask('task', command));
  await master.waitFor('task', 'TASK_FINISHED');
  return join(scene().workDir, 'slaves/latest', VIRTUAL);
}

async function ask(path: string, body?: object): Promise<Response> {
  const headers = { connection: 'close', 'content-type': 'application/json' };
  return await fetch(agent.url + path, {
    headers,
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
}

/** Every way to read or list a file of the sandbox, by the name that it has there. */
const WAYS: Readonly<Record<string, (name: string) => Promise<Response>>> = {
  read: async (name) =>
    await ask(`/files/read?offset=0&path=${encodeURIComponent(`${VIRTUAL}/${name}`)}`),
  download: async (name) =>
    await ask(`/files/download?path=${encodeURIComponent(`${VIRTUAL}/${name}`)}`),
  browse: async (name) =>
    await ask(`/files/browse?path=${encodeURIComponent(`${VIRTUAL}/${name}`)}`),
  READ_FILE: async (name) =>
    await ask('/api/v1', {
      type: 'READ_FILE',
      read_file: { path: `${VIRTUAL}/${name}`, offset: 0 },
    }),
  LIST_FILES: async (name) =>
    await ask('/api/v1', { type: 'LIST_FILES', list_files: { path: `${VIRTUAL}/${name}` } }),
  log: async (name) =>
    await ask(`/system/v1/logs/v2/task/task/file/${encodeURIComponent(name)}?cursor=BEG`),
};

test.each(Object.entries(WAYS))('%s shows nothing that is outside', async (_way, get) => {
  const outside = temporaryDirectory('outside');
  try {
    writeFileSync(join(outside.path, 'secret'), 'the secret');
    mkdirSync(join(outside.path, 'inner'));
    writeFileSync(join(outside.path, 'inner/secret'), 'the secret');
    await sandboxOf(
      [
        `ln -s ${outside.path}/secret file && ln -s ${outside.path} directory`,
        'ln -s ../../../../../../../../../../etc/passwd upwards && ln -s file chain',
        'ln -s loop loop && mkfifo pipe && ln -s pipe to-pipe',
      ].join(' && '),
    );
    const names = [
      'file',
      'directory',
      'directory/secret',
      'directory/inner/secret',
      'upwards',
      'chain',
      'loop',
      'pipe',
      'to-pipe',
      '../../../../../../../../../../../../etc/passwd',
      `../../../../../../../../../../../../${outside.path}/secret`,
      'file\0',
    ];
    for (const name of names) {
      const response = await get(name);
      const text = await response.text();
      expect([400, 403, 404], `${name}: ${response.status}`).toContain(response.status);
      expect(text, name).not.toMatch(/the secret|root:|inner/);
    }
    // The agent is well, and what is inside is shown.
    expect((await get('stdout')).status).toBeLessThan(300);
  } finally {
    outside.remove();
  }
});

test('a persistent volume is shown, and nothing that links in it lead to', async () => {
  const volume: Resource = {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 4 },
    allocation_info: { role: '*' },
    reservations: [{ type: 'DYNAMIC', role: 'web' }],
    disk: { persistence: { id: 'data' }, volume: { mode: 'RW', container_path: 'data' } },
  };
  const task = commandTask(
    'task',
    'mkdir data/d && echo kept >data/d/file && ln -s /etc/passwd data/link && ln -s /etc data/etc',
  );
  master.run({ ...task, resources: [...(task.resources ?? []), volume] });
  await master.waitFor('task', 'TASK_FINISHED');
  const get = async (way: string, name: string): Promise<Response> =>
    (await WAYS[way]?.(name)) ?? Response.error();
  expect(await (await get('read', 'data/d/file')).json()).toMatchObject({ data: 'kept\n' });
  expect(await (await get('browse', 'data')).json()).toMatchObject([
    { path: `${VIRTUAL}/data/d` },
    { path: `${VIRTUAL}/data/etc` },
    { path: `${VIRTUAL}/data/link` },
  ]);
  for (const name of ['data/link', 'data/etc/passwd', 'data/etc', 'data/../../../secret'])
    for (const way of ['read', 'browse', 'download'])
      expect([403, 404], `${way} ${name}`).toContain((await get(way, name)).status);
  expect((await get('read', 'database')).status).toBe(404);
});

test('a log of gigabytes is read in pieces', async () => {
  const sandbox = await sandboxOf('echo begin');
  // Nothing of it is on the disk but the first line.
  truncateSync(join(sandbox, 'stdout'), 3 * GIBIBYTE);
  const read = async (
    offset: number,
    length?: number,
  ): Promise<{ data: string; offset: number }> => {
    const more = length === undefined ? '' : `&length=${length}`;
    const response = await ask(`/files/read?path=${VIRTUAL}/stdout&offset=${offset}${more}`);
    return (await response.json()) as { data: string; offset: number };
  };
  expect(await read(-1)).toEqual({ data: '', offset: 3 * GIBIBYTE });
  expect((await read(0)).data.length).toBe(PIECE);
  expect((await read(0, GIBIBYTE)).data.length).toBe(PIECE);
  expect((await read(0, 6)).data).toBe('begin\n');
  expect(await read(3 * GIBIBYTE - 5, GIBIBYTE)).toEqual({
    data: '\0'.repeat(5),
    offset: 3 * GIBIBYTE - 5,
  });
  expect((await read(4 * GIBIBYTE)).data).toBe('');
  const call = { path: `${VIRTUAL}/stdout`, offset: 0, length: GIBIBYTE };
  const { read_file } = (await (
    await ask('/api/v1', { type: 'READ_FILE', read_file: call })
  ).json()) as { readonly read_file: { readonly size: number; readonly data: string } };
  expect(read_file.size).toBe(3 * GIBIBYTE);
  expect(Buffer.from(read_file.data, 'base64').length).toBeLessThanOrEqual(PIECE);
  const download = await ask(`/files/download?path=${VIRTUAL}/stdout`);
  expect(download.headers.get('content-length')).toBe(String(3 * GIBIBYTE));
  const reader = download.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  expect(Buffer.from(value ?? []).toString('utf8', 0, 6)).toBe('begin\n');
  await reader?.cancel();
  const end = await ask('/system/v1/logs/v2/task/task/file/stdout?cursor=END&skip=-1');
  expect(end.status).toBeLessThan(500);
  expect((await end.text()).length).toBeLessThanOrEqual(64 * 1024 * 1024);
});
