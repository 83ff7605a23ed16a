import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chosenGpus, findGpus, type GpuPlaces, type HostGpu } from './host-gpus.ts';

let places: GpuPlaces;
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dcos-gpus-'));
  places = { tool: join(directory, 'smi'), driver: join(directory, 'gpus'), devices: directory };
});
afterEach(async () => await rm(directory, { recursive: true, force: true }));

async function tool(program: string): Promise<void> {
  await writeFile(places.tool, `#!/bin/sh\n${program}\n`);
  await chmod(places.tool, 0o755);
}

async function driver(device: string, information: string): Promise<void> {
  await mkdir(join(places.driver, device), { recursive: true });
  await writeFile(join(places.driver, device, 'information'), information);
}

test('devices are told with the minor numbers of their nodes', async () => {
  await tool(
    `[ "$*" = "--query-gpu=index,pci.bus_id,name --format=csv,noheader" ] || exit 1
     echo "0, 00000000:3B:00.0, Tesla T4"; echo "1, 00000000:AF:00.0, NVIDIA A100, 40 GB"`,
  );
  await driver('0000:3b:00.0', 'Model: \t\t Tesla T4\nDevice Minor: \t 1\n');
  await driver('0000:af:00.0', 'Device Minor: \t 0\n');
  expect(await findGpus(places)).toEqual([
    { index: 0, minor: 1, name: 'Tesla T4' },
    { index: 1, minor: 0, name: 'NVIDIA A100, 40 GB' },
  ]);
});

test('a host without the tool has none', async () => {
  expect(await findGpus(places)).toEqual([]);
});

test.each([
  ['echo "no driver" >&2; exit 9', 'no driver'],
  ['echo "No devices were found"', "'No devices were found', which is no GPU"],
  ['echo "0, 00000000:3B:00.0, Tesla T4"', 'information cannot be read: ENOENT'],
])('a tool that does %s is told', async (program, message) => {
  await tool(program);
  await expect(findGpus(places)).rejects.toThrow(message);
});

test('a driver that does not tell the number is told', async () => {
  await tool('echo "0, 00000000:3B:00.0, Tesla T4"');
  await driver('0000:3b:00.0', 'Model: x\n');
  await expect(findGpus(places)).rejects.toThrow('does not tell the minor number of GPU 0');
});

const FOUND: readonly HostGpu[] = [3, 1, 0].map((minor, index) => ({ index, minor, name: 'T4' }));
const ON = { gpuIsolation: true, runtimes: 'oci,process', nvidiaGpuDevices: undefined };

test.each([
  [3, ON, [3, 1, 0]],
  [2, ON, [3, 1]],
  [0, ON, []],
  [2, { ...ON, nvidiaGpuDevices: '2,0' }, [0, 3]],
  [0, { ...ON, gpuIsolation: false }, []],
])('of three, %d gpus with %j are %j', (count, config, minors) => {
  expect(chosenGpus(FOUND, count, config)).toEqual(minors);
});

test.each([
  [4, ON, 'the resources have 4 gpus, the host 3'],
  [2, { ...ON, nvidiaGpuDevices: '0' }, 'names 1 devices, the resources 2 gpus'],
  [2, { ...ON, nvidiaGpuDevices: '0,0' }, 'names a device twice'],
  [1, { ...ON, nvidiaGpuDevices: '7' }, 'the host has no GPU 7'],
  [1, { ...ON, runtimes: 'process' }, "need the runtime 'oci' or 'docker'"],
  [1, { ...ON, gpuIsolation: false }, "need 'gpuIsolation'"],
  [0, { ...ON, gpuIsolation: false, nvidiaGpuDevices: '0' }, "needs 'gpuIsolation'"],
])('%d gpus with %j are refused', (count, config, message) => {
  expect(() => chosenGpus(FOUND, count, config)).toThrow(message);
});
