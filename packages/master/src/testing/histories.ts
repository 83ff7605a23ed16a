/**
 * Random histories of a master: three frameworks, three agents and operators do what they like, sensible or not.
 * For property tests of the core.
 */

import fc from 'fast-check';
import type { agentProtocol, ExecutorInfo, TaskState } from '@dcos/wire';
import { isTerminal } from '../core/task-state.ts';
import {
  frameworkInfo,
  reportedTask,
  resources,
  task,
  World,
  type TestAgent,
  type TestFramework,
} from './world.ts';

/** One thing that happens. */
export type Step =
  | { readonly kind: 'subscribe'; readonly framework: number; readonly checkpoint: boolean }
  | { readonly kind: 'disconnect'; readonly framework: number }
  | { readonly kind: 'teardown'; readonly framework: number }
  | { readonly kind: 'suppression'; readonly framework: number; readonly revive: boolean }
  | {
      readonly kind: 'launch';
      readonly framework: number;
      readonly tasks: readonly { readonly id: number; readonly cpus: number }[];
      /** Under which executor the tasks are a group; each is on its own when absent. */
      readonly executor: number | undefined;
    }
  | { readonly kind: 'executorExits'; readonly agent: number; readonly pick: number }
  | { readonly kind: 'decline'; readonly framework: number; readonly seconds: number }
  | { readonly kind: 'kill'; readonly framework: number; readonly task: number }
  | {
      readonly kind: 'reconcile';
      readonly framework: number;
      readonly tasks: readonly number[];
      readonly agent: number;
    }
  | { readonly kind: 'register'; readonly agent: number; readonly keeps: boolean }
  | { readonly kind: 'close'; readonly agent: number }
  | { readonly kind: 'unregister'; readonly agent: number }
  | { readonly kind: 'gone'; readonly agent: number }
  | {
      readonly kind: 'update';
      readonly pick: number;
      readonly state: TaskState;
      readonly latest: TaskState;
    }
  | { readonly kind: 'acknowledge'; readonly framework: number }
  | { readonly kind: 'wait'; readonly milliseconds: number };

const which = fc.integer({ min: 0, max: 2 });
const state = fc.constantFrom<TaskState>(
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_LOST',
  'TASK_DROPPED',
);
const launches = fc.array(
  fc.record({ id: fc.integer({ min: 0, max: 8 }), cpus: fc.constantFrom(0.1, 0.5, 1, 3, 100) }),
  { maxLength: 4 },
);
/** Anything that can happen. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('subscribe' as const),
      framework: which,
      checkpoint: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('disconnect' as const), framework: which }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('teardown' as const), framework: which }) },
  fc.record({ kind: fc.constant('suppression' as const), framework: which, revive: fc.boolean() }),
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('launch' as const),
      framework: which,
      tasks: launches,
      executor: fc.constantFrom(undefined, undefined, 0, 1),
    }),
  },
  fc.record({
    kind: fc.constant('decline' as const),
    framework: which,
    seconds: fc.constantFrom(0, 5, -1, 1e9),
  }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('kill' as const),
      framework: which,
      task: fc.integer({ min: 0, max: 17 }),
    }),
  },
  fc.record({
    kind: fc.constant('reconcile' as const),
    framework: which,
    tasks: fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 3 }),
    agent: which,
  }),
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('register' as const),
      agent: which,
      keeps: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('executorExits' as const),
      agent: which,
      pick: fc.nat(5),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('close' as const), agent: which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('unregister' as const), agent: which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('gone' as const), agent: which }) },
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('update' as const),
      pick: fc.nat(20),
      state,
      latest: state,
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), framework: which }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      milliseconds: fc.constantFrom(0, 1_000, 30_000, 120_000, 4_000_000),
    }),
  },
);

function executorInfo(id: string, framework: string): ExecutorInfo {
  return {
    type: 'DEFAULT',
    executor_id: { value: id },
    framework_id: { value: framework },
    resources: resources({ cpus: 0.1, mem: 32, disk: 10 }),
  };
}

/** A world in which steps are performed; those that make no sense in it do nothing. */
export class History {
  readonly world = new World();
  readonly frameworks: (TestFramework | undefined)[] = [];
  readonly agents: (TestAgent | undefined)[] = [];
  #uuid = 0;

  perform(given: Step): void {
    switch (given.kind) {
      case 'subscribe':
        return this.#subscribe(given.framework, given.checkpoint);
      case 'launch':
        return this.#launch(given);
      case 'executorExits':
        return this.#executorExits(given.agent, given.pick);
      case 'register':
        return this.#register(given.agent, given.keeps);
      case 'update':
        return this.#update(given);
      case 'acknowledge':
        return this.#acknowledge(given.framework);
      case 'wait':
        this.world.advance(given.milliseconds);
        return;
      case 'close':
      case 'unregister':
      case 'gone':
        return this.#agentEnds(given.kind, given.agent);
      default:
        return this.#call(given);
    }
  }

  #subscribe(index: number, checkpoint: boolean): void {
    const known = this.frameworks[index];
    const framework = this.world.subscribe(
      frameworkInfo({
        checkpoint,
        roles: [`role${index}`],
        failover_timeout: 600,
        // One of the frameworks knows nothing of partitions.
        ...(index === 2 && { capabilities: [{ type: 'MULTI_ROLE' }] }),
        ...(known !== undefined && { id: { value: known.id } }),
      }),
    );
    // Without an id the subscription was refused: this framework has been removed.
    this.frameworks[index] = framework.id === '' ? undefined : framework;
  }

  #launch({ framework: index, tasks, executor }: Extract<Step, { kind: 'launch' }>): void {
    const framework = this.frameworks[index];
    const [offer] = framework === undefined ? [] : this.world.offersOf(framework);
    const agent = this.world.master.snapshot().offers.find(({ id }) => id === offer)?.agentId;
    if (framework === undefined || offer === undefined || agent === undefined) return;
    const infos = tasks.map(({ id, cpus }) =>
      task(`t${id}`, { id: agent, connection: 0 }, { resources: resources({ cpus, mem: 10 }) }),
    );
    if (executor === undefined) {
      this.world.launch(framework, infos, [offer]);
      return;
    }
    const launch_group = {
      executor: executorInfo(`e${executor}`, framework.id),
      task_group: { tasks: infos },
    };
    this.world.call(framework, {
      type: 'ACCEPT',
      accept: {
        offer_ids: [{ value: offer }],
        operations: [{ type: 'LAUNCH_GROUP', launch_group }],
      },
    });
  }

  /** Executors that the master knows of on an agent. */
  #executorsOn({ id }: TestAgent): readonly agentProtocol.RegisteredExecutor[] {
    const agent = [...this.world.master.state.agents.values()].find((known) => known.id === id);
    return [...(agent?.executors.values() ?? [])].flatMap((executors) =>
      Array.from(executors.values(), ({ frameworkId, info }) => ({
        framework_id: { value: frameworkId },
        executor_info: info,
      })),
    );
  }

  #executorExits(index: number, pick: number): void {
    const agent = this.agents[index];
    const executors = agent === undefined ? [] : this.#executorsOn(agent);
    const chosen = executors[pick % Math.max(1, executors.length)];
    if (agent === undefined || chosen === undefined) return;
    const { framework_id, executor_info } = chosen;
    this.world.frame(agent.connection, {
      type: 'EXECUTOR_EXITED',
      executor_exited: { framework_id, executor_id: executor_info.executor_id, status: 0 },
    });
  }

  #register(index: number, keeps: boolean): void {
    const known = this.agents[index];
    const running =
      known === undefined || !keeps
        ? []
        : this.world.master.snapshot().frameworks.flatMap(({ id, tasks, unreachableTasks }) =>
            [...tasks, ...unreachableTasks]
              .filter(({ agentId }) => agentId === known.id)
              .map((record) =>
                reportedTask(record.taskId, { id, streamId: '' }, known, {
                  resources: record.resources,
                  state: isTerminal(record.state) ? record.state : 'TASK_RUNNING',
                }),
              ),
          );
    const frameworks = this.frameworks.flatMap((framework, at) =>
      framework === undefined
        ? []
        : [frameworkInfo({ id: { value: framework.id }, roles: [`role${at}`] })],
    );
    const agent = this.world.register({
      agent_info: {
        hostname: 'host',
        port: 6000 + index,
        resources: resources({ cpus: 4, mem: 1000, disk: 1000 }),
        ...(known !== undefined && { id: { value: known.id } }),
      },
      frameworks,
      tasks: running,
      ...(known !== undefined && keeps && { executors: this.#executorsOn(known) }),
    });
    this.agents[index] = agent.id === '' ? undefined : agent;
  }

  #update({ pick, state: reported, latest }: Extract<Step, { kind: 'update' }>): void {
    const tasks = this.world.master.snapshot().frameworks.flatMap((framework) => framework.tasks);
    const chosen = tasks[pick % Math.max(1, tasks.length)];
    const agent = this.agents.find((known) => known?.id === chosen?.agentId);
    if (agent === undefined || chosen === undefined) return;
    this.#uuid = (this.#uuid + 1) % 256;
    const framework = { id: chosen.frameworkId, streamId: '' };
    this.world.update(agent, framework, chosen.taskId, reported, this.#uuid, latest);
  }

  #acknowledge(index: number): void {
    const framework = this.frameworks[index];
    if (framework === undefined) return;
    const known = [...this.world.master.state.frameworks.values()].find(
      ({ id }) => id === framework.id,
    );
    for (const {
      task: { status_update_uuid: uuid },
      agentId,
      taskId,
    } of known?.tasks.values() ?? []) {
      if (uuid === undefined) continue;
      this.world.call(framework, {
        type: 'ACKNOWLEDGE',
        acknowledge: { agent_id: { value: agentId }, task_id: { value: taskId }, uuid },
      });
    }
  }

  #agentEnds(how: 'close' | 'unregister' | 'gone', index: number): void {
    const agent = this.agents[index];
    if (agent === undefined) return;
    if (how === 'close') this.world.handle({ kind: 'agentClosed', connection: agent.connection });
    else if (how === 'unregister')
      this.world.frame(agent.connection, { type: 'UNREGISTER', unregister: {} });
    else
      this.world.operator({
        type: 'MARK_AGENT_GONE',
        mark_agent_gone: { agent_id: { value: agent.id } },
      });
  }

  /** Some kills are for a task that lives, others for one that may never have been. */
  #kill(framework: TestFramework, task: number): void {
    const { frameworks } = this.world.master.snapshot();
    const live = frameworks.find(({ id }) => id === framework.id)?.tasks ?? [];
    const value = task > 8 ? live[task % Math.max(1, live.length)]?.taskId : undefined;
    this.world.call(framework, { type: 'KILL', kill: { task_id: { value: value ?? `t${task}` } } });
  }

  #call(
    given: Extract<
      Step,
      { kind: 'disconnect' | 'teardown' | 'suppression' | 'decline' | 'kill' | 'reconcile' }
    >,
  ): void {
    const framework = this.frameworks[given.framework];
    if (framework === undefined) return;
    if (given.kind === 'disconnect')
      this.world.handle({ kind: 'streamClosed', streamId: framework.streamId });
    else if (given.kind === 'teardown') this.world.call(framework, { type: 'TEARDOWN' });
    else if (given.kind === 'suppression')
      this.world.call(framework, { type: given.revive ? 'REVIVE' : 'SUPPRESS' });
    else if (given.kind === 'kill') this.#kill(framework, given.task);
    else if (given.kind === 'reconcile') {
      const agent = this.agents[given.agent];
      const tasks = given.tasks.map((id) => ({
        task_id: { value: `t${id}` },
        ...(agent !== undefined && { agent_id: { value: agent.id } }),
      }));
      this.world.call(framework, { type: 'RECONCILE', reconcile: { tasks } });
    } else {
      const offer_ids = this.world.offersOf(framework).map((value) => ({ value }));
      this.world.call(framework, {
        type: 'DECLINE',
        decline: { offer_ids, filters: { refuse_seconds: given.seconds } },
      });
    }
  }
}
