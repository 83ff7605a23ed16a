/**
 * Runs the core: feeds events, performs effects in order, keeps the timers. Nothing after a `persist`
 * leaves before it is durable, but answers to pings; all records of one round share one write to disk.
 */

import { errorText, type Clock, type Instant, type JsonObject, type Logger } from '@dcos/base';
import type { FrameworkInfo } from '@dcos/wire';
import type { Agent, AgentEffect, AgentEvent, AgentSnapshot, TaskRecord } from '../core/index.ts';
import type { CheckpointJournal } from './checkpoint-journal.ts';
import { containersOf } from './executor-container.ts';
import type { ExecutorStreams } from './executor-streams.ts';
import type { LaunchedContainers } from './launched-containers.ts';
import type { Launcher } from './launcher.ts';
import type { MasterConnection } from './master-connection.ts';

/** Effects that may wait for what is before them to become durable. */
const QUEUED_EFFECTS_MAX = 500_000;

export interface AgentShellOptions {
  readonly core: Agent;
  readonly clock: Clock;
  readonly journal: CheckpointJournal;
  readonly logger: Logger;
  readonly onRegistered: (agentId: string) => void;
  readonly onStopped: (reason: string) => void;
  /** The checkpoint cannot be written, and that will not change: nothing may go on. */
  readonly onFailed: (error: unknown) => void;
}

export class AgentShell {
  readonly #options: AgentShellOptions;
  readonly #timers = new Map<string, () => void>();
  #queue: AgentEffect[] = [];
  #draining: Promise<void> = Promise.resolve();
  #isDraining = false;
  #closed = false;
  #launcher: Launcher | undefined;
  #launched: LaunchedContainers | undefined;
  #executors: ExecutorStreams | undefined;
  #connection: MasterConnection | undefined;

  constructor(options: AgentShellOptions) {
    this.#options = options;
  }

  /** All need `emit` of this object, hence a second step. */
  attach(parts: {
    readonly launcher: Launcher;
    readonly launched: LaunchedContainers;
    readonly executors: ExecutorStreams;
    readonly connection: MasterConnection;
  }): void {
    this.#launcher = parts.launcher;
    this.#launched = parts.launched;
    this.#executors = parts.executors;
    this.#connection = parts.connection;
  }

  snapshot(): AgentSnapshot {
    return this.#options.core.snapshot();
  }

  now(): Instant {
    return this.#options.clock.now();
  }

  emit(event: AgentEvent): void {
    if (this.#closed) return;
    const { core, clock } = this.#options;
    for (const effect of core.handle(event, clock.now(), clock.monotonicMs())) {
      // It says nothing but that we are there, also while the disk is full.
      if (effect.kind === 'send' && effect.message.type === 'PONG') this.#perform(effect);
      else this.#queue.push(effect);
    }
    if (this.#queue.length > QUEUED_EFFECTS_MAX) {
      this.#fail(new Error(`more than ${QUEUED_EFFECTS_MAX} effects wait for the disk`));
      return;
    }
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#draining = this.#drain();
  }

  /** Resolves when everything decided so far is done and durable; nothing happens after it. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await this.#connection?.close();
    await this.#draining;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const batch = this.#queue;
        this.#queue = [];
        const writes = batch.filter((effect) => effect.kind === 'persist');
        if (writes.length > 0) await this.#options.journal.append(writes);
        for (const effect of batch) this.#perform(effect);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isDraining = false;
    }
  }

  #fail(error: unknown): void {
    this.#closed = true;
    this.#options.logger.error(
      { event: 'agent.failed', error: errorText(error) },
      'cannot go on; tasks keep running and are found again by the next start',
    );
    this.#options.onFailed(error);
  }

  #perform(effect: AgentEffect): void {
    const launcher = this.#launcher;
    const connection = this.#connection;
    switch (effect.kind) {
      case 'persist':
        return;
      case 'findContainers':
        void launcher
          ?.find([...effect.tasks, ...containersOf(effect.executors)], effect.launched, (task) =>
            this.frameworkOf(task),
          )
          .catch((error: unknown) => this.#options.onFailed(error));
        return;
      case 'connect':
        if (!this.#closed) connection?.connect();
        return;
      case 'disconnect':
        return connection?.disconnect();
      case 'send':
        return connection?.send(effect.message);
      case 'registered':
        return this.#options.onRegistered(effect.agentId);
      case 'launch':
        return launcher?.launch(effect.task, effect.framework);
      case 'launchExecutor':
        for (const container of containersOf([effect.executor]))
          launcher?.launch(container, effect.framework);
        return;
      case 'releaseExecutor':
        for (const container of containersOf([effect.executor])) launcher?.release(container);
        return;
      case 'answerExecutor':
        return this.#executors?.answer(effect.call, effect.answer);
      case 'tellExecutor':
        return this.#executors?.tell(effect.id, effect.event);
      case 'closeExecutor':
        return this.#executors?.close(effect.id);
      case 'abortLaunch':
        return launcher?.abort(effect.id);
      case 'signal':
        return launcher?.signal(effect.id, effect.signal);
      case 'check':
        return launcher?.check(effect.task, effect.check, effect.timeoutMs);
      case 'probe':
        return launcher?.probe(effect.task, effect.check, effect.timeoutMs);
      case 'destroyVolumes':
        return launcher?.destroyVolumes(effect.volumes);
      case 'release':
        return launcher?.release(effect.task);
      case 'launchContainer':
        return this.#launched?.launch(effect.container);
      case 'signalContainer':
        return this.#launched?.signal(effect.container, effect.signal);
      case 'releaseContainer':
        return this.#launched?.release(effect.container);
      case 'answerCall':
        return this.#launched?.answer(effect.call, effect.answer);
      case 'timer':
        return this.#setTimer(effect.id, effect.afterMs);
      case 'cancelTimer':
        this.#timers.get(effect.id)?.();
        this.#timers.delete(effect.id);
        return;
      case 'log':
        return this.#options.logger[effect.level]({ event: effect.event }, effect.message);
      case 'stopped':
        return this.#options.onStopped(effect.reason);
      default:
        return effect satisfies never;
    }
  }

  #setTimer(id: string, afterMs: number): void {
    this.#timers.get(id)?.();
    if (this.#closed) return;
    const cancel = this.#options.clock.setTimer(afterMs, () => {
      this.#timers.delete(id);
      this.emit({ kind: 'timer', id });
    });
    this.#timers.set(id, cancel);
  }

  frameworkOf(task: TaskRecord): FrameworkInfo {
    const record = this.snapshot().frameworks.get(task.frameworkId);
    return record?.info ?? { name: '', user: '', id: { value: task.frameworkId } };
  }
}

/** Records as the core's first event wants them. */
export function startEvent(records: ReadonlyMap<string, JsonObject>): AgentEvent {
  return { kind: 'start', records };
}
