/**
 * A world whose master is compared with the specification at every event: what was sent, then what both know.
 * Events that the specification does not speak of are refused, so that no test believes to be checked in vain.
 */

import { uuidText } from '@dcos/base';
import type { agentProtocol } from '@dcos/wire';
import type { Effect, MasterEvent, MasterSnapshot } from '../core/index.ts';
import { isTerminal } from '../core/task-state.ts';
import { Specification } from './specification.ts';
import { amountsOf } from './specified-books.ts';
import type { World } from './world.ts';

/** Compares from now on; `differ` is called with both sides and has to object when they are not equal. */
export function specify(
  world: World,
  differ: (actual: unknown, expected: unknown, event: MasterEvent) => void,
): Specification {
  const specification = new Specification(PINGS_MISSED_MAX);
  const handle = world.handle.bind(world);
  const compare = (actual: unknown, expected: unknown, event: MasterEvent): void => {
    // Texts are compared first: that is cheap, and they hardly ever differ.
    if (JSON.stringify(actual) !== JSON.stringify(expected)) differ(actual, expected, event);
  };
  world.handle = (event) => {
    const effects = handle(event);
    foresee(specification, event, effects);
    compare(linesOf(effects), specification.said(), event);
    for (const effect of effects) {
      if (effect.kind !== 'sendToFramework') continue;
      for (const offer of effect.event.offers?.offers ?? []) specification.offered(offer);
    }
    compare(known(world.master.snapshot()), knownBy(specification), event);
    return effects;
  };
  return specification;
}

/** The default of the master's options. */
const PINGS_MISSED_MAX = 5;

/** Tells the specification what happened, with the ids that the master chose. */
function foresee(spec: Specification, event: MasterEvent, effects: readonly Effect[]): void {
  switch (event.kind) {
    case 'schedulerCall':
      return foreseeCall(spec, event, effects);
    case 'streamClosed':
      return spec.streamClosed(event.streamId);
    case 'agentFrame':
      return foreseeFrame(spec, event.connection, event.frame, effects);
    case 'agentClosed':
      return spec.agentClosed(event.connection);
    case 'timer':
      return foreseeTimer(spec, event.timer);
    case 'operatorCall': {
      const id = event.call.mark_agent_gone?.agent_id.value;
      if (id === undefined) throw new Error(`${event.call.type} is not specified`);
      spec.reply(spec.markGone(id) ? 200 : 404);
      return;
    }
    default:
      throw new Error(`${event.kind} is not specified`);
  }
}

function foreseeCall(
  spec: Specification,
  { call, streamId }: Extract<MasterEvent, { kind: 'schedulerCall' }>,
  effects: readonly Effect[],
): void {
  if (call.subscribe !== undefined) {
    const info = call.subscribe.framework_info;
    const opened = effects.find((effect) => effect.kind === 'openStream');
    const subscribed = effects.flatMap((effect) =>
      effect.kind === 'sendToFramework' && effect.event.subscribed !== undefined
        ? [effect.event.subscribed.framework_id.value]
        : [],
    );
    const isPartitionAware =
      info.capabilities?.some(({ type }) => type === 'PARTITION_AWARE') ?? false;
    spec.subscribe(
      { id: info.id?.value ?? '', checkpoint: info.checkpoint ?? false, isPartitionAware },
      { id: subscribed[0] ?? '', stream: opened?.streamId ?? '' },
    );
    return;
  }
  const id = call.framework_id?.value ?? '';
  if (!spec.mayCall(id, streamId)) return;
  const { accept, decline, kill, acknowledge, reconcile } = call;
  if (call.type === 'TEARDOWN') spec.removeFramework(id);
  else if (accept !== undefined) {
    const launches = (accept.operations ?? []).map(({ launch, launch_group: group }) => ({
      executor: group?.executor.executor_id.value,
      tasks: (group?.task_group.tasks ?? launch?.task_infos ?? []).map((task) => ({
        id: task.task_id.value,
        amounts: amountsOf(task.resources),
      })),
    }));
    spec.accept(
      id,
      (accept.offer_ids ?? []).map(({ value }) => value),
      launches,
    );
  } else if (decline !== undefined)
    spec.decline((decline.offer_ids ?? []).map(({ value }) => value));
  else if (kill !== undefined) spec.kill(id, kill.task_id.value);
  else if (acknowledge !== undefined) {
    const { agent_id, task_id, uuid } = acknowledge;
    spec.acknowledge(id, { agent: agent_id.value, task: task_id.value, uuid: uuidText(uuid) });
  } else if (reconcile !== undefined) {
    const { tasks = [] } = reconcile;
    if (tasks.length === 0) spec.reconcile(id, undefined, undefined);
    for (const task of tasks) spec.reconcile(id, task.task_id.value, task.agent_id?.value);
  }
}

function foreseeFrame(
  spec: Specification,
  connection: number,
  frame: agentProtocol.ToMaster,
  effects: readonly Effect[],
): void {
  const { register, status_update: update } = frame;
  if (register !== undefined) {
    const { agent_info: info } = register;
    const registered = effects.flatMap((effect) =>
      effect.kind === 'sendToAgent' && effect.frame.registered !== undefined
        ? [effect.frame.registered.agent_id.value]
        : [],
    );
    spec.register(
      connection,
      { id: info.id?.value, port: info.port ?? 0, amounts: amountsOf(info.resources) },
      registered[0] ?? '',
      {
        executors: (register.executors ?? []).map(({ framework_id, executor_info }) => ({
          framework: framework_id.value,
          id: executor_info.executor_id.value,
        })),
        frameworks: (register.frameworks ?? []).map(({ id }) => id?.value ?? ''),
        tasks: (register.tasks ?? []).map((task) => ({
          framework: task.framework_id.value,
          id: task.task_id.value,
          state: task.state,
          amounts: amountsOf(task.resources),
        })),
      },
    );
    return;
  }
  const agent = spec.heard(connection);
  if (agent === undefined) return;
  if (update !== undefined) {
    spec.update(agent, {
      framework: update.framework_id.value,
      task: update.status.task_id.value,
      state: update.status.state,
      latest: update.latest_state,
      uuid: uuidText(update.status.uuid ?? new Uint8Array(16)),
    });
  } else if (frame.executor_exited !== undefined) {
    const { framework_id, executor_id } = frame.executor_exited;
    spec.executorExited(agent, framework_id.value, executor_id.value);
  } else if (frame.unregister !== undefined) spec.removeAgent(agent.id, 'TASK_GONE');
}

function foreseeTimer(spec: Specification, timer: string): void {
  const [kind, id = ''] = timer.split(/\/(.*)/s);
  if (kind === 'ping') spec.ping(id);
  if (kind === 'failover' && spec.frameworks.get(id)?.stream === undefined)
    spec.removeFramework(id);
}

/** What was sent, as the specification says it. */
function linesOf(effects: readonly Effect[]): readonly string[] {
  return effects
    .flatMap((effect): readonly string[] => {
      switch (effect.kind) {
        case 'reply':
          return [`reply ${effect.status}`];
        case 'closeStream':
          return [`close ${effect.streamId}`];
        case 'closeAgent':
          return [`close agent#${effect.connection}`];
        case 'sendToAgent':
          return frameLine(effect.frame).map((line) => `agent#${effect.connection} ${line}`);
        case 'sendToFramework': {
          const { streamId, event } = effect;
          if (event.type === 'ERROR') return [`${streamId} ERROR`];
          if (event.rescind !== undefined)
            return [`${streamId} RESCIND ${event.rescind.offer_id.value}`];
          const status = event.update?.status;
          return status === undefined
            ? []
            : [`${streamId} UPDATE ${status.task_id.value} ${status.state}`];
        }
        default:
          return [];
      }
    })
    .sort();
}

function frameLine(frame: agentProtocol.ToAgent): readonly string[] {
  const { run_task, kill_task, acknowledge, shutdown_framework, reconcile } = frame;
  if (run_task !== undefined) return [`RUN_TASK ${run_task.task.task_id.value}`];
  if (frame.run_task_group !== undefined) {
    const { task_group, launch_executor: isNew } = frame.run_task_group;
    const ids = (task_group.tasks ?? []).map(({ task_id }) => task_id.value);
    return [`RUN_TASK_GROUP ${ids.join()}${isNew === true ? ' with its executor' : ''}`];
  }
  if (kill_task !== undefined) return [`KILL_TASK ${kill_task.task_id.value}`];
  if (acknowledge !== undefined)
    return [`ACKNOWLEDGE ${acknowledge.task_id.value} ${uuidText(acknowledge.uuid)}`];
  if (shutdown_framework !== undefined)
    return [`SHUTDOWN_FRAMEWORK ${shutdown_framework.framework_id.value}`];
  if (reconcile !== undefined)
    return [
      `RECONCILE ${(reconcile.task_ids ?? [])
        .map(({ value }) => value)
        .sort()
        .join()}`,
    ];
  return ['REGISTERED', 'REJECTED', 'SHUTDOWN'].filter((type) => type === frame.type);
}

/** What the master knows, as far as the specification knows it too. */
function known(snapshot: MasterSnapshot): unknown {
  return {
    frameworks: snapshot.frameworks.map((framework) => ({
      id: framework.id,
      connected: framework.connected,
      tasks: framework.tasks
        .map(({ taskId, agentId, state, holdsResources }) =>
          taskLine(taskId, agentId, state, holdsResources ? 'held' : 'free'),
        )
        .sort(),
      unreachable: framework.unreachableTasks.map(({ taskId }) => taskId).sort(),
      completed: framework.completedTasks.map(({ taskId, state }) => `${taskId} ${state}`).sort(),
    })),
    removed: [...snapshot.completedFrameworks].sort(),
    agents: snapshot.agents.map(({ id, connected }) => `${id} ${connected}`).sort(),
    unreachable: [...snapshot.unreachableAgents].sort(),
    gone: [...snapshot.goneAgents].sort(),
    used: snapshot.agents.map(({ id, used }) => JSON.stringify([id, amountsOf(used)])).sort(),
    offers: snapshot.offers.map(({ id }) => id).sort(),
  };
}

function knownBy(spec: Specification): unknown {
  return {
    frameworks: Array.from(spec.frameworks.values(), (framework) => ({
      id: framework.id,
      connected: framework.stream !== undefined,
      tasks: Array.from(framework.live.values(), ({ id, agent, state }) =>
        taskLine(id, agent, state, isTerminal(state) ? 'free' : 'held'),
      ).sort(),
      unreachable: [...framework.unreachable.keys()].sort(),
      completed: Array.from(framework.completed, ([id, state]) => `${id} ${state}`).sort(),
    })),
    removed: [...spec.removedFrameworks].sort(),
    agents: Array.from(
      spec.agents.values(),
      ({ id, connection }) => `${id} ${connection !== undefined}`,
    ).sort(),
    unreachable: [...spec.unreachableAgents].sort(),
    gone: [...spec.goneAgents].sort(),
    used: Array.from(spec.agents.keys(), (id) => JSON.stringify([id, spec.used(id)])).sort(),
    offers: [...spec.offers.keys()].sort(),
  };
}

function taskLine(id: string, agent: string, state: string, hold: 'held' | 'free'): string {
  return `${id} on ${agent} ${state} ${hold}`;
}
