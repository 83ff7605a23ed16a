import { describe, expect, test } from 'vitest';
import { cgroupFiles, cgroupSettings, type CgroupRequest } from './cgroup-settings.ts';

const MEGABYTE = 1024 * 1024;

/** As the kernel is told, `file=value`. */
function files(request: CgroupRequest, version: 1 | 2, hasCpuQuota = false): readonly string[] {
  const settings = cgroupSettings(request, { hasCpuQuota, pidsMax: 100 });
  return cgroupFiles(settings, version).map(({ file, value }) => `${file}=${value}`);
}

type Row = readonly [
  what: string,
  request: CgroupRequest,
  hasCpuQuota: boolean,
  v1: readonly string[],
  v2: readonly string[],
];

const rows: readonly Row[] = [
  [
    'a task with request only',
    { cpus: 1, memoryBytes: 64 * MEGABYTE },
    false,
    [
      'cpu.shares=1024',
      'cpu.cfs_quota_us=-1',
      'memory.limit_in_bytes=67108864',
      'memory.soft_limit_in_bytes=67108864',
      'pids.max=100',
    ],
    ['cpu.weight=39', 'cpu.max=max 100000', 'memory.max=67108864', 'memory.low=67108864'],
  ],
  [
    'a quota for everybody',
    { cpus: 1.5, memoryBytes: 64 * MEGABYTE },
    true,
    ['cpu.shares=1536', 'cpu.cfs_quota_us=150000', 'cpu.cfs_period_us=100000'],
    ['cpu.max=150000 100000'],
  ],
  [
    'limits apart from the request',
    {
      cpus: 0.5,
      memoryBytes: 64 * MEGABYTE,
      limits: { cpus: 2, memoryBytes: 128 * MEGABYTE },
    },
    false,
    [
      'cpu.shares=512',
      'cpu.cfs_quota_us=200000',
      'memory.limit_in_bytes=134217728',
      'memory.soft_limit_in_bytes=67108864',
    ],
    ['cpu.max=200000 100000', 'memory.max=134217728', 'memory.low=67108864'],
  ],
  [
    'no limits at all, asked for',
    {
      cpus: 0.5,
      memoryBytes: 64 * MEGABYTE,
      limits: { cpus: Infinity, memoryBytes: Infinity },
    },
    true,
    ['cpu.cfs_quota_us=-1', 'memory.limit_in_bytes=-1', 'memory.soft_limit_in_bytes=67108864'],
    ['cpu.max=max 100000', 'memory.max=max'],
  ],
  [
    'less than the kernel or a program takes',
    { cpus: 0.001, memoryBytes: MEGABYTE },
    true,
    ['cpu.shares=2', 'cpu.cfs_quota_us=1000', 'memory.limit_in_bytes=33554432'],
    ['cpu.weight=1', 'cpu.max=1000 100000', 'memory.max=33554432'],
  ],
  [
    'no memory asked for',
    { cpus: 0.1, memoryBytes: 0 },
    false,
    ['memory.limit_in_bytes=-1', 'memory.soft_limit_in_bytes=-1'],
    ['memory.max=max', 'memory.low=0'],
  ],
  [
    'more shares than the kernel has',
    { cpus: 1_000, memoryBytes: 0 },
    false,
    ['cpu.shares=262144'],
    ['cpu.weight=10000'],
  ],
];

describe.each(rows)('%s', (_what, request, hasCpuQuota, v1, v2) => {
  test('in version 1', () => {
    expect(files(request, 1, hasCpuQuota)).toEqual(expect.arrayContaining([...v1]));
  });
  test('in version 2', () => {
    expect(files(request, 2, hasCpuQuota)).toEqual(expect.arrayContaining([...v2]));
  });
});
