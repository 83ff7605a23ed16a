/**
 * What a container may use, as settings of its cgroup. Pure: the settings in neutral terms, and as the OCI runtime
 * takes them for either version of the kernel's interface.
 * Source: mesos-kernel §6.6. The request decides about shares and the soft limit, the limit about quota and the
 * hard limit.
 */

import { cpuSharesOf, SHARES_MAX, SHARES_MIN } from '../cpu-shares.ts';
import type { OciDeviceRule, OciResources } from './oci-spec.ts';

/** Length of a scheduling period of quotas, and the least of it that is given. */
const PERIOD_US = 100_000;
const QUOTA_US_MIN = 1_000;
/** A container with less could not even start. */
const MEMORY_BYTES_MIN = 32 * 1024 * 1024;

export interface CgroupRequest {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly isLowPriority?: boolean;
  /** Apart from the request; `Infinity` for none. */
  readonly limits?: { readonly cpus?: number; readonly memoryBytes?: number };
}

export interface CgroupOptions {
  /** Hold every container to its cpus also while others leave cpus idle. */
  readonly hasCpuQuota: boolean;
  /** Let the hard limit of memory count what is swapped out as well. */
  readonly hasSwapLimit: boolean;
  /** Processes and threads of a container. */
  readonly pidsMax: number;
}

/** A quota or hard limit that is absent is none. */
export interface CgroupSettings {
  readonly cpuShares: number;
  readonly cpuQuotaUs?: number;
  readonly memorySoftBytes?: number;
  readonly memoryHardBytes?: number;
  /** The hard limit is one for memory and swap together. */
  readonly isSwapLimited: boolean;
  readonly pidsMax: number;
}

/** The settings for a container. */
export function cgroupSettings(request: CgroupRequest, options: CgroupOptions): CgroupSettings {
  const { cpus, memoryBytes, limits } = request;
  const cpuLimit = limits?.cpus ?? (options.hasCpuQuota ? cpus : Infinity);
  const softBytes = Math.max(MEMORY_BYTES_MIN, Math.floor(memoryBytes));
  const hardBytes = Math.max(softBytes, Math.floor(limits?.memoryBytes ?? memoryBytes));
  const hasMemory = memoryBytes > 0;
  return {
    cpuShares: cpuSharesOf(request),
    ...(Number.isFinite(cpuLimit) && {
      cpuQuotaUs: Math.max(QUOTA_US_MIN, Math.round(cpuLimit * PERIOD_US)),
    }),
    ...(hasMemory && { memorySoftBytes: softBytes }),
    ...((hasMemory || limits?.memoryBytes !== undefined) &&
      Number.isFinite(hardBytes) && { memoryHardBytes: hardBytes }),
    isSwapLimited: options.hasSwapLimit,
    pidsMax: options.pidsMax,
  };
}

/**
 * The same for an OCI runtime. In version 1 it knows the files; in version 2 it would have to translate from version
 * 1, and has no word for some, so that files and values are given as they are.
 */
export function ociResources(
  settings: CgroupSettings,
  version: 1 | 2,
  devices: readonly OciDeviceRule[],
): OciResources {
  if (version === 2) return { devices, unified: filesOfV2(settings) };
  const { cpuShares, cpuQuotaUs, memorySoftBytes, memoryHardBytes, pidsMax } = settings;
  const { isSwapLimited } = settings;
  return {
    devices,
    cpu: {
      shares: cpuShares,
      ...(cpuQuotaUs !== undefined && { quota: cpuQuotaUs, period: PERIOD_US }),
    },
    ...((memorySoftBytes !== undefined || memoryHardBytes !== undefined) && {
      memory: {
        ...(memoryHardBytes !== undefined && { limit: memoryHardBytes }),
        ...(memoryHardBytes !== undefined && isSwapLimited && { swap: memoryHardBytes }),
        ...(memorySoftBytes !== undefined && { reservation: memorySoftBytes }),
      },
    }),
    pids: { limit: pidsMax },
  };
}

/** Files of version 2 with their values. */
function filesOfV2(settings: CgroupSettings): Readonly<Record<string, string>> {
  const { cpuShares, cpuQuotaUs, memorySoftBytes, memoryHardBytes, pidsMax } = settings;
  return {
    'cpu.weight': String(weightOfShares(cpuShares)),
    'cpu.max': `${cpuQuotaUs ?? 'max'} ${PERIOD_US}`,
    'memory.max': String(memoryHardBytes ?? 'max'),
    // Swap is counted apart from memory here: a limit for both together is one of memory, with no swap.
    ...(memoryHardBytes !== undefined && settings.isSwapLimited && { 'memory.swap.max': '0' }),
    'memory.low': String(memorySoftBytes ?? 0),
    // As in the original, a container of which the kernel kills a part ends as a whole.
    'memory.oom.group': '1',
    'pids.max': String(pidsMax),
  };
}

/** Maps 2…262144 to 1…10000 in a straight line, as OCI runtimes do. */
function weightOfShares(shares: number): number {
  return 1 + Math.floor(((shares - SHARES_MIN) * 9_999) / (SHARES_MAX - SHARES_MIN));
}
