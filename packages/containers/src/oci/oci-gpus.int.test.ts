/** GPUs of a container, with nodes of other devices in their places: what it was given opens, what it was not does not. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ociObstacle, ociScene } from '../testing/oci-scene.ts';

/** The control device of loops: to open it changes nothing, and no container may without being given it. */
const STAND_IN = '/dev/loop-control';
const reason =
  (await ociObstacle()) ?? (existsSync(STAND_IN) ? undefined : `there is no ${STAND_IN}`);
if (reason !== undefined) console.warn(`SKIPPED GPUs of containers: ${reason}`);

describe.skipIf(reason !== undefined)('GPUs of a container', () => {
  let nodes = '';
  const scene = ociScene((root) => ({ devicesPath: (nodes = join(root, 'dev')) }));
  beforeAll(async () => {
    await mkdir(nodes);
    const node = (name: string, major: number, minor: number): unknown =>
      execFileSync('mknod', ['-m', '666', join(nodes, name), 'c', String(major), String(minor)]);
    node('nvidia0', 10, 237);
    node('nvidia1', 1, 3);
    node('nvidiactl', 1, 3);
    node('nvidia-uvm', 1, 3);
  });
  const opens = (name: string): string => `exec 3<>${join(nodes, name)} && echo open`;

  test('the one that it was given opens', async () => {
    expect(await scene().said(opens('nvidia0'), { gpus: [0] })).toBe('open\n');
  });

  test('one that it was not given does not', async () => {
    expect(await scene().said(opens('nvidia0'), { gpus: [1] })).toMatch(/not permitted/);
    expect(await scene().said(opens('nvidia0'))).toMatch(/not permitted/);
  });

  test('one that is not there is named', async () => {
    await expect(scene().launch('true', { gpus: [7] })).rejects.toThrow(
      /the device of a GPU is not there: .*nvidia7/,
    );
  });
});
