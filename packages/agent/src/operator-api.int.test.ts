/** The reads of the agent's API beside recorded answers of the original, in both encodings. */

import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordings, recordingsFacility, shapeDifferences } from '@dcos/testkit';
import { agentApi, decode } from '@dcos/wire';
import { agentScene } from './testing/agent-scene.ts';
import { commandTask, until } from './testing/fake-master.ts';

const scene = agentScene();

const COMMAND = 'executors[].executor_info.command';
/** What differs, and why; extra keys of ours are allowed. */
const DIFFERENT: ReadonlySet<string> = new Set([
  // A command task has no executor program, whose arguments and variables the original shows.
  ...['get_executors', 'get_state.get_executors'].flatMap((path) => [
    `${path}.${COMMAND}.environment`,
    `${path}.${COMMAND}.arguments`,
  ]),
  // The framework of the recording had one role, of the old form.
  ...['get_frameworks', 'get_state.get_frameworks'].map(
    (path) => `${path}.frameworks[].framework_info.role`,
  ),
  // Of a checkout, which a release does not know of.
  'get_version.version_info.git_sha',
  'get_version.version_info.git_branch',
]);

test.skipIf(!recordingsFacility.available)(
  `reads answer as recorded${recordingsFacility.note}`,
  async () => {
    const { master, start } = scene();
    const agent = await start();
    // The recorded task had an update that was not acknowledged.
    master.acknowledging = false;
    master.run(commandTask('shown', 'sleep 100'));
    await until(() => agent.snapshot().live[0]?.pid, 'the task runs');
    const reads = recordings('snapshots/2-running/agent-v1').filter(
      ({ body, status }) => status === 200 && /"GET_/.test(body),
    );
    expect(reads.length).toBeGreaterThan(10);
    const differences: string[] = [];
    for (const { name, body, answer, contentType } of reads) {
      const ask = async (accept: string): Promise<Response> =>
        await fetch(`${agent.url}/api/v1`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept },
          body,
        });
      const response = await ask('application/json');
      expect([name, response.status, response.headers.get('content-type')]).toEqual([
        name,
        200,
        contentType,
      ]);
      const ours: unknown = await response.json();
      const found = shapeDifferences(JSON.parse(answer), ours, DIFFERENT);
      differences.push(...found.map((difference) => `${name}: ${difference}`));
      const bytes = new Uint8Array(await (await ask('application/x-protobuf')).arrayBuffer());
      expect(decode(agentApi.ResponseType, bytes).type).toBe(JSON.parse(body).type);
    }
    expect(differences).toEqual([]);
  },
);

test.each(['MARK_RESOURCE_PROVIDER_GONE'])('%s says that it is not there', async (type) => {
  const agent = await scene().start();
  const response = await fetch(`${agent.url}/api/v1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type }),
  });
  expect(response.status).toBe(501);
  expect(await response.text()).toContain(type);
});

test('message flow is logged for a while', async () => {
  const { url } = await scene().start();
  const call = async (body: object): Promise<Response> =>
    await fetch(`${url}/api/v1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(body),
    });
  const level = async (): Promise<string> =>
    await (await fetch(`${url}/logging/toggle`, { headers: { connection: 'close' } })).text();
  const duration = { nanoseconds: 600e9 };
  const set = await call({ type: 'SET_LOGGING_LEVEL', set_logging_level: { level: 2, duration } });
  expect([set.status, await set.text()]).toEqual([200, '']);
  expect(await level()).toBe('2\n');
  expect(await (await call({ type: 'GET_LOGGING_LEVEL' })).json()).toMatchObject({
    get_logging_level: { level: 2 },
  });
  for (const [query, text] of [
    ['level=1', "Expecting 'duration=value' in query.\n"],
    ['level=x&duration=1mins', "Failed to convert 'x' to number.\n"],
    ['level=1&duration=x', "Invalid duration 'x'.\n"],
  ]) {
    const response = await fetch(`${url}/logging/toggle?${query}`);
    expect([response.status, await response.text()]).toEqual([400, text]);
  }
  await fetch(`${url}/logging/toggle?level=3&duration=1ms`);
  await expect.poll(level).toBe('0\n');
  expect((await call({ type: 'SET_LOGGING_LEVEL' })).status).toBe(400);
});

test('files of a sandbox are listed and read, and nothing outside', async () => {
  const { url } = await scene().start();
  const { master, workDir } = scene();
  master.run(commandTask('files', 'echo text >word; ln -s /etc/passwd link'));
  await master.waitFor('files', 'TASK_FINISHED');
  const runs = join(workDir, 'slaves/fake-S0/frameworks/framework-0000/executors/files/runs');
  const path = join(runs, readlinkSync(join(runs, 'latest')));
  const call = async (body: object): Promise<Response> =>
    await fetch(`${url}/api/v1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
    });
  const listed = await call({ type: 'LIST_FILES', list_files: { path } });
  const { list_files } = (await listed.json()) as {
    readonly list_files: { readonly file_infos: readonly { readonly path: string }[] };
  };
  expect(list_files.file_infos.map((file) => file.path.slice(path.length + 1))).toEqual([
    'link',
    'stderr',
    'stdout',
    'word',
  ]);
  const read = async (name: string, more: object = {}): Promise<Response> =>
    await call({ type: 'READ_FILE', read_file: { path: join(path, name), offset: 0, ...more } });
  expect(await (await read('word')).json()).toEqual({
    type: 'READ_FILE',
    read_file: { size: 5, data: Buffer.from('text\n').toString('base64') },
  });
  expect(await (await read('word', { offset: 1, length: 2 })).json()).toMatchObject({
    read_file: { size: 5, data: Buffer.from('ex').toString('base64') },
  });
  expect((await read('link')).status).toBe(403);
  expect((await read('../../../../../../../../../../etc/passwd')).status).toBe(404);
  expect((await read('nothing')).status).toBe(404);
});
