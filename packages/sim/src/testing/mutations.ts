/**
 * Cores that are broken on purpose, each the real one behind a wrapper that spoils its events or effects.
 * A simulation that lets one pass checks less than it claims. For tests only.
 */

import { createAllocator, type Allocator } from '@dcos/allocator';
import { agentId } from '@dcos/base';
import { createAgent, type AgentEffect, type AgentEvent } from '@dcos/agent/core';
import { createMaster, type Effect, type MasterEvent } from '@dcos/master/core';
import { Resources } from '@dcos/resources';
import type { masterApi, scheduler } from '@dcos/wire';
import type { AgentFactory } from '../simulated-agent.ts';
import type { AllocatorFactory, MasterFactory } from '../simulated-master.ts';
import type { SimulationOptions } from '../simulation.ts';

export interface Mutation {
  readonly name: string;
  readonly parts: Pick<SimulationOptions, 'newAgent' | 'newAllocator' | 'newMaster'>;
  /** What a checker must say. */
  readonly objection: RegExp;
}

/** An agent whose events or effects are changed on their way. */
function agentWith(changes: {
  readonly event?: (event: AgentEvent) => AgentEvent;
  readonly effects?: (effects: readonly AgentEffect[], event: AgentEvent) => readonly AgentEffect[];
}): AgentFactory {
  const { event: changeEvent = (event) => event, effects: changeEffects = (effects) => effects } =
    changes;
  return (options) => {
    const real = createAgent(options);
    return {
      ...real,
      handle: (event, ...when) => changeEffects(real.handle(changeEvent(event), ...when), event),
    };
  };
}

/** A master whose effects are changed on their way; `begin` makes a change for each process. */
function masterWith(
  begin: () => (effects: readonly Effect[], event: MasterEvent) => readonly Effect[],
): MasterFactory {
  return (dependencies) => {
    const real = createMaster(dependencies);
    const change = begin();
    return { ...real, handle: (event, ...when) => change(real.handle(event, ...when), event) };
  };
}

const isUpdate = (effect: AgentEffect): boolean =>
  effect.kind === 'send' && effect.message.type === 'STATUS_UPDATE';

/** Says an update once: neither the end of its patience nor a new connection makes it say it again. */
const neverRepeats = agentWith({
  effects: (effects, event) => {
    const repeats =
      (event.kind === 'timer' && event.id.startsWith('retry')) ||
      (event.kind === 'received' && event.message.type === 'REGISTERED');
    return repeats ? effects.filter((effect) => !isUpdate(effect)) : effects;
  },
});

const forgetsTaskAtRestart = agentWith({
  event: (event) => {
    if (event.kind !== 'start') return event;
    const records = new Map(event.records);
    for (const key of records.keys()) if (key.startsWith('task/')) records.delete(key);
    return { ...event, records };
  },
});

/** Tells the master before its disk knows. */
const speaksBeforeItWrites = agentWith({
  effects: (effects) => [
    ...effects.filter(isUpdate),
    ...effects.filter((effect) => !isUpdate(effect)),
  ],
});

const launchesTwice = agentWith({
  effects: (effects) =>
    effects.flatMap((effect): readonly AgentEffect[] => {
      if (effect.kind !== 'launch') return [effect];
      const twin = { ...effect.task, containerId: `${effect.task.containerId}-2` };
      return [effect, { ...effect, task: twin as typeof effect.task }];
    }),
});

/** REGISTERED leaves before the registry holds the agent. */
const acknowledgesBeforeItWrites = masterWith(() => (effects) => {
  const isEarly = (effect: Effect): boolean =>
    effect.kind === 'sendToAgent' && effect.frame.type === 'REGISTERED';
  return [...effects.filter(isEarly), ...effects.filter((effect) => !isEarly(effect))];
});

/** An update is held back until the next one of its task, and follows it. */
const forwardsOutOfOrder = masterWith(() => {
  const held = new Map<string, Effect>();
  return (effects) =>
    effects.flatMap((effect): readonly Effect[] => {
      const status = updateOf(effect);
      if (status?.uuid === undefined) return [effect];
      const task = status.task_id.value;
      const before = held.get(task);
      held.set(task, effect);
      return before === undefined ? [effect] : [effect, before];
    });
});

function updateOf(effect: Effect): scheduler.Event_Update['status'] | undefined {
  return effect.kind === 'sendToFramework' ? effect.event.update?.status : undefined;
}

/** Answers agents in the name of frameworks that were told nothing. */
const acknowledgesItself = masterWith(() => (effects, event) => {
  if (event.kind !== 'agentFrame') return effects;
  const update = event.frame.status_update;
  const uuid = update?.status.uuid;
  if (update === undefined || uuid === undefined || update.status.state === 'TASK_STARTING')
    return effects;
  return [
    ...effects.filter((effect) => updateOf(effect) === undefined),
    {
      kind: 'sendToAgent',
      connection: event.connection,
      frame: {
        type: 'ACKNOWLEDGE',
        acknowledge: {
          framework_id: update.framework_id,
          task_id: update.status.task_id,
          uuid,
        },
      },
    },
  ];
});

/** Forgets agents: what should be written of them is not. */
const forgetsAgents = masterWith(
  () => (effects) =>
    effects.filter(
      (effect) =>
        effect.kind !== 'persist' ||
        !effect.writes.some(({ key }) => key.startsWith('master/agents/')),
    ),
);

/** Operators hear nothing of one kind of event. */
const hidesFromOperators = (type: masterApi.Event_Type): MasterFactory =>
  masterWith(
    () => (effects) =>
      effects.filter((effect) => effect.kind !== 'operatorEvent' || effect.event.type !== type),
  );

/** Writes down of some kind get lost. */
const forgets = (prefix: string): MasterFactory =>
  masterWith(
    () => (effects) =>
      effects.map((effect) =>
        effect.kind === 'persist'
          ? { ...effect, writes: effect.writes.filter(({ key }) => !key.startsWith(prefix)) }
          : effect,
      ),
  );

/** Lets agents that are gone come back: it does not look for them. */
const readmitsTheGone: MasterFactory = (dependencies) => {
  const real = createMaster(dependencies);
  return {
    ...real,
    handle: (event, ...when) => {
      const id = event.kind === 'agentFrame' && event.frame.register?.agent_info.id?.value;
      const since = id ? real.state.goneAgents.get(agentId(id)) : undefined;
      if (!id || since === undefined) return real.handle(event, ...when);
      real.state.goneAgents.delete(agentId(id));
      const effects = real.handle(event, ...when);
      real.state.goneAgents.set(agentId(id), since);
      return effects;
    },
  };
};

/** Counts what is reserved as more of it. */
const countsReservationsTwice: MasterFactory = (dependencies) => {
  const real = createMaster(dependencies);
  return {
    ...real,
    handle: (event, ...when) => {
      const effects = real.handle(event, ...when);
      for (const effect of effects) {
        const reserve =
          effect.kind === 'sendToAgent' && effect.frame.apply_operation?.operation.reserve;
        if (effect.kind !== 'sendToAgent' || !reserve) continue;
        const id = real.state.connections.get(effect.connection);
        const agent = id && real.state.agents.get(id);
        if (agent) agent.total = agent.total.add(Resources.fromWire(reserve.resources));
      }
      return effects;
    },
  };
};

/** Does not look whether a machine is down. */
const admitsMachinesThatAreDown: MasterFactory = (dependencies) => {
  const real = createMaster(dependencies);
  return {
    ...real,
    handle: (event, ...when) => {
      if (event.kind !== 'agentFrame' || event.frame.type !== 'REGISTER')
        return real.handle(event, ...when);
      const machines = [...real.state.machines];
      real.state.machines.clear();
      const effects = real.handle(event, ...when);
      for (const [key, machine] of machines) real.state.machines.set(key, machine);
      return effects;
    },
  };
};

/** An allocator that does not hear some of what it is told. */
function deafAllocator(deaf: Partial<Allocator>): AllocatorFactory {
  return (options) => {
    const real = createAllocator(options);
    return new Proxy(real, {
      get(target, name) {
        const heard: unknown = Reflect.get(deaf, name) ?? Reflect.get(target, name);
        return typeof heard === 'function' ? heard.bind(target) : heard;
      },
    });
  };
}

/** Believes that an agent has drained as soon as it was told to. */
const drainsAtOnce: MasterFactory = (dependencies) => {
  const real = createMaster(dependencies);
  return {
    ...real,
    handle: (event, ...when) => {
      const effects = real.handle(event, ...when);
      for (const [id, { drain }] of real.state.policies)
        if (drain?.state === 'DRAINING')
          real.state.policies.set(id, { drain: { ...drain, state: 'DRAINED' } });
      return effects;
    },
  };
};

/** Forgets what operations did, as if the disk had not taken it. */
const forgetsReservations = agentWith({
  effects: (effects) =>
    effects.filter((effect) => effect.kind !== 'persist' || effect.key !== 'resources'),
});

/** Writes what an operation did, but not which one it was. */
const forgetsWhichOperation = agentWith({
  effects: (effects) =>
    effects.map((effect) => {
      if (effect.kind !== 'persist' || effect.key !== 'resources') return effect;
      const { last: _last, ...value } = effect.value ?? {};
      return { ...effect, value };
    }),
});

/** Says the end of an operation once. */
const neverRepeatsOperations = agentWith({
  effects: (effects, event) => {
    const repeats =
      event.kind === 'timer' || (event.kind === 'received' && event.message.type === 'REGISTERED');
    return repeats
      ? effects.filter(
          (effect) => effect.kind !== 'send' || effect.message.type !== 'OPERATION_UPDATE',
        )
      : effects;
  },
});

/** Takes every call for one over the framework's newest stream. */
const ignoresStreamIds: MasterFactory = (dependencies) => {
  const real = createMaster(dependencies);
  return {
    ...real,
    handle: (event, ...when) => {
      const id = event.kind === 'schedulerCall' ? event.call.framework_id?.value : undefined;
      const framework = [...real.state.frameworks.values()].find((known) => known.id === id);
      const streamId = framework?.streamId;
      const stale =
        event.kind === 'schedulerCall' && event.streamId !== undefined && streamId !== undefined;
      return real.handle(stale ? { ...event, streamId } : event, ...when);
    },
  };
};

/** Shows only when the agent dies between two writes: for the exploration, which does not wait for chance. */
export const ATOMICITY_MUTATION: Mutation = {
  name: 'an agent that writes an operation and its result apart',
  parts: { newAgent: forgetsWhichOperation },
  objection: /after operations that consumed|whose making was told to have failed/,
};

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'an agent that never repeats an update',
    parts: { newAgent: neverRepeats },
    objection: /never acknowledged|never told/,
  },
  {
    name: 'an agent that forgets its tasks at a restart',
    parts: { newAgent: forgetsTaskAtRestart },
    objection: /without knowing it|runs .* tasks of one cpu/,
  },
  {
    name: 'an agent that sends updates before they are durable',
    parts: { newAgent: speaksBeforeItWrites },
    objection: /before it was durable/,
  },
  {
    name: 'an agent that launches a task twice',
    parts: { newAgent: launchesTwice },
    objection: /without knowing it|runs .* tasks of one cpu|runs on/,
  },
  {
    name: 'a master that acknowledges an agent before the registry holds it',
    parts: { newMaster: acknowledgesBeforeItWrites },
    objection: /the registry does not hold it/,
  },
  {
    name: 'a master that forwards updates out of order',
    parts: { newMaster: forwardsOutOfOrder },
    objection: /an older update was delivered after a newer one/,
  },
  {
    name: 'a master that acknowledges updates itself',
    parts: { newMaster: acknowledgesItself },
    objection: /its framework never saw it/,
  },
  {
    name: 'a master that does not write agents down',
    parts: { newMaster: forgetsAgents },
    objection: /the registry does not hold it/,
  },
  {
    name: 'a master that does not write incidents down',
    parts: { newMaster: forgets('master/incidents/') },
    objection: /is unreachable, and no incident says so/,
  },
  {
    name: 'a master that takes calls over old streams',
    parts: { newMaster: ignoresStreamIds },
    objection: /of a superseded instance was carried out/,
  },
  {
    name: 'a master that forgets quota with its death',
    parts: { newMaster: forgets('master/quotas/') },
    objection: /told otherwise of master\/quotas/,
  },
  {
    name: 'a master that forgets what was decided about agents',
    parts: { newMaster: forgets('master/policies/') },
    objection: /told otherwise of master\/policies/,
  },
  {
    name: 'a master that admits agents of machines that are down',
    parts: { newMaster: admitsMachinesThatAreDown },
    objection: /though its machine is down/,
  },
  {
    name: 'an allocator that knows no quota',
    parts: { newAllocator: deafAllocator({ updateQuota: () => undefined }) },
    objection: /was offered more cpus than its limit|that guarantees need/,
  },
  {
    name: 'an allocator that goes on offering deactivated agents',
    parts: { newAllocator: deafAllocator({ deactivateAgent: () => undefined }) },
    objection: /is deactivated and offered/,
  },
  {
    name: 'a master that believes agents to have drained at once',
    parts: { newMaster: drainsAtOnce },
    objection: /has drained and (has the task|runs)/,
  },
  {
    name: 'an agent that forgets reservations at a restart',
    parts: { newAgent: forgetsReservations },
    objection: /after operations that consumed/,
  },
  {
    name: 'an agent that never repeats the end of operations',
    parts: { newAgent: neverRepeatsOperations },
    objection: /the end of \w+ .* was never acknowledged/,
  },
  {
    name: 'a master that counts reservations twice',
    parts: { newMaster: countsReservationsTwice },
    objection: /in all, not|are not the total/,
  },
  {
    name: 'a master that does not write down which agents are gone',
    parts: { newMaster: forgets('master/gone/') },
    objection: /is gone, but the registry does not know|believes to be registered/,
  },
  {
    name: 'a master that takes in agents that are gone',
    parts: { newMaster: readmitsTheGone },
    objection: /is gone, and yet it is back/,
  },
  {
    name: 'a master that does not tell operators of new tasks',
    parts: { newMaster: hidesFromOperators('TASK_ADDED') },
    objection: /operators believe that task .* is undefined/,
  },
  {
    name: 'a master that does not tell operators of new states',
    parts: { newMaster: hidesFromOperators('TASK_UPDATED') },
    objection: /operators believe that task/,
  },
  {
    name: 'a master that does not tell operators of lost agents',
    parts: { newMaster: hidesFromOperators('AGENT_REMOVED') },
    objection: /operators were not told that an agent was removed/,
  },
  {
    name: 'a master that does not tell operators that frameworks come and go',
    parts: { newMaster: hidesFromOperators('FRAMEWORK_UPDATED') },
    objection: /operators believe that the activity/,
  },
];
