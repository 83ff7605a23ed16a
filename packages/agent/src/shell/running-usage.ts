/** What the containers that run now use. */

import type { ContainerId } from '@dcos/base';
import type { DiskStatistics } from '@dcos/wire';
import { isTerminal, type AgentSnapshot } from '../core/index.ts';
import { containersOf } from './executor-container.ts';
import type { ContainerUsage, LaunchedUsage, ShownContainers } from './http/container-documents.ts';
import type { LaunchedContainers } from './launched-containers.ts';
import type { Launcher } from './launcher.ts';

/** Of tasks and executors. */
export async function usageOfTasks(
  { live, executors }: AgentSnapshot,
  launcher: Launcher | undefined,
  diskOf: (run: ContainerId) => readonly DiskStatistics[],
): Promise<readonly ContainerUsage[]> {
  const running = [...live, ...containersOf(executors)].filter(
    (task) => task.pid !== undefined && !isTerminal(task.state),
  );
  return await Promise.all(
    running.map(async (task) => ({
      task,
      stats: await launcher?.stats(task),
      disk: diskOf(task.group?.containerId ?? task.containerId),
    })),
  );
}

/** Of containers that were launched through the API. */
export async function usageOfLaunched(
  { launched }: AgentSnapshot,
  containers: LaunchedContainers | undefined,
  shown: ShownContainers,
): Promise<readonly LaunchedUsage[]> {
  const running = launched.filter(
    ({ pid, status, task }) =>
      pid !== undefined &&
      status === undefined &&
      (task === undefined ? shown.standalone : shown.nested),
  );
  return await Promise.all(
    running.map(async (container) => ({ container, stats: await containers?.stats(container) })),
  );
}
