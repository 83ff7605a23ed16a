/** Cores that are broken on purpose where groups, operations, roles and graces are concerned. For tests only. */

import { createAllocator } from '@dcos/allocator';
import { createAgent, type AgentEvent } from '@dcos/agent/core';
import { createMaster } from '@dcos/master/core';
import type { AgentFactory } from '../simulated-agent.ts';
import type { AllocatorFactory, MasterFactory } from '../simulated-master.ts';
import type { Mutation } from './mutations.ts';

/** An agent that takes other events than those that arrive. */
function agentHearing(change: (event: AgentEvent) => readonly AgentEvent[]): AgentFactory {
  return (options) => {
    const real = createAgent(options);
    return {
      ...real,
      handle: (event, ...when) => change(event).flatMap((heard) => real.handle(heard, ...when)),
    };
  };
}

/** Nothing binds the tasks of a group. */
const takesTasksOneByOne = agentHearing((event) => {
  const group = event.kind === 'received' ? event.message.run_task_group : undefined;
  if (group === undefined) return [event];
  const { framework_info, task_group } = group;
  return (task_group.tasks ?? []).map((task) => ({
    kind: 'received',
    message: { type: 'RUN_TASK', run_task: { framework_info, task } },
  }));
});

const takesHalfAGroup = agentHearing((event) => {
  const group = event.kind === 'received' ? event.message.run_task_group : undefined;
  if (group === undefined) return [event];
  const tasks = group.task_group.tasks?.slice(0, 1) ?? [];
  const run_task_group = { ...group, task_group: { tasks } };
  return [{ kind: 'received', message: { type: 'RUN_TASK_GROUP', run_task_group } }];
});

/** Asks tasks to end, and leaves it at that. */
const neverInsists: AgentFactory = (options) => {
  const real = createAgent(options);
  return {
    ...real,
    handle: (event, ...when) =>
      real
        .handle(event, ...when)
        .filter((effect) => effect.kind !== 'signal' || effect.signal !== 'SIGKILL'),
  };
};

/** Answers agents in the name of frameworks that were not told how their operations ended. */
const acknowledgesOperations: MasterFactory = (dependencies) => {
  const real = createMaster(dependencies);
  return {
    ...real,
    handle: (event, ...when) => {
      const effects = real.handle(event, ...when);
      const update = event.kind === 'agentFrame' ? event.frame.operation_update : undefined;
      if (event.kind !== 'agentFrame' || update?.status.uuid === undefined) return effects;
      return [
        ...effects.filter(
          (effect) =>
            effect.kind !== 'sendToFramework' || effect.event.update_operation_status === undefined,
        ),
        {
          kind: 'sendToAgent',
          connection: event.connection,
          frame: {
            type: 'ACKNOWLEDGE_OPERATION',
            acknowledge_operation: {
              operation_uuid: update.operation_uuid,
              status_uuid: update.status.uuid.value,
            },
          },
        },
      ];
    },
  };
};

/** Believes that what operators wanted has happened. */
const keepsOperatorsOperations: MasterFactory = (dependencies) => {
  const real = createMaster(dependencies);
  return {
    ...real,
    handle: (event, ...when) =>
      real
        .handle(event, ...when)
        .filter(
          (effect) =>
            event.kind !== 'operatorCall' ||
            effect.kind !== 'sendToAgent' ||
            effect.frame.type !== 'APPLY_OPERATION',
        ),
  };
};

/** Takes a new description, and leaves what was offered as it was. */
const keepsOffersOfOldRoles: MasterFactory = (dependencies) => {
  const real = createMaster(dependencies);
  return {
    ...real,
    handle: (event, ...when) => {
      const isUpdate = event.kind === 'schedulerCall' && event.call.type === 'UPDATE_FRAMEWORK';
      const framework = [...real.state.frameworks.values()].find(
        ({ id }) => isUpdate && id === event.call.framework_id?.value,
      );
      const offers = new Map(framework?.offers);
      framework?.offers.clear();
      const effects = real.handle(event, ...when);
      for (const [id, offer] of offers) framework?.offers.set(id, offer);
      return effects;
    },
  };
};

/** Hears of limits only. */
const knowsNoGuarantees: AllocatorFactory = (options) => {
  const real = createAllocator(options);
  return {
    ...real,
    updateQuota: (role, quota) =>
      real.updateQuota(role, quota && { ...quota, guarantees: new Map() }),
  };
};

export const GROUP_MUTATIONS: readonly Mutation[] = [
  {
    name: 'an agent that takes the tasks of a group one by one',
    parts: { newAgent: takesTasksOneByOne },
    objection: /goes on, though/,
  },
  {
    name: 'an allocator that knows no guarantees',
    parts: { newAllocator: knowsNoGuarantees },
    objection: /that guarantees need/,
  },
  {
    name: 'an agent that takes half a group',
    parts: { newAgent: takesHalfAGroup },
    objection: /was started without/,
  },
  {
    name: 'an agent that lets tasks refuse to end',
    parts: { newAgent: neverInsists },
    objection: /long after its grace/,
  },
  {
    name: 'a master that goes on offering to roles that were given up',
    parts: { newMaster: keepsOffersOfOldRoles },
    objection: /for the role guest, which .* does not have/,
  },
  {
    name: 'a master that acknowledges operations itself',
    parts: { newMaster: acknowledgesOperations },
    objection: /its framework never heard how it ended/,
  },
  {
    name: 'a master that keeps the operations of operators to itself',
    parts: { newMaster: keepsOperatorsOperations },
    objection: /the master believes|the master waits for ever|exceed the total/,
  },
];
