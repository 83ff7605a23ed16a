import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentConfigSchema } from '../config.ts';
import { allowedDevicesOf } from './allowed-devices.ts';

const FUSE = {
  allowed_devices: [{ device: { path: '/dev/fuse' }, access: { read: true, write: true } }],
};
const FOUND = [
  { device: { path: '/dev/fuse' }, access: { read: true, write: true, mknod: false } },
];

let directory = '';
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'dcos-devices-'))));
afterEach(async () => await rm(directory, { recursive: true, force: true }));

test('nothing is allowed without the setting', () => {
  expect(allowedDevicesOf(agentConfigSchema.parse({}).allowedDevices)).toEqual([]);
});

test('devices are read from the setting, or from a file', async () => {
  expect(
    allowedDevicesOf(agentConfigSchema.parse({ allowedDevices: FUSE }).allowedDevices),
  ).toEqual(FOUND);
  const path = join(directory, 'devices.json');
  await writeFile(path, JSON.stringify(FUSE));
  for (const setting of [path, `file://${path}`]) expect(allowedDevicesOf(setting)).toEqual(FOUND);
});

test.each([
  ['is no JSON', '{'],
  ['has another path', '{"allowed_devices":[{"device":{"path":"/etc"},"access":{}}]}'],
  ['has no access', '{"allowed_devices":[{"device":{"path":"/dev/fuse"}}]}'],
  ['has other words', '{"devices":[]}'],
])('a file that %s is refused', async (_why, text) => {
  const path = join(directory, 'devices.json');
  await writeFile(path, text);
  expect(() => allowedDevicesOf(path)).toThrow(/^allowedDevices: /);
  expect(() => allowedDevicesOf(join(directory, 'none'))).toThrow('cannot be read');
});
