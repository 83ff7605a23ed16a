import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resourcesText } from '@dcos/resources';
import { hostAttributes, hostResources } from './host-resources.ts';

const GB = 1024 ** 3;
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dcos-resources-'));
});
afterEach(async () => await rm(directory, { recursive: true, force: true }));

interface Machine {
  readonly setting?: string;
  readonly defaultRole?: string;
  readonly memoryGb?: number;
  readonly diskGb?: number;
  readonly gpus?: number;
}

async function found({
  setting = '',
  defaultRole = '*',
  memoryGb = 8,
  diskGb = 100,
  gpus = 0,
}: Machine) {
  const resources = await hostResources({
    setting,
    defaultRole,
    workDir: directory,
    gpus,
    host: {
      cpus: () => 4,
      memoryBytes: () => memoryGb * GB,
      diskBytes: async () => diskGb * GB,
    },
  });
  return resourcesText(resources);
}

test.each<[string, Machine, string]>([
  ['everything is found', {}, 'cpus:4; disk:97280; mem:7168; ports:[31000-32000]'],
  [
    'GPUs are found',
    { gpus: 2, setting: 'cpus:1;mem:1;disk:1;ports:[]' },
    'cpus:1; disk:1; gpus:2; mem:1',
  ],
  [
    'the operator may leave GPUs out',
    { gpus: 2, setting: 'cpus:1;mem:1;disk:1;ports:[];gpus:0' },
    'cpus:1; disk:1; mem:1',
  ],
  [
    'small machines keep half for themselves',
    { memoryGb: 1.5, diskGb: 8 },
    'cpus:4; disk:4096; mem:768; ports:[31000-32000]',
  ],
  [
    'at the bound the reserve counts',
    { memoryGb: 2, diskGb: 10 },
    'cpus:4; disk:5120; mem:1024; ports:[31000-32000]',
  ],
  [
    'what is named is not looked for, nothing of it included',
    { setting: 'cpus:0;mem(web):10;disk:0;ports:[]' },
    'mem(reservations: [(STATIC,web)]):10',
  ],
  [
    'what has no role has the default one',
    { setting: 'cpus(*):1;mem(web):2;disk:3', defaultRole: 'public' },
    'cpus(reservations: [(STATIC,public)]):1; disk(reservations: [(STATIC,public)]):3; ' +
      'mem(reservations: [(STATIC,web)]):2; ports(reservations: [(STATIC,public)]):[31000-32000]',
  ],
])('%s', async (_, machine, text) => {
  expect(await found(machine)).toBe(text);
});

test('resources and attributes come from files', async () => {
  const path = join(directory, 'settings');
  await writeFile(path, '[{"name":"cpus","type":"SCALAR","scalar":{"value":3}}]\n');
  for (const setting of [path, `file://${path}`])
    expect(await found({ setting })).toContain('cpus:3;');
  await writeFile(path, 'rack:r1;level:10\n');
  expect(hostAttributes(`file://${path}`)).toEqual(hostAttributes('rack:r1;level:10'));
});

test('what cannot be read is said', async () => {
  await expect(found({ setting: 'file:///nowhere' })).rejects.toThrow(
    'file:///nowhere cannot be read: ENOENT',
  );
  await expect(found({ setting: 'cpus=4' })).rejects.toThrow('invalid resources: Bad value');
  expect(() => hostAttributes('rack')).toThrow('invalid attributes: Invalid attribute key:value');
});
