/** What tasks bring along, through a real agent: what is wrong with it fails its task and concerns nobody else. */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getuid, platform } from 'node:process';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import type { CommandInfo_URI } from '@dcos/wire';
import { agentScene } from './testing/agent-scene.ts';
import { commandTask, type FakeMaster } from './testing/fake-master.ts';

const scene = agentScene();
let master: FakeMaster;
let files: ReturnType<typeof temporaryDirectory>;

beforeEach(() => {
  ({ master } = scene());
  files = temporaryDirectory('files');
  writeFileSync(join(files.path, 'secret'), 'untouched');
});
afterEach(() => files.remove());

const path = (name: string): string => join(files.path, name);
function tar(name: string, options: readonly string[], entries: readonly string[]): string {
  execFileSync('tar', ['-C', path('tree'), '-cf', path(name), ...options, ...entries]);
  return path(name);
}
const sandbox = (id: string): string =>
  join(scene().workDir, `slaves/latest/frameworks/framework-0000/executors/${id}/runs/latest`);

test('hostile archives are refused, and the next task runs', async () => {
  await scene().start();
  mkdirSync(path('tree'));
  writeFileSync(path('tree/file'), 'mine');
  symlinkSync(files.path, path('tree/link'));
  const upwards = tar('upwards.tar', ['-P', '--transform=s|^file|../../../../file|'], ['file']);
  const link = tar('link.tar', [], ['link']);
  const through = tar('through.tar', ['--transform=s|^file|link/secret|'], ['link', 'file']);
  writeFileSync(path('half.tar.gz'), gzipSync(readFileSync(link)).subarray(0, 40));
  const cases: readonly (readonly [id: string, uri: CommandInfo_URI, problem: string])[] = [
    ['upwards', { value: upwards }, "holds '..'"],
    ['link', { value: link }, 'leads out'],
    ['through', { value: through }, 'leads out'],
    ['half', { value: path('half.tar.gz') }, 'Failed to fetch'],
    ['outside', { value: path('secret'), output_file: '../../x' }, 'inside the sandbox'],
    ['hadoop', { value: 'hdfs://name/x' }, 'Hadoop'],
  ];
  for (const [id, uri, problem] of cases) {
    master.run(commandTask(id, 'true', { command: { value: 'true', uris: [uri] } }));
    const failed = await master.waitFor(id, 'TASK_FAILED');
    expect(failed).toMatchObject({ reason: 'REASON_CONTAINER_LAUNCH_FAILED' });
    expect(failed.message, id).toContain(problem);
    expect(readFileSync(join(sandbox(id), 'stderr'), 'utf8')).toContain(problem);
    expect(readdirSync(sandbox(id)).filter((name) => name.startsWith('.fetch'))).toEqual([]);
  }
  expect(readFileSync(path('secret'), 'utf8')).toBe('untouched');
  expect(existsSync(path('file'))).toBe(false);
  const uris = [{ value: tar('good.tar', [], ['file']) }];
  master.run(commandTask('good', '', { command: { value: '[ "$(cat file)" = mine ]', uris } }));
  await master.waitFor('good', 'TASK_FINISHED');
});

const canMount = platform === 'linux' && getuid?.() === 0;

test.skipIf(!canMount)('a file that the disk has no room for fails its task only', async () => {
  const disk = path('disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', disk]);
  try {
    const workDir = join(disk, 'agent');
    await scene().start({ workDir });
    // Nothing of it is on the disk that it comes from.
    execFileSync('truncate', ['-s', '1G', path('large')]);
    const fetching = (id: string, value: string): void =>
      master.run(commandTask(id, '', { command: { value: 'true', uris: [{ value }] } }));
    fetching('large', path('large'));
    const failed = await master.waitFor('large', 'TASK_FAILED');
    expect(failed).toMatchObject({ reason: 'REASON_CONTAINER_LAUNCH_FAILED' });
    expect(failed.message).toContain('no space left on device');
    fetching('small', path('secret'));
    await master.waitFor('small', 'TASK_FINISHED');
  } finally {
    await scene().stop();
    execFileSync('umount', [disk]);
  }
});

test.skipIf(getuid?.() !== 0)(
  "nobody but the agent is in a sandbox until all was fetched, then it is the task's",
  async () => {
    const asked = Promise.withResolvers<ServerResponse>();
    const server = createServer((_request, response) => asked.resolve(response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      chmodSync(scene().workDir, 0o755);
      await scene().start();
      const { port } = server.address() as AddressInfo;
      const uris = [
        { value: path('secret'), output_file: 'deep/first' },
        { value: `http://127.0.0.1:${port}/second` },
      ];
      const value = 'rm deep/first second && touch mine && [ "$(id -un)" = nobody ]';
      master.run(commandTask('owned', '', { command: { value, uris, user: 'nobody' } }));
      const response = await asked.promise;
      const ownerOf = (name: string): readonly unknown[] => {
        const { uid, gid, mode } = statSync(join(sandbox('owned'), name));
        return [uid, gid, mode & 0o777];
      };
      expect(ownerOf('.')).toEqual([0, 0, 0o700]);
      response.end('second');
      await master.waitFor('owned', 'TASK_FINISHED');
      const ids = ['-u', '-g'].map((flag) =>
        Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' })),
      );
      expect(ownerOf('.')).toEqual([...ids, 0o755]);
      expect(ownerOf('deep')).toEqual([...ids, 0o755]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  },
);

test('what tasks have fetched is counted, and kept for the next one', async () => {
  const agent = await scene().start();
  const uris = [{ value: path('secret'), cache: true }];
  for (const id of ['one', 'two']) {
    master.run(commandTask(id, '', { command: { value: 'cat secret', uris } }));
    await master.waitFor(id, 'TASK_FINISHED');
  }
  master.run(commandTask('bad', '', { command: { value: 'true', uris: [{ value: '/none' }] } }));
  await master.waitFor('bad', 'TASK_FAILED');
  const metrics = await fetch(`${agent.url}/metrics/snapshot`, {
    headers: { connection: 'close' },
  });
  expect(await metrics.json()).toMatchObject({
    'containerizer/fetcher/task_fetches_succeeded': 2,
    'containerizer/fetcher/task_fetches_failed': 1,
    'containerizer/fetcher/cache_size_total_bytes': 2 * 1024 ** 3,
    'containerizer/fetcher/cache_size_used_bytes': 9,
  });
  expect(readFileSync(join(sandbox('two'), 'stderr'), 'utf8')).toContain('through the cache');
});
