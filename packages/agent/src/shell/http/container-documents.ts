/**
 * Containers with what they use: `/containers`, `/monitor/statistics` and GET_CONTAINERS. A command task appears as an
 * executor with the task's id; what clients launched through the API is shown when asked for. Keys as recorded.
 */

import type { JsonValue } from '@dcos/base';
import type { ContainerStats } from '@dcos/containers';
import { Resources } from '@dcos/resources';
import {
  ContainerStatusType,
  ResourceStatisticsType,
  toJson,
  type agentApi,
  type ContainerID,
  type DiskStatistics,
  type Resource,
  type ResourceStatistics,
} from '@dcos/wire';
import { containerStatusOf, type LaunchedContainer, type TaskRecord } from '../../core/index.ts';
import { blockStatistics } from './block-statistics.ts';
import { executorName } from './state-documents.ts';

/** A running task, and what it uses; undefined when nobody can tell. */
export interface ContainerUsage {
  readonly task: TaskRecord;
  readonly stats: ContainerStats | undefined;
  /** Of its sandbox and its volumes, as they were found last; of all of a task group for each of its tasks. */
  readonly disk: readonly DiskStatistics[];
}

/** A container that a client launched, with what it uses. */
export interface LaunchedUsage {
  readonly container: LaunchedContainer;
  readonly stats: ContainerStats | undefined;
}

/** Which containers of clients are shown beside those of tasks. */
export interface ShownContainers {
  readonly nested: boolean;
  readonly standalone: boolean;
}

/** GET_CONTAINERS. */
export function containersMessage(
  ip: string,
  usage: readonly ContainerUsage[],
  launched: readonly LaunchedUsage[],
): agentApi.Response_GetContainers {
  const ofTasks = usage.map(({ task, stats, disk }) => ({
    framework_id: { value: task.frameworkId },
    executor_id: { value: task.taskId },
    executor_name: executorName(task.info),
    container_id: { value: task.containerId },
    container_status: containerStatusOf(ip, task),
    ...(stats !== undefined && {
      resource_statistics: statisticsOf(task.info.resources, stats, disk),
    }),
  }));
  const ofClients = launched.map(({ container, stats }) => {
    const container_id = idOfChain(container.path);
    const { pid, resources } = container;
    return {
      container_id,
      container_status: { container_id, ...(pid !== undefined && { executor_pid: pid }) },
      ...(stats !== undefined && { resource_statistics: statisticsOf(resources, stats) }),
    };
  });
  return { containers: [...ofTasks, ...ofClients] };
}

/** `/containers`, and with less in it `/monitor/statistics`. */
export function containersDocument(
  ip: string,
  usage: readonly ContainerUsage[],
  launched: readonly LaunchedUsage[],
  content: 'containers' | 'statistics',
): JsonValue {
  const { containers = [] } = containersMessage(ip, usage, launched);
  return containers.map((container) => {
    const { executor_id, framework_id, container_status, resource_statistics } = container;
    return {
      ...(content === 'containers' && { container_id: container.container_id.value }),
      ...(executor_id !== undefined && {
        executor_id: executor_id.value,
        executor_name: container.executor_name,
        framework_id: framework_id?.value,
        source: executor_id.value,
      }),
      ...(resource_statistics !== undefined && {
        statistics: toJson(ResourceStatisticsType, resource_statistics),
      }),
      ...(content === 'containers' && {
        status: toJson(ContainerStatusType, container_status ?? {}),
      }),
    };
  });
}

/** Usage beside what was granted. */
function statisticsOf(
  resources: readonly Resource[] | undefined,
  stats: ContainerStats,
  disk: readonly DiskStatistics[] = [],
): ResourceStatistics {
  const granted = Resources.fromWire(resources);
  const memoryBytes = Math.round(granted.mem() * 1024 * 1024);
  const { cpuQuotaUs } = stats;
  return {
    cpus_soft_limit: granted.cpus(),
    cpus_system_time_secs: stats.cpuSystemSeconds,
    cpus_user_time_secs: stats.cpuUserSeconds,
    mem_limit_bytes: stats.memoryLimitBytes ?? memoryBytes,
    mem_rss_bytes: stats.memoryResidentBytes,
    mem_soft_limit_bytes: stats.memorySoftLimitBytes ?? memoryBytes,
    ...(cpuQuotaUs !== undefined && { cpus_limit: cpuQuotaUs / PERIOD_US }),
    ...known({
      cpus_nr_periods: stats.cpuPeriods,
      cpus_nr_throttled: stats.cpuThrottledPeriods,
      cpus_throttled_time_secs: stats.cpuThrottledSeconds,
      mem_total_bytes: stats.memoryTotalBytes,
      mem_total_memsw_bytes: stats.memoryAndSwapBytes,
      mem_kmem_usage_bytes: stats.memoryKernelBytes,
      mem_kmem_tcp_usage_bytes: stats.memoryTcpBytes,
      mem_anon_bytes: stats.memoryTotalBytes === undefined ? undefined : stats.memoryResidentBytes,
      mem_cache_bytes: stats.memoryCacheBytes,
      mem_file_bytes: stats.memoryCacheBytes,
      mem_mapped_file_bytes: stats.memoryMappedFileBytes,
      mem_swap_bytes: stats.memorySwapBytes,
      mem_unevictable_bytes: stats.memoryUnevictableBytes,
      processes: stats.processes,
      threads: stats.threads,
    }),
    ...(stats.blockIo !== undefined && { blkio_statistics: blockStatistics(stats.blockIo) }),
    ...diskStatistics(disk),
    timestamp: stats.at / 1000,
  };
}

/** The sandbox is in there twice, the second time as before there were volumes. */
function diskStatistics(disk: readonly DiskStatistics[]): Partial<ResourceStatistics> {
  if (disk.length === 0) return {};
  const sandbox = disk.find(({ persistence }) => persistence === undefined);
  return {
    disk_statistics: disk,
    ...known({ disk_limit_bytes: sandbox?.limit_bytes, disk_used_bytes: sandbox?.used_bytes }),
  };
}

/** Length of the period that a cpu quota is for. */
const PERIOD_US = 100_000;

/** Without what the runtime does not know. */
function known(
  values: Partial<Record<keyof ResourceStatistics, number | undefined>>,
): Partial<ResourceStatistics> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}

/** The message of a chain of ids, the outermost first. */
function idOfChain(path: readonly string[]): ContainerID {
  const [first = '', ...rest] = path;
  return rest.reduce<ContainerID>((parent, value) => ({ value, parent }), { value: first });
}
