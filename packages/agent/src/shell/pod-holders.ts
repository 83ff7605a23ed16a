/**
 * Containers that hold the networks of task groups: one for each executor that asks for networks, below which the
 * group's tasks run. It does nothing but be there, from the first task of the executor to the last.
 */

import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import type { ContainerId } from '@dcos/base';
import type { ContainerRuntime, ContainerSpec } from '@dcos/containers';
import type { ExecutorInfo } from '@dcos/wire';
import type { TaskRecord } from '../core/index.ts';
import { runsPath } from './sandbox-paths.ts';
import { DEFAULT_PATH } from './task-environment.ts';

/** What one that sleeps needs, with room for the runtime that starts it. */
const HOLDER_CPUS = 0.01;
const HOLDER_MEMORY_BYTES = 32 * 1024 * 1024;

export interface PodHoldersOptions {
  readonly workDir: string;
  readonly agentId: () => string;
  /** The executor of a task in a group. */
  readonly executorOf: (task: TaskRecord) => ExecutorInfo | undefined;
}

/** One that is there or is being made. */
interface Holder {
  readonly started: Promise<void>;
  readonly members: Set<ContainerId>;
}

export class PodHolders {
  readonly #options: PodHoldersOptions;
  readonly #holders = new Map<ContainerId, Holder>();

  constructor(options: PodHoldersOptions) {
    this.#options = options;
  }

  /** The container below which a task runs; undefined when its group has no networks of its own. */
  specOf(task: TaskRecord): ContainerSpec | undefined {
    const { group } = task;
    if (group === undefined || task.runtime !== 'oci') return undefined;
    const container = this.#options.executorOf(task)?.container;
    const networks = container?.network_infos ?? [];
    if (networks.every(({ name }) => name === undefined)) return undefined;
    const hostname = container?.hostname;
    return {
      id: group.containerId,
      sandboxPath: this.podSandboxOf(task) ?? '',
      command: { shell: false, value: '/bin/sleep', arguments: ['sleep', 'infinity'] },
      container: {
        type: 'MESOS',
        network_infos: networks,
        ...(hostname !== undefined && { hostname }),
      },
      environment: { PATH: DEFAULT_PATH },
      cpus: HOLDER_CPUS,
      memoryBytes: HOLDER_MEMORY_BYTES,
    };
  }

  /** The sandbox that the tasks of a group share; undefined for a task on its own. */
  podSandboxOf(task: TaskRecord): string | undefined {
    const { workDir, agentId } = this.#options;
    if (task.group === undefined) return undefined;
    return join(runsPath(workDir, agentId(), task), task.group.containerId);
  }

  /** Sees to it that the holder of a task runs; the first of a group makes it. */
  async join(task: TaskRecord, runtime: ContainerRuntime): Promise<void> {
    const spec = this.specOf(task);
    if (spec === undefined || task.group === undefined) return;
    const id = task.group.containerId;
    let holder = this.#holders.get(id);
    if (holder === undefined) {
      holder = { started: startHolder(spec, runtime), members: new Set() };
      this.#holders.set(id, holder);
    }
    holder.members.add(task.containerId);
    await holder.started;
  }

  /** Counts a task again whose holder was found after a restart. */
  adopt(task: TaskRecord): void {
    if (this.specOf(task) === undefined || task.group === undefined) return;
    const id = task.group.containerId;
    const holder = this.#holders.get(id) ?? { started: Promise.resolve(), members: new Set() };
    holder.members.add(task.containerId);
    this.#holders.set(id, holder);
  }

  /** A task of a group is gone; the last one takes the holder along. */
  async leave(task: TaskRecord, runtime: ContainerRuntime): Promise<void> {
    const id = task.group?.containerId;
    const holder = id === undefined ? undefined : this.#holders.get(id);
    if (id === undefined || holder === undefined) return;
    holder.members.delete(task.containerId);
    if (holder.members.size > 0) return;
    this.#holders.delete(id);
    // One that could not be made leaves something to remove as well.
    await holder.started.catch(() => undefined);
    await runtime.remove(id);
  }
}

async function startHolder(spec: ContainerSpec, runtime: ContainerRuntime): Promise<void> {
  await mkdir(spec.sandboxPath, { recursive: true });
  await runtime.prepare(spec);
  await runtime.create(spec);
  await runtime.start(spec.id);
}
