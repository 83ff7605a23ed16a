import { expect, test } from 'vitest';
import { cgroupSettings, ociResources, type CgroupRequest } from './cgroup-settings.ts';
import type { OciResources } from './oci-spec.ts';

const MEGABYTE = 1024 * 1024;
const INFINITE = { cpus: Infinity, memoryBytes: Infinity };

type Row = readonly [
  what: string,
  request: CgroupRequest,
  hasCpuQuota: boolean,
  v1: OciResources,
  v2: Readonly<Record<string, string>>,
];

const rows: readonly Row[] = [
  [
    'a request only',
    { cpus: 1, memoryBytes: 64 * MEGABYTE },
    false,
    {
      cpu: { shares: 1024 },
      memory: { limit: 64 * MEGABYTE, reservation: 64 * MEGABYTE },
      pids: { limit: 100 },
    },
    {
      'cpu.weight': '39',
      'cpu.max': 'max 100000',
      'memory.max': '67108864',
      'memory.low': '67108864',
      'memory.oom.group': '1',
      'pids.max': '100',
    },
  ],
  [
    'cpus that are lent',
    { cpus: 2, memoryBytes: 0, isLowPriority: true },
    false,
    { cpu: { shares: 20 }, pids: { limit: 100 } },
    {
      'cpu.weight': '1',
      'cpu.max': 'max 100000',
      'memory.max': 'max',
      'memory.low': '0',
      'memory.oom.group': '1',
      'pids.max': '100',
    },
  ],
  [
    'a quota for everybody',
    { cpus: 1.5, memoryBytes: 0 },
    true,
    { cpu: { shares: 1536, quota: 150_000, period: 100_000 }, pids: { limit: 100 } },
    {
      'cpu.weight': '59',
      'cpu.max': '150000 100000',
      'memory.max': 'max',
      'memory.low': '0',
      'memory.oom.group': '1',
      'pids.max': '100',
    },
  ],
  [
    'limits apart from the request',
    {
      cpus: 0.5,
      memoryBytes: 64 * MEGABYTE,
      limits: { cpus: 2, memoryBytes: 128 * MEGABYTE },
    },
    false,
    {
      cpu: { shares: 512, quota: 200_000, period: 100_000 },
      memory: { limit: 128 * MEGABYTE, reservation: 64 * MEGABYTE },
      pids: { limit: 100 },
    },
    {
      'cpu.weight': '20',
      'cpu.max': '200000 100000',
      'memory.max': '134217728',
      'memory.low': '67108864',
      'memory.oom.group': '1',
      'pids.max': '100',
    },
  ],
  [
    'no limits, asked for',
    { cpus: 0.5, memoryBytes: 64 * MEGABYTE, limits: INFINITE },
    true,
    {
      cpu: { shares: 512 },
      memory: { reservation: 64 * MEGABYTE },
      pids: { limit: 100 },
    },
    {
      'cpu.weight': '20',
      'cpu.max': 'max 100000',
      'memory.max': 'max',
      'memory.low': '67108864',
      'memory.oom.group': '1',
      'pids.max': '100',
    },
  ],
  [
    'less than the kernel or a program takes',
    { cpus: 0.001, memoryBytes: MEGABYTE },
    true,
    {
      cpu: { shares: 2, quota: 1_000, period: 100_000 },
      memory: { limit: 32 * MEGABYTE, reservation: 32 * MEGABYTE },
      pids: { limit: 100 },
    },
    {
      'cpu.weight': '1',
      'cpu.max': '1000 100000',
      'memory.max': '33554432',
      'memory.low': '33554432',
      'memory.oom.group': '1',
      'pids.max': '100',
    },
  ],
  [
    'more shares than the kernel has',
    { cpus: 1_000, memoryBytes: 0 },
    false,
    { cpu: { shares: 262_144 }, pids: { limit: 100 } },
    {
      'cpu.weight': '10000',
      'cpu.max': 'max 100000',
      'memory.max': 'max',
      'memory.low': '0',
      'memory.oom.group': '1',
      'pids.max': '100',
    },
  ],
];

test.each(rows)('%s', (_what, request, hasCpuQuota, v1, v2) => {
  const settings = cgroupSettings(request, { hasCpuQuota, hasSwapLimit: false, pidsMax: 100 });
  expect(ociResources(settings, 1, [])).toEqual({ devices: [], ...v1 });
  expect(ociResources(settings, 2, [])).toEqual({ devices: [], unified: v2 });
});

test.each<
  [
    what: string,
    request: Partial<CgroupRequest>,
    v1: OciResources['memory'],
    v2: string | undefined,
  ]
>([
  [
    'with the memory',
    { memoryBytes: 64 * MEGABYTE },
    { limit: 64 * MEGABYTE, swap: 64 * MEGABYTE, reservation: 64 * MEGABYTE },
    '0',
  ],
  ['not where memory is not', { memoryBytes: 0 }, undefined, undefined],
  [
    'not where there is to be no limit',
    { memoryBytes: 64 * MEGABYTE, limits: INFINITE },
    { reservation: 64 * MEGABYTE },
    undefined,
  ],
])('swap is limited %s', (_what, request, v1, v2) => {
  const options = { hasCpuQuota: false, hasSwapLimit: true, pidsMax: 100 };
  const settings = cgroupSettings({ cpus: 1, memoryBytes: 0, ...request }, options);
  expect(ociResources(settings, 1, []).memory).toEqual(v1);
  expect(ociResources(settings, 2, []).unified?.['memory.swap.max']).toBe(v2);
});
