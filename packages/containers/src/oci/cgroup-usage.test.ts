/** Both versions of the kernel's interface, as files of a model; version 1 is also tested for real. */

import { describe, expect, test } from 'vitest';
import { cgroupHost } from './cgroup-host.ts';
import { cgroupUsage, memoryFate, type CgroupReader } from './cgroup-usage.ts';

const readerOf = (files: Readonly<Record<string, string>>): CgroupReader => ({
  read: async (_controller, file) => await Promise.resolve(files[file]),
});

const V1 = {
  'cpuacct.stat': 'user 250\nsystem 50\n',
  'cpu.stat': 'nr_periods 100\nnr_throttled 7\nthrottled_time 1500000000\n',
  'memory.stat': 'cache 5\nrss 6\ntotal_cache 4096\ntotal_rss 8192\ntotal_mapped_file 1\n',
  'memory.usage_in_bytes': '12288\n',
  'memory.limit_in_bytes': '67108864\n',
  'memory.soft_limit_in_bytes': '9223372036854771712\n',
  'memory.max_usage_in_bytes': '67108864\n',
  'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
  'cpu.cfs_quota_us': '-1\n',
  'pids.current': '5\n',
  'cgroup.procs': '10\n11\n',
  'memory.memsw.usage_in_bytes': '20480\n',
  'memory.kmem.usage_in_bytes': '2048\n',
  'memory.kmem.tcp.usage_in_bytes': '1024\n',
  'blkio.throttle.io_service_bytes': '8:0 Read 4096\nTotal 4096\n',
  'blkio.throttle.io_serviced': '8:0 Read 1\nTotal 1\n',
};

const V2 = {
  'cpu.stat':
    'usage_usec 3000000\nuser_usec 2500000\nsystem_usec 500000\nnr_periods 100\nnr_throttled 7\nthrottled_usec 1500000\n',
  'cpu.max': '20000 100000\n',
  'memory.stat': 'anon 8192\nfile 4096\nkernel 2048\nsock 1024\nfile_mapped 1\nunevictable 0\n',
  'memory.current': '12288\n',
  'memory.swap.current': '8192\n',
  'io.stat': '8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n',
  'memory.max': 'max\n',
  'memory.low': '0\n',
  'memory.peak': '67108864\n',
  'memory.events': 'low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\n',
  'pids.current': '5\n',
  'cgroup.procs': '10\n11\n',
};

const COMMON = {
  at: 7,
  cpuUserSeconds: 2.5,
  cpuSystemSeconds: 0.5,
  cpuPeriods: 100,
  cpuThrottledPeriods: 7,
  cpuThrottledSeconds: 1.5,
  memoryResidentBytes: 8192,
  memoryTotalBytes: 12288,
  memoryAndSwapBytes: 20_480,
  memoryKernelBytes: 2048,
  memoryTcpBytes: 1024,
  memoryCacheBytes: 4096,
  memoryMappedFileBytes: 1,
  processes: 2,
  threads: 5,
};

describe('usage', () => {
  test('in version 1', async () => {
    expect(await cgroupUsage(1, readerOf(V1), 7)).toEqual({
      ...COMMON,
      memoryLimitBytes: 67108864,
      blockIo: [
        { device: { major: 8, minor: 0 }, bytes: { read: 4096 }, requests: { read: 1 } },
        { bytes: { total: 4096 }, requests: { total: 1 } },
      ],
    });
  });

  test('without what this kernel does not have', async () => {
    const few = Object.entries(V1).filter(([name]) => !/memsw|kmem|blkio/.test(name));
    const usage = await cgroupUsage(1, readerOf(Object.fromEntries(few)), 7);
    expect(Object.keys(usage ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/AndSwap|Kernel|Tcp|blockIo/)]),
    );
  });

  test('in version 2', async () => {
    expect(await cgroupUsage(2, readerOf(V2), 7)).toEqual({
      ...COMMON,
      cpuQuotaUs: 20_000,
      memorySwapBytes: 8192,
      memoryUnevictableBytes: 0,
      blockIo: [
        {
          device: { major: 8, minor: 0 },
          bytes: { read: 4096, write: 0, discard: 0, total: 4096 },
          requests: { read: 1, write: 0, discard: 0, total: 1 },
        },
        { bytes: { total: 4096 }, requests: { total: 1 } },
      ],
    });
  });

  test.each([1, 2] as const)('of a group that is gone, in version %d', async (version) => {
    expect(await cgroupUsage(version, readerOf({}), 7)).toBeUndefined();
  });
});

describe('what became of memory', () => {
  test('in version 1', async () => {
    expect(await memoryFate(1, readerOf(V1))).toEqual({
      kills: 2,
      limitBytes: 67108864,
      peakBytes: 67108864,
    });
  });

  test('in version 2', async () => {
    expect(await memoryFate(2, readerOf(V2))).toEqual({ kills: 2, peakBytes: 67108864 });
  });
});

describe('the mounts of a host', () => {
  const v1 = ['cpu,cpuacct', 'memory', 'pids', 'devices'].map(
    (name) => `1 1 0:1 / /sys/fs/cgroup/${name} rw - cgroup cgroup rw,${name}`,
  );
  const unified = (path: string): string => `2 1 0:2 / ${path} rw shared:1 - cgroup2 cgroup2 rw`;

  test.each([
    ['version 1', v1, 1, '/sys/fs/cgroup/cpu,cpuacct/mesos/a'],
    ['hybrid', [...v1, unified('/sys/fs/cgroup/unified')], 1, '/sys/fs/cgroup/cpu,cpuacct/mesos/a'],
    ['version 2', [unified('/sys/fs/cgroup')], 2, '/sys/fs/cgroup/mesos/a'],
  ] as const)('%s', (_what, lines, version, path) => {
    const host = cgroupHost(lines.join('\n'));
    expect(host?.version).toBe(version);
    expect(host?.directory('cpu', '/mesos/a')).toBe(path);
  });

  test.each([
    ['nothing', []],
    ['half of version 1', v1.slice(0, 2)],
    ['a controller in each', [...v1.slice(0, 3), unified('/sys/fs/cgroup/unified')]],
  ])('%s is not enough', (_what, lines) => {
    expect(cgroupHost(lines.join('\n'))).toBeUndefined();
  });
});
