/** A backup of a box that runs, taken over by another box. */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  runBoxToExit,
  startBoxProcess,
  temporaryDirectory,
  workspaceRoot,
  type BoxProcess,
  type TemporaryDirectory,
} from '@dcos/testkit';
import { boxClient } from './testing/box-client.ts';

let scratch: TemporaryDirectory;
const boxes: BoxProcess[] = [];
beforeEach(() => {
  scratch = temporaryDirectory('box-restore');
});
afterEach(async () => {
  for (const box of boxes.splice(0)) await box.stop('SIGTERM');
  scratch.remove();
});

const at = (name: string): string => join(scratch.path, name);

async function start(name: string, flags: readonly string[] = []): Promise<BoxProcess> {
  const box = await startBoxProcess(at(name), flags);
  boxes.push(box);
  return box;
}

test('a new box goes on with the apps of another', async () => {
  const first = await start('first');
  const app = { id: 'sleep', cmd: 'sleep 1000', cpus: 0.1, mem: 32, instances: 2 };
  expect(await boxClient(first).marathon('POST', '/apps', app)).toMatchObject({ status: 201 });
  await boxClient(first).running('sleep', 2);
  const main = join(workspaceRoot, 'packages/ops/src/main.ts');
  const vector = ['--conditions=@dcos/source', main, 'backup', '--from', at('first'), '--json'];
  const said = execFileSync(process.execPath, [...vector, '--to', at('backup')], {
    encoding: 'utf8',
  });
  expect(JSON.parse(said)).toMatchObject({ file: at('backup'), sha256: expect.any(String) });

  const second = await start('second', ['--restore', at('backup')]);
  const { tasks } = await boxClient(second).running('sleep', 2);
  expect(tasks).toHaveLength(2);
  expect(
    await runBoxToExit(['--port', '0', '--data-dir', at('second'), '--restore', at('backup')]),
  ).toMatchObject({ code: 5 });
  await second.stop('SIGTERM');
  expect(
    await runBoxToExit(['--port', '0', '--data-dir', at('second'), '--restore', at('backup')]),
  ).toMatchObject({ code: 4, errorOutput: expect.stringContaining('is there already') });
});

test('a damaged backup is refused, and the folder can be used for another', async () => {
  writeFileSync(at('backup'), 'hello\n');
  const refused = await runBoxToExit([
    '--port',
    '0',
    '--data-dir',
    at('new'),
    '--restore',
    at('backup'),
  ]);
  expect(refused).toMatchObject({
    code: 1,
    errorOutput: expect.stringContaining('no whole backup'),
  });
  await start('new');
});
