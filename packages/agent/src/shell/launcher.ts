/**
 * Performs what the core decides about containers: sandbox, files, environment, runtime. Reports what
 * happened as events; decides nothing.
 */

import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { containerId, errorText, type ContainerId, type Logger } from '@dcos/base';
import {
  accountOf,
  type ContainerRuntime,
  type ContainerSpec,
  type ContainerStats,
} from '@dcos/containers';
import type {
  CheckInfo,
  ContainerInfo,
  ExecutorInfo,
  FrameworkInfo,
  HealthCheck,
  Resource,
} from '@dcos/wire';
import type {
  AgentEvent,
  FoundContainer,
  LaunchedContainer,
  RuntimeName,
  TaskRecord,
} from '../core/index.ts';
import { runIdOf } from './disk-watch.ts';
import type { Fetcher } from './fetcher/fetcher.ts';
import { probe, probeCheck, type ProbeSurroundings } from './health-prober.ts';
import { launchedSpec } from './launched-spec.ts';
import { PodHolders } from './pod-holders.ts';
import { portMappingProblem } from './port-mappings.ts';
import { readyContainer, refuseContainer, type ReadyOptions } from './ready-container.ts';
import { noteInSandbox } from './sandbox-notes.ts';
import { openSandbox, ownSandbox, type SandboxOwner } from './sandbox-owner.ts';
import { runsPath, sandboxPath } from './sandbox-paths.ts';
import type { ContainerSecrets } from './secrets.ts';
import { hasOwnRoot, SANDBOX_IN_CONTAINER, taskEnvironment } from './task-environment.ts';
import { boundVolumes, destroyVolumes, linkVolumes } from './volumes.ts';

const MEGABYTE = 1024 * 1024;

export interface LauncherOptions {
  readonly workDir: string;
  readonly ip: string;
  readonly executorEnvironment: Readonly<Record<string, string>>;
  /** Directories of the host that tasks may have as volumes. */
  readonly hostPathVolumeAllow: readonly string[];
  readonly secrets: ContainerSecrets;
  readonly runtimes: ReadonlyMap<RuntimeName, ContainerRuntime>;
  readonly fetcher: Fetcher;
  readonly logger: Logger;
  /** The agent's port and id; known by the time that a task is launched. */
  readonly self: () => { readonly port: number; readonly agentId: string };
  readonly emit: (event: AgentEvent) => void;
  /** Variables of the executor in that container alone; none for tasks. */
  readonly executorVariables: (id: ContainerId) => Promise<Readonly<Record<string, string>>>;
  /** From SHUTDOWN to the forced end of the executor in that container. */
  readonly shutdownGraceMs: (id: ContainerId) => number;
  /** Bounds what the run with that sandbox may write, where the file system can. */
  readonly boundDisk: (run: ContainerId) => Promise<void>;
  /** Whether the task's cpus are lent, and count less when others want theirs. */
  readonly hasLowPriority: (task: TaskRecord) => boolean;
  /** The executor of a task in a group. */
  readonly executorOf: (task: TaskRecord) => ExecutorInfo | undefined;
}

/** A task, and who runs it. */
export interface TaskWithFramework {
  readonly task: TaskRecord;
  readonly framework: FrameworkInfo;
}

export interface Launcher {
  /** Takes over what an earlier process left. */
  find(
    tasks: readonly TaskRecord[],
    launched: readonly LaunchedContainer[],
    frameworkOf: (task: TaskRecord) => FrameworkInfo,
  ): Promise<void>;
  /** The description of a container that a client launched. */
  launchedSpec(container: LaunchedContainer, task: TaskWithFramework | undefined): ContainerSpec;
  launch(task: TaskRecord, framework: FrameworkInfo): void;
  abort(id: ContainerId): void;
  signal(id: ContainerId, signal: 'SIGTERM' | 'SIGKILL'): void;
  check(task: TaskRecord, check: HealthCheck, timeoutMs: number): void;
  /** Makes the check of a task. */
  probe(task: TaskRecord, check: CheckInfo, timeoutMs: number): void;
  release(task: TaskRecord): void;
  /** Deletes the contents of persistent volumes. */
  destroyVolumes(volumes: readonly Resource[]): void;
  stats(task: TaskRecord): Promise<ContainerStats | undefined>;
  /** Lets go of the containers, which go on running. No event is emitted any more. */
  close(): Promise<void>;
}

export function createLauncher(options: LauncherOptions): Launcher {
  return new TaskLauncher(options);
}

class TaskLauncher implements Launcher {
  readonly #options: LauncherOptions;
  readonly #launches = new Map<ContainerId, AbortController>();
  readonly #runtimeOf = new Map<ContainerId, ContainerRuntime>();
  readonly #pods: PodHolders;
  #closed = false;

  constructor(options: LauncherOptions) {
    this.#options = options;
    const { workDir, executorOf, self } = options;
    this.#pods = new PodHolders({ workDir, executorOf, agentId: () => self().agentId });
  }

  async find(
    tasks: readonly TaskRecord[],
    launched: readonly LaunchedContainer[],
    frameworkOf: (task: TaskRecord) => FrameworkInfo,
  ): Promise<void> {
    const containers: FoundContainer[] = [];
    const all = [...tasks, ...launched];
    const specOf = (one: TaskRecord | LaunchedContainer): ContainerSpec => {
      if ('taskId' in one) return this.#spec(one, frameworkOf(one));
      const task = tasks.find(({ containerId }) => containerId === one.task);
      return this.launchedSpec(one, task && { task, framework: frameworkOf(task) });
    };
    for (const [name, runtime] of this.#options.runtimes) {
      const own = all.filter((one) => one.runtime === name);
      const tasksHere = tasks.filter((task) => task.runtime === name).length;
      const specs: ContainerSpec[] = [];
      for (const one of own) specs.push(await this.#foundAgain(specOf(one)));
      const found = await runtime.recover([...specs, ...this.#holdersOf(tasks, name)]);
      for (const [index, { containerId: id }] of own.entries()) {
        const one = found[index];
        if (index < tasksHere) this.#runtimeOf.set(id, runtime);
        if (one === undefined || one.kind === 'absent') containers.push({ kind: 'absent', id });
        else if (one.kind === 'exited') containers.push({ kind: 'exited', id, status: one.status });
        else {
          containers.push({ kind: 'running', id, ...one.started });
          this.#watch(runtime, id);
        }
      }
    }
    await this.#options.secrets.keepOnly(new Set(all.map(({ containerId }) => containerId)));
    for (const task of all) {
      // A runtime that was switched off cannot say what became of its containers.
      if (!this.#options.runtimes.has(task.runtime))
        containers.push({ kind: 'absent', id: task.containerId });
    }
    this.#emit({ kind: 'containersFound', containers });
  }

  async #foundAgain(spec: ContainerSpec): Promise<ContainerSpec> {
    return await this.#options.secrets.equipAgain(await this.#withExecutorVariables(spec));
  }

  async #withExecutorVariables(spec: ContainerSpec): Promise<ContainerSpec> {
    const variables = await this.#options.executorVariables(containerId(spec.id));
    return { ...spec, environment: { ...spec.environment, ...variables } };
  }

  /** Holders of tasks that are still here, each once. */
  #holdersOf(tasks: readonly TaskRecord[], name: RuntimeName): readonly ContainerSpec[] {
    const holders = new Map<string, ContainerSpec>();
    for (const task of tasks) {
      const holder = task.runtime === name ? this.#pods.specOf(task) : undefined;
      if (holder === undefined) continue;
      holders.set(holder.id, holder);
      this.#pods.adopt(task);
    }
    return [...holders.values()];
  }

  launch(task: TaskRecord, framework: FrameworkInfo): void {
    const id = task.containerId;
    const abort = new AbortController();
    this.#launches.set(id, abort);
    void (async () => {
      try {
        await this.#launch(task, framework, abort.signal);
      } catch (error) {
        await this.#launchFailed(task, errorText(error));
      } finally {
        this.#launches.delete(id);
      }
    })();
  }

  abort(id: ContainerId): void {
    this.#launches.get(id)?.abort(new Error('the task was killed'));
  }

  signal(id: ContainerId, signal: 'SIGTERM' | 'SIGKILL'): void {
    const runtime = this.#runtimeOf.get(id);
    if (runtime === undefined) return;
    this.#quietly('signal', id, async () => await runtime.signal(id, signal));
  }

  check(task: TaskRecord, check: HealthCheck, timeoutMs: number): void {
    const id = task.containerId;
    const runtime = this.#runtimeOf.get(id);
    if (runtime === undefined) return;
    void probe(task, check, timeoutMs, this.#surroundings(runtime)).then((result) =>
      this.#emit({ kind: 'checked', id, ...result }),
    );
  }

  probe(task: TaskRecord, check: CheckInfo, timeoutMs: number): void {
    const id = task.containerId;
    const runtime = this.#runtimeOf.get(id);
    if (runtime === undefined) return;
    void probeCheck(task, check, timeoutMs, this.#surroundings(runtime)).then((status) =>
      this.#emit({ kind: 'probed', id, status }),
    );
  }

  #surroundings(runtime: ContainerRuntime): ProbeSurroundings {
    const { secrets } = this.#options;
    return { runtime, secretsOf: async (command) => await secrets.variables(command) };
  }

  release(task: TaskRecord): void {
    const id = task.containerId;
    const runtime = this.#runtimeOf.get(id);
    // A launch that is still under way cleans up behind itself.
    if (runtime === undefined || this.#launches.has(id)) return;
    this.#runtimeOf.delete(id);
    this.#quietly('remove', id, async () => await this.#remove(task, runtime));
  }

  destroyVolumes(volumes: readonly Resource[]): void {
    destroyVolumes(this.#options.workDir, volumes).catch((error: unknown) => {
      this.#options.logger.error(
        { event: 'volume.destroy_failed', error: errorText(error) },
        'cannot delete the contents of a destroyed volume',
      );
    });
  }

  async stats(task: TaskRecord): Promise<ContainerStats | undefined> {
    return await this.#runtimeOf.get(task.containerId)?.stats(task.containerId);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const runtime of this.#options.runtimes.values()) await runtime.close();
  }

  async #launch(task: TaskRecord, framework: FrameworkInfo, abort: AbortSignal): Promise<void> {
    const id = task.containerId;
    const runtime = this.#options.runtimes.get(task.runtime);
    if (runtime === undefined) throw new Error(`the runtime '${task.runtime}' is not enabled`);
    const described = await this.#withExecutorVariables(this.#spec(task, framework));
    const options = this.#readyOptions(task);
    const { container, resources } = task.info;
    const problem =
      task.runtime === 'docker' ? portMappingProblem(container, resources) : undefined;
    if (problem !== undefined) throw new Error(problem);
    await refuseContainer(described, options);
    const owner = await this.#makeSandbox(task, described);
    const spec = await readyContainer(described, options);
    const { uris = [] } = task.info.command ?? {};
    const { sandboxPath, user } = spec;
    try {
      await this.#options.fetcher.fetch({ uris, sandboxPath, user, signal: abort });
    } finally {
      await openSandbox(sandboxPath, owner);
    }
    this.#runtimeOf.set(id, runtime);
    await this.#pods.join(task, runtime);
    await runtime.prepare(spec, abort);
    abort.throwIfAborted();
    this.#emit({ kind: 'prepared', id });
    await runtime.create(spec);
    const started = await runtime.start(id);
    if (abort.aborted || this.#closed) {
      if (abort.aborted) await this.#remove(task, runtime);
      return;
    }
    this.#emit({ kind: 'started', id, ...started });
    this.#watch(runtime, id);
  }

  #readyOptions(task: TaskRecord): ReadyOptions {
    const { secrets, hostPathVolumeAllow } = this.#options;
    return { runtime: task.runtime, hasOwnRoot: hasOwnRoot(task), secrets, hostPathVolumeAllow };
  }

  async #launchFailed(task: TaskRecord, message: string): Promise<void> {
    const id = task.containerId;
    try {
      const path = this.#sandboxOf(task);
      await mkdir(path, { recursive: true });
      await noteInSandbox(path, `Failed to launch container: ${message}\n`);
      const runtime = this.#runtimeOf.get(id);
      if (runtime !== undefined) await this.#remove(task, runtime);
      else await this.#options.secrets.remove(id);
    } catch (error) {
      this.#options.logger.error(
        { event: 'launch.cleanup', containerId: id, error: errorText(error) },
        'cannot clean up after a failed launch',
      );
    }
    this.#launches.delete(id);
    this.#runtimeOf.delete(id);
    this.#emit({ kind: 'launchFailed', id, message });
  }

  async #remove(task: TaskRecord, runtime: ContainerRuntime): Promise<void> {
    await runtime.remove(task.containerId);
    await this.#options.secrets.remove(task.containerId);
    await this.#pods.leave(task, runtime);
  }

  #watch(runtime: ContainerRuntime, id: ContainerId): void {
    void runtime.wait(id).then(
      (status) => this.#emit({ kind: 'exited', id, status }),
      (error: unknown) =>
        this.#emit({ kind: 'exited', id, status: { kind: 'unknown', message: errorText(error) } }),
    );
  }

  async #makeSandbox(task: TaskRecord, spec: ContainerSpec): Promise<SandboxOwner> {
    // First: what is made in the run's directory before is not counted.
    await this.#options.boundDisk(runIdOf(task));
    // At once: in a burst a turn of the thread pool for each directory costs more than all of them together.
    mkdirSync(spec.sandboxPath, { recursive: true });
    const account = spec.user === undefined ? undefined : await accountOf(spec.user);
    const owner = { account, isFetched: (task.info.command?.uris ?? []).length > 0 };
    await ownSandbox(spec.sandboxPath, owner);
    const runs = runsPath(this.#options.workDir, this.#options.self().agentId, task);
    linkLatest(runs, task.group?.containerId ?? task.containerId);
    if (!hasOwnRoot(task)) {
      const { resources = [] } = task.info;
      await linkVolumes(this.#options.workDir, spec.sandboxPath, resources, account);
    }
    return owner;
  }

  launchedSpec(container: LaunchedContainer, around: TaskWithFramework | undefined): ContainerSpec {
    const { workDir, executorEnvironment } = this.#options;
    return launchedSpec({
      container,
      surroundings: around && {
        sandboxPath: this.#sandboxOf(around.task),
        user: userOf(around.task, around.framework),
      },
      workDir,
      extra: executorEnvironment,
    });
  }

  #sandboxOf(task: TaskRecord): string {
    return sandboxPath(this.#options.workDir, this.#options.self().agentId, task);
  }

  #spec(task: TaskRecord, framework: FrameworkInfo): ContainerSpec {
    const { ip, executorEnvironment } = this.#options;
    const { port, agentId } = this.#options.self();
    const path = this.#sandboxOf(task);
    const user = userOf(task, framework);
    const environment = taskEnvironment({
      task,
      framework,
      agentId,
      ip,
      port,
      sandboxPath: path,
      shutdownGraceMs: this.#options.shutdownGraceMs(task.containerId),
      extra: executorEnvironment,
    });
    return {
      id: task.containerId,
      sandboxPath: path,
      command: task.info.command ?? {},
      ...(task.info.container === undefined
        ? {}
        : { container: this.#withVolumes(task, task.info.container) }),
      environment,
      ...(user === undefined ? {} : { user }),
      cpus: scalarOf(task, 'cpus'),
      memoryBytes: scalarOf(task, 'mem') * MEGABYTE,
      ...(this.#options.hasLowPriority(task) && { isLowPriority: true }),
      ...(task.gpus !== undefined && { gpus: task.gpus }),
      ...limitsOf(task),
      ...this.#podOf(task),
    };
  }

  /** What a task shares with those that it was launched with. */
  #podOf(task: TaskRecord): Pick<ContainerSpec, 'parentId' | 'parentSandboxPath'> {
    const holder = this.#pods.specOf(task);
    const parentSandboxPath = this.#pods.podSandboxOf(task);
    return {
      ...(holder !== undefined && { parentId: holder.id }),
      ...(parentSandboxPath !== undefined && { parentSandboxPath }),
    };
  }

  #withVolumes(task: TaskRecord, container: ContainerInfo): ContainerInfo {
    if (!hasOwnRoot(task)) return container;
    const { resources = [] } = task.info;
    const bound = boundVolumes(this.#options.workDir, SANDBOX_IN_CONTAINER, resources);
    if (bound.length === 0) return container;
    return { ...container, volumes: [...(container.volumes ?? []), ...bound] };
  }

  #quietly(what: string, id: ContainerId, act: () => Promise<void>): void {
    act().catch((error: unknown) => {
      if (this.#closed) return;
      this.#options.logger.error(
        { event: `container.${what}_failed`, containerId: id, error: errorText(error) },
        `cannot ${what} a container`,
      );
    });
  }

  #emit(event: AgentEvent): void {
    if (!this.#closed) this.#options.emit(event);
  }
}

/** `runs/latest` leads to the run that began last. */
function linkLatest(runs: string, id: ContainerId): void {
  const link = join(runs, `.latest-${id}`);
  rmSync(link, { force: true });
  symlinkSync(id, link);
  renameSync(link, join(runs, 'latest'));
}

/** What may be used at most where that is not what is asked for. */
function limitsOf({ info: { limits } }: TaskRecord): Pick<ContainerSpec, 'limits'> {
  const { cpus, mem } = limits ?? {};
  if (cpus === undefined && mem === undefined) return {};
  return {
    limits: {
      ...(cpus !== undefined && { cpus: cpus.value }),
      ...(mem !== undefined && { memoryBytes: mem.value * MEGABYTE }),
    },
  };
}

function userOf(task: TaskRecord, framework: FrameworkInfo): string | undefined {
  return task.info.command?.user ?? (framework.user === '' ? undefined : framework.user);
}

function scalarOf(task: TaskRecord, name: string): number {
  return (task.info.resources ?? []).reduce(
    (sum, resource) => (resource.name === name ? sum + (resource.scalar?.value ?? 0) : sum),
    0,
  );
}
