/** Containers with roots of their own, made of layers, for real. */

import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CommandInfo, Image } from '@dcos/wire';
import type { ContainerSpec } from '../runtime.ts';
import { ociObstacle, ociScene } from '../testing/oci-scene.ts';
import type { ImageConfig, ImageSource } from './image-port.ts';

const reason =
  (await ociObstacle()) ??
  (existsSync('/bin/busybox') ? undefined : 'apt-get install busybox-static');
if (reason !== undefined) console.warn(`SKIPPED images of the oci runtime: ${reason}`);

const PROGRAMS = [
  'sh',
  'cat',
  'id',
  'ls',
  'pwd',
  'env',
  'echo',
  'mount',
  'touch',
  'sleep',
  'df',
  'tail',
  'tty',
];
const CONFIG: ImageConfig = {
  Entrypoint: ['/bin/sh', '-c', 'echo "entry $0 $*"'],
  Cmd: ['first', 'second'],
  Env: ['COLOR=red', 'SIZE=big', 'PATH=/bin'],
  WorkingDir: '/work',
  User: 'worker',
};

/** A device that most hosts have and that reading does not change. */
const LOOPS = '/dev/loop-control';
const allowedDevices = existsSync(LOOPS)
  ? [{ device: { path: LOOPS }, access: { read: true, write: true } }]
  : [];

describe.skipIf(reason !== undefined)('images of the oci runtime', () => {
  const held = new Map<string, string>();
  let layers: readonly string[] = [];
  let config = CONFIG;
  const images: ImageSource = {
    async prepare(image, { containerId }) {
      held.set(containerId, image.docker?.name ?? '');
      return await Promise.resolve({ rootfsLayers: layers, config });
    },
    async release(containerId) {
      held.delete(containerId);
      await Promise.resolve();
    },
    async keepOnly(containerIds) {
      for (const id of held.keys()) if (!containerIds.has(id)) held.delete(id);
      await Promise.resolve();
    },
  };
  const scene = ociScene(() => ({ images, allowedDevices }));
  beforeAll(async () => {
    const low = join(scene().root, 'layers', 'low');
    const high = join(scene().root, 'layers', 'high');
    for (const path of ['bin', 'etc', 'work', 'tmp'])
      await mkdir(join(low, path), { recursive: true });
    await chmod(join(low, 'tmp'), 0o1777);
    await copyFile('/bin/busybox', join(low, 'bin', 'busybox'));
    for (const name of PROGRAMS) await symlink('busybox', join(low, 'bin', name));
    await writeFile(join(low, 'etc', 'motd'), 'low\n');
    await writeFile(
      join(low, 'etc', 'passwd'),
      'root:x:0:0::/:/bin/sh\nworker:x:1234:1235::/:/bin/sh\n',
    );
    await mkdir(join(high, 'etc'), { recursive: true });
    await writeFile(join(high, 'etc', 'motd'), 'high\n');
    layers = [low, high];
  });

  const spec = (command: CommandInfo): Partial<ContainerSpec> => ({
    command,
    environment: { SIZE: 'small' },
    container: { type: 'MESOS', mesos: { image: { type: 'DOCKER', docker: { name: 'box:1' } } } },
  });
  const said = async (command: CommandInfo, more: Partial<ContainerSpec> = {}): Promise<string> =>
    await scene().said('', { ...spec(command), ...more });

  test.each<[what: string, command: CommandInfo, output: string]>([
    ['the image alone', { shell: false }, 'entry first second\n'],
    [
      'its entry point with other arguments',
      { shell: false, arguments: ['a', 'b c'] },
      'entry a b c\n',
    ],
    ['a program', { shell: false, value: '/bin/echo', arguments: ['echo', 'x'] }, 'x\n'],
    ['a shell command', { value: 'echo $COLOR $SIZE $PATH; pwd' }, 'red small /bin\n/work\n'],
    ['the account of the image', { value: 'id -u; id -g' }, '1234\n1235\n'],
    ['another account', { value: 'id -u', user: 'root' }, '0\n'],
    ['the highest layer', { value: 'cat /etc/motd' }, 'high\n'],
  ])('%s', async (_what, command, output) => {
    expect(await said(command)).toBe(output);
  });

  test('at a terminal of its own /dev, which belongs to the account of the image', async () => {
    const { container } = spec({});
    const command = { value: 'tty; echo mine >"$(tty)" && ls -ln /dev/pts /dev/console; id -u' };
    const output = await said(command, {
      container: { ...container, type: 'MESOS', tty_info: {} },
    });
    expect(output).toMatch(/^\/dev\/(pts\/0|console)\r\nmine\r\n/);
    expect(output).toMatch(/crw--w---- +1 1234 /);
    expect(output).toMatch(/1234\r\n$/);
  });

  test.runIf(allowedDevices.length > 0)('a device that is allowed is there', async () => {
    const command = { value: `ls -l ${LOOPS}; : <>${LOOPS}; echo $?`, user: 'root' };
    expect(await said(command)).toMatch(/^crw.* 10, +237 .*loop-control\n0\n$/);
  });

  test('a container writes into a layer of its own and into its sandbox', async () => {
    const {
      id,
      spec: launched,
      output,
    } = await scene().launch('', {
      ...spec({
        user: 'root',
        value: 'echo new >/etc/motd; cat /etc/motd; echo word >/mnt/mesos/sandbox/file; sleep 60',
      }),
    });
    const probe = {
      value: 'until [ -e /mnt/mesos/sandbox/file ]; do sleep 0.1; done; cat /etc/motd; echo $SIZE',
    };
    const result = await scene().runtime.exec(id, { command: probe, timeoutMs: 20_000 });
    expect(result).toMatchObject({ exitCode: 0, output: 'new\nsmall\n' });
    expect(await output()).toBe('new\n');
    expect(await readFile(join(launched.sandboxPath, 'file'), 'utf8')).toBe('word\n');
    expect(await readFile(join(layers[1] ?? '', 'etc', 'motd'), 'utf8')).toBe('high\n');
    const again = scene().open();
    await again.recover([launched]);
    const second = await again.exec(id, { command: { value: 'cat /etc/motd' }, timeoutMs: 20_000 });
    expect(second.output).toBe('new\n');
    expect(held.get(id)).toBe('box:1');
    await again.remove(id);
    expect(held.has(id)).toBe(false);
    expect(await readdir(join(scene().root, 'run'))).not.toContain(id);
  });

  test('volumes, shared memory and the names of the host are there', async () => {
    const data = join(scene().root, 'data');
    await mkdir(data);
    await writeFile(join(data, 'file'), 'word\n');
    const text = await said(
      {
        user: 'root',
        value: 'cat /a/b/file inside/file; df -k /dev/shm | tail -1; cat /etc/resolv.conf',
      },
      {
        container: {
          type: 'MESOS',
          mesos: { image: { type: 'DOCKER', docker: { name: 'box:1' } } },
          linux_info: { shm_size: 8 },
          volumes: [
            { mode: 'RO', host_path: data, container_path: '/a/b' },
            { mode: 'RW', host_path: data, container_path: '/work/inside' },
          ],
        },
      },
    );
    expect(text).toMatch(/^word\nword\nshm\s+8192 /);
    expect(text).toContain(await readFile('/etc/resolv.conf', 'utf8'));
  });

  test.each(['box:1', undefined])(
    'images are volumes, one to be read and one to be written, in a container of the image %s',
    async (name) => {
      const image: Image = { type: 'DOCKER', docker: { name: 'data:1' } };
      const inSandbox = name === undefined ? '' : '/mnt/mesos/sandbox/';
      const value = [
        `cat ${inSandbox}read/etc/motd`,
        `touch ${inSandbox}read/x || echo refused`,
        `echo changed >${inSandbox}write/etc/motd`,
        `cat ${inSandbox}write/etc/motd`,
      ].join('; ');
      const text = await said(
        { user: 'root', value },
        {
          container: {
            type: 'MESOS',
            ...(name !== undefined && {
              mesos: { image: { type: 'DOCKER', docker: { name } } },
            }),
            volumes: [
              { mode: 'RO', image, container_path: 'read' },
              { mode: 'RW', image, container_path: 'write' },
            ],
          },
        },
      );
      expect(text).toMatch(/^high\nrefused\nchanged\ntouch: .*Read-only file system\n$/);
      expect(await readFile(join(layers[1] ?? '', 'etc', 'motd'), 'utf8')).toBe('high\n');
    },
  );

  test('more layers than the options of a mount could name', async () => {
    const many: string[] = [];
    for (let index = 0; index < 30; index++) {
      const layer = join(scene().root, 'layers', `${index}-${'x'.repeat(150)}`);
      await mkdir(layer, { recursive: true });
      many.push(layer);
    }
    const before = layers;
    layers = [...before, ...many];
    expect(await said({ value: 'cat /etc/motd' })).toBe('high\n');
    layers = before;
  });

  test('an account that the image does not have is named', async () => {
    config = { ...CONFIG, User: 'nobody-here' };
    await expect(said({ value: 'true' })).rejects.toMatchObject({
      message: "the image has no account 'nobody-here'",
    });
    config = CONFIG;
  });
});
