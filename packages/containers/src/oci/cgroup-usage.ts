/**
 * What a cgroup says about its processes: usage, throttling, memory that was refused. Reads either version; files
 * that this kernel does not have are left out of the answer.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerStats } from '../runtime.ts';
import { blockIoOfV1, blockIoOfV2 } from './block-io.ts';
import type { CgroupHost, Controller } from './cgroup-host.ts';

/** Ticks per second of `cpuacct.stat`; fixed by the kernel's interface to user space. */
const TICKS_PER_SECOND = 100;
const NANOSECONDS = 1e9;
const MICROSECONDS = 1e6;
/** Above this a limit of version 1 means none. */
const UNLIMITED = 2 ** 60;

/** How a container fared with its memory. */
export interface MemoryFate {
  /** Times that the kernel killed a process of it for lack of memory. */
  readonly kills: number;
  readonly limitBytes?: number;
  readonly peakBytes?: number;
}

/** Reads files of one group. */
export interface CgroupReader {
  /** The text; undefined when there is no such file. */
  read(controller: Controller, file: string): Promise<string | undefined>;
}

export function cgroupReader(host: CgroupHost, group: string): CgroupReader {
  return {
    async read(controller, file) {
      try {
        return await readFile(join(host.directory(controller, group), file), 'utf8');
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : undefined;
        // Gone with the container, perhaps while it was being read.
        if (code === 'ENOENT' || code === 'ENODEV') return undefined;
        throw error;
      }
    },
  };
}

/** Usage now; undefined when the group is gone. */
export async function cgroupUsage(
  version: 1 | 2,
  reader: CgroupReader,
  at: number,
): Promise<ContainerStats | undefined> {
  return version === 1 ? await usageOfV1(reader, at) : await usageOfV2(reader, at);
}

async function usageOfV1(reader: CgroupReader, at: number): Promise<ContainerStats | undefined> {
  const [cpuacct, cpu, memory, usage, limit, soft, quota, pids, procs, ...more] = await Promise.all(
    [
      reader.read('cpuacct', 'cpuacct.stat'),
      reader.read('cpu', 'cpu.stat'),
      reader.read('memory', 'memory.stat'),
      reader.read('memory', 'memory.usage_in_bytes'),
      reader.read('memory', 'memory.limit_in_bytes'),
      reader.read('memory', 'memory.soft_limit_in_bytes'),
      reader.read('cpu', 'cpu.cfs_quota_us'),
      reader.read('pids', 'pids.current'),
      reader.read('pids', 'cgroup.procs'),
      reader.read('memory', 'memory.memsw.usage_in_bytes'),
      reader.read('memory', 'memory.kmem.usage_in_bytes'),
      reader.read('memory', 'memory.kmem.tcp.usage_in_bytes'),
      reader.read('blkio', 'blkio.throttle.io_service_bytes'),
      reader.read('blkio', 'blkio.throttle.io_serviced'),
    ],
  );
  const [andSwap, kernel, tcp, bytes, requests] = more;
  if (cpuacct === undefined || memory === undefined) return undefined;
  const times = table(cpuacct);
  const periods = table(cpu);
  const parts = table(memory);
  return {
    at,
    cpuUserSeconds: (times.get('user') ?? 0) / TICKS_PER_SECOND,
    cpuSystemSeconds: (times.get('system') ?? 0) / TICKS_PER_SECOND,
    memoryResidentBytes: parts.get('total_rss') ?? parts.get('rss') ?? 0,
    ...present({
      processes: linesOf(procs),
      threads: numberOf(pids),
      cpuPeriods: periods.get('nr_periods'),
      cpuThrottledPeriods: periods.get('nr_throttled'),
      cpuThrottledSeconds: scaled(periods.get('throttled_time'), NANOSECONDS),
      cpuQuotaUs: positive(numberOf(quota)),
      memoryTotalBytes: numberOf(usage),
      memoryAndSwapBytes: numberOf(andSwap),
      memoryKernelBytes: numberOf(kernel),
      memoryTcpBytes: numberOf(tcp),
      memoryCacheBytes: parts.get('total_cache'),
      memorySwapBytes: parts.get('total_swap'),
      memoryMappedFileBytes: parts.get('total_mapped_file'),
      memoryUnevictableBytes: parts.get('total_unevictable'),
      memoryLimitBytes: limited(numberOf(limit)),
      memorySoftLimitBytes: limited(numberOf(soft)),
    }),
    ...(bytes !== undefined && requests !== undefined && { blockIo: blockIoOfV1(bytes, requests) }),
  };
}

async function usageOfV2(reader: CgroupReader, at: number): Promise<ContainerStats | undefined> {
  const [cpu, memory, usage, limit, soft, swap, max, pids, procs, io] = await Promise.all([
    reader.read('cpu', 'cpu.stat'),
    reader.read('memory', 'memory.stat'),
    reader.read('memory', 'memory.current'),
    reader.read('memory', 'memory.max'),
    reader.read('memory', 'memory.low'),
    reader.read('memory', 'memory.swap.current'),
    reader.read('cpu', 'cpu.max'),
    reader.read('pids', 'pids.current'),
    reader.read('pids', 'cgroup.procs'),
    reader.read('blkio', 'io.stat'),
  ]);
  if (cpu === undefined || memory === undefined) return undefined;
  const times = table(cpu);
  const parts = table(memory);
  const [total, swapped] = [numberOf(usage), numberOf(swap)];
  return {
    at,
    cpuUserSeconds: (times.get('user_usec') ?? 0) / MICROSECONDS,
    cpuSystemSeconds: (times.get('system_usec') ?? 0) / MICROSECONDS,
    memoryResidentBytes: parts.get('anon') ?? 0,
    ...present({
      processes: linesOf(procs),
      threads: numberOf(pids),
      cpuPeriods: times.get('nr_periods'),
      cpuThrottledPeriods: times.get('nr_throttled'),
      cpuThrottledSeconds: scaled(times.get('throttled_usec'), MICROSECONDS),
      cpuQuotaUs: numberOf(max?.split(' ')[0]),
      memoryTotalBytes: total,
      memoryAndSwapBytes: total === undefined ? undefined : total + (swapped ?? 0),
      memoryKernelBytes: parts.get('kernel'),
      memoryTcpBytes: parts.get('sock'),
      memoryCacheBytes: parts.get('file'),
      memorySwapBytes: swapped,
      memoryMappedFileBytes: parts.get('file_mapped'),
      memoryUnevictableBytes: parts.get('unevictable'),
      memoryLimitBytes: numberOf(limit),
      memorySoftLimitBytes: positive(numberOf(soft)),
    }),
    ...(io !== undefined && { blockIo: blockIoOfV2(io) }),
  };
}

/** How the memory fared; asked after the last process ended, before the group is removed. */
export async function memoryFate(version: 1 | 2, reader: CgroupReader): Promise<MemoryFate> {
  const [events, limit, peak] = await Promise.all(
    (version === 1
      ? ['memory.oom_control', 'memory.limit_in_bytes', 'memory.max_usage_in_bytes']
      : ['memory.events', 'memory.max', 'memory.peak']
    ).map(async (file) => await reader.read('memory', file)),
  );
  return {
    kills: table(events).get('oom_kill') ?? 0,
    ...present({ limitBytes: limited(numberOf(limit)), peakBytes: numberOf(peak) }),
  };
}

/** Lines of a word and a number. */
function table(text: string | undefined): ReadonlyMap<string, number> {
  const entries = (text ?? '').split('\n').map((line) => line.split(' '));
  return new Map(entries.map(([key = '', value]) => [key, Number(value)] as const));
}

/** The number in a file; undefined for none, or for the word `max`. */
function numberOf(text: string | undefined): number | undefined {
  return text === undefined || !/^-?\d+\s*$/.test(text) ? undefined : Number(text);
}

function linesOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : text.split('\n').filter((line) => line !== '').length;
}

const positive = (value: number | undefined): number | undefined =>
  value !== undefined && value > 0 ? value : undefined;

const limited = (value: number | undefined): number | undefined =>
  value !== undefined && value < UNLIMITED ? value : undefined;

const scaled = (value: number | undefined, unit: number): number | undefined =>
  value === undefined ? undefined : value / unit;

/** Without what is undefined. */
function present<K extends string>(values: {
  readonly [key in K]: number | undefined;
}): { readonly [key in K]?: number } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { readonly [key in K]?: number };
}
