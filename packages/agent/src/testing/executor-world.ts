/**
 * The world of `agent-world.ts` with executors that frameworks bring: programs that outlive the agent, lose their
 * streams with it, remember what was not acknowledged, and tell it again when they are back.
 *
 * It checks beside the rest: an executor is told something on its stream only; it gets each task once; what it told is
 * acknowledged only when it is durable, and nothing else is acknowledged.
 */

import { expect } from 'vitest';
import type { ContainerId } from '@dcos/base';
import type { executor, ExecutorInfo, TaskInfo, TaskState, TaskStatus } from '@dcos/wire';
import type { AgentEffect } from '../core/events.ts';
import type { ExecutorAnswer, ExecutorCallId } from '../core/executor-calls.ts';
import { isTerminal } from '../core/model.ts';
import { FRAMEWORK, pickFrom, uuidKey, World } from './agent-world.ts';

/** Something that happens to executors. */
export interface ExecutorStep {
  readonly kind: 'runIn' | 'begin' | 'subscribe' | 'tell' | 'tellAgain' | 'leave' | 'failLaunch';
  readonly pick: number;
}

interface ProgramTask {
  state: TaskState;
  isKilled: boolean;
  /** An update of it was acknowledged. */
  isKnown: boolean;
}

interface Program {
  readonly executorId: string;
  /** The call that opened its stream. */
  stream: ExecutorCallId | undefined;
  readonly tasks: Map<string, ProgramTask>;
  /** Told and not acknowledged, oldest first. */
  readonly updates: TaskStatus[];
  /** Everything that it ever told: it may do so again when it is in doubt. */
  readonly told: TaskStatus[];
}

/** Executors that a framework has; a few, so that they meet. */
const EXECUTORS_MAX = 2;

export class ExecutorWorld extends World {
  readonly #programs = new Map<ContainerId, Program>();
  readonly #asking = new Map<ExecutorCallId, (answer: ExecutorAnswer) => void>();
  readonly #everTold = new Set<string>();
  #lastCall: ExecutorCallId = 0;
  #lastUpdate = 0;

  override boot(): void {
    this.#asking.clear();
    for (const program of this.#programs.values()) program.stream = undefined;
    super.boot();
  }

  applyStep({ kind, pick }: ExecutorStep): void {
    switch (kind) {
      case 'runIn':
        return this.#runIn(pick);
      case 'begin': {
        const id = pickFrom(this.#launching(), pick);
        if (id === undefined) return;
        this.containers.set(id, { phase: 'running' });
        return this.handle({ kind: 'started', id, pid: 7, ipAddresses: [] });
      }
      case 'subscribe':
        return this.#subscribe(pickFrom(this.#running(), pick));
      case 'tell':
        return this.#tell(pickFrom(this.#subscribed(), pick), pick);
      case 'tellAgain': {
        const found = pickFrom(this.#subscribed(), pick);
        const status = found && pickFrom(found[1].told, pick);
        if (found !== undefined && status !== undefined) this.#update(found[1], status);
        return;
      }
      case 'leave': {
        const [id, program] = pickFrom(this.#subscribed(), pick) ?? [];
        if (id === undefined || program?.stream === undefined) return;
        const call = program.stream;
        program.stream = undefined;
        return this.handle({ kind: 'executorLeft', id, call });
      }
      case 'failLaunch': {
        const id = pickFrom(this.#launching(), pick);
        if (id === undefined) return;
        this.containers.delete(id);
        return this.handle({ kind: 'launchFailed', id, message: 'm' });
      }
      default:
        return kind satisfies never;
    }
  }

  /** Every executor that runs subscribes and ends its tasks. */
  finishTasks(): void {
    for (const found of this.#running()) {
      if (found[1].stream === undefined) this.#subscribe(found);
      for (const [id, task] of found[1].tasks)
        if (!isTerminal(task.state)) this.#tellState(found[1], id, 'TASK_FINISHED');
    }
  }

  protected override perform(effect: AgentEffect): void {
    switch (effect.kind) {
      case 'launchExecutor': {
        const { containerId, executorId } = effect.executor;
        this.containers.set(containerId, { phase: 'launching' });
        this.#programs.set(containerId, {
          executorId,
          stream: undefined,
          tasks: new Map(),
          updates: [],
          told: [],
        });
        return;
      }
      case 'answerExecutor': {
        const answered = this.#asking.get(effect.call);
        this.#asking.delete(effect.call);
        answered?.(effect.answer);
        return;
      }
      case 'tellExecutor':
        return this.#told(effect.id, effect.event);
      case 'closeExecutor': {
        const program = this.#programs.get(effect.id);
        if (program !== undefined) program.stream = undefined;
        return;
      }
      default:
        return super.perform(effect);
    }
  }

  #launching(): readonly ContainerId[] {
    return [...this.#programs.keys()].filter((id) =>
      ['launching', 'prepared'].includes(this.containers.get(id)?.phase ?? ''),
    );
  }

  #running(): readonly [ContainerId, Program][] {
    return [...this.#programs].filter(([id]) => this.containers.get(id)?.phase === 'running');
  }

  #subscribed(): readonly [ContainerId, Program][] {
    return this.#running().filter(([, { stream }]) => stream !== undefined);
  }

  #runIn(pick: number): void {
    if (!this.registered) return;
    const executorInfo: ExecutorInfo = {
      type: 'CUSTOM',
      executor_id: { value: `e${pick % EXECUTORS_MAX}` },
      framework_id: { value: 'f' },
      command: { value: 'x' },
      resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 1 } }],
    };
    const newTask = (): TaskInfo => {
      this.tasks += 1;
      const value = `t${this.tasks}`;
      return {
        name: value,
        task_id: { value },
        agent_id: { value: 'S0' },
        executor: executorInfo,
        resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 1 } }],
      };
    };
    if (pick % 4 !== 0) {
      const run_task = { framework_info: FRAMEWORK, task: newTask() };
      this.handle({ kind: 'received', message: { type: 'RUN_TASK', run_task } });
      return;
    }
    const run_task_group = {
      framework_info: FRAMEWORK,
      executor: executorInfo,
      task_group: { tasks: [newTask(), newTask()] },
    };
    this.handle({ kind: 'received', message: { type: 'RUN_TASK_GROUP', run_task_group } });
  }

  #call(
    program: Program,
    asked: Pick<executor.Call, 'type' | 'subscribe' | 'update'>,
    answered: (answer: ExecutorAnswer, call: ExecutorCallId) => void,
  ): void {
    this.#lastCall += 1;
    const call = this.#lastCall;
    this.#asking.set(call, (answer) => answered(answer, call));
    const framework_id = { value: 'f' };
    const executor_id = { value: program.executorId };
    this.handle({ kind: 'executorCalled', call, asked: { ...asked, framework_id, executor_id } });
  }

  #subscribe(found: [ContainerId, Program] | undefined): void {
    if (found === undefined) return;
    const [id, program] = found;
    const unknown = [...program.tasks].filter(([, { isKnown }]) => !isKnown);
    const subscribe = {
      unacknowledged_tasks: unknown.map(([value]) => ({
        name: value,
        task_id: { value },
        agent_id: { value: 'S0' },
      })),
      unacknowledged_updates: program.updates.map((status) => ({ status })),
    };
    this.#call(program, { type: 'SUBSCRIBE', subscribe }, (answer, call) => {
      if (answer.kind !== 'subscribed') return;
      // Of two runs of one executor only the present one is meant.
      expect(answer.id, 'the stream is that of the container which subscribed').toBe(id);
      program.stream = call;
    });
    if (program.stream !== undefined) this.#expectNothingMissed(id, program);
  }

  /** What the agent still counts on has reached the executor that just subscribed. */
  #expectNothingMissed(id: ContainerId, program: Program): void {
    const { live, executors } = this.agent.snapshot();
    const own = executors.find(({ containerId }) => containerId === id);
    if (own?.process?.state !== 'running') return;
    for (const { taskId, state, executor: of } of live)
      if (of?.containerId === id && !isTerminal(state))
        expect(program.tasks.has(taskId), `${taskId} was launched`).toBe(true);
  }

  #tell(found: [ContainerId, Program] | undefined, pick: number): void {
    const program = found?.[1];
    const open = [...(program?.tasks ?? [])].filter(([, { state }]) => !isTerminal(state));
    const [id, task] = pickFrom(open, pick) ?? [];
    if (program === undefined || id === undefined || task === undefined) return;
    const end = pick % 3 === 0 ? 'TASK_FAILED' : 'TASK_FINISHED';
    const next = task.state === 'TASK_RUNNING' && pick % 2 === 0 ? end : 'TASK_RUNNING';
    this.#tellState(program, id, task.isKilled ? 'TASK_KILLED' : next);
  }

  #tellState(program: Program, id: string, state: TaskState): void {
    const task = program.tasks.get(id);
    if (task === undefined) return;
    task.state = state;
    this.#lastUpdate += 1;
    const uuid = new Uint8Array(16);
    new DataView(uuid.buffer).setUint32(12, this.#lastUpdate);
    const status: TaskStatus = { task_id: { value: id }, state, source: 'SOURCE_EXECUTOR', uuid };
    program.updates.push(status);
    program.told.push(status);
    this.#everTold.add(uuidKey(status));
    this.#update(program, status);
  }

  #update(program: Program, status: TaskStatus): void {
    // Refused or not: until it is acknowledged it is told again.
    this.#call(program, { type: 'UPDATE', update: { status } }, () => undefined);
  }

  #told(id: ContainerId, event: executor.Event): void {
    const program = this.#programs.get(id);
    if (program === undefined) throw new Error(`nobody launched the executor in ${id}`);
    expect(program.stream, `${event.type} is told on a stream`).toBeDefined();
    const { launch, launch_group, kill, acknowledged } = event;
    if (launch !== undefined) this.#launched(program, launch.task);
    for (const task of launch_group?.task_group.tasks ?? []) this.#launched(program, task);
    const killed = kill && program.tasks.get(kill.task_id.value);
    if (killed !== undefined) killed.isKilled = true;
    if (acknowledged === undefined) return;
    const key = Buffer.from(acknowledged.uuid).toString('base64');
    expect(this.#everTold.has(key), 'nothing is acknowledged that was not told').toBe(true);
    expect(this.#isKept(acknowledged.task_id.value, key), 'what is acknowledged is kept').toBe(
      true,
    );
    const at = program.updates.findIndex((status) => uuidKey(status) === key);
    // One that was told twice is acknowledged twice.
    if (at === -1) return;
    program.updates.splice(at, 1);
    const task = program.tasks.get(acknowledged.task_id.value);
    if (task !== undefined) task.isKnown = true;
  }

  /** What is told of a task that has ended, or was never here, need not be. */
  #isKept(taskId: string, key: string): boolean {
    const { live } = this.agent.snapshot();
    const isLive = live.some((task) => task.taskId === taskId && !isTerminal(task.state));
    return (
      !isLive || [...this.durable.values()].some((record) => JSON.stringify(record).includes(key))
    );
  }

  #launched(program: Program, { task_id: { value } }: TaskInfo): void {
    expect(program.tasks.has(value), `${value} is launched once`).toBe(false);
    program.tasks.set(value, { state: 'TASK_STAGING', isKilled: false, isKnown: false });
  }
}
