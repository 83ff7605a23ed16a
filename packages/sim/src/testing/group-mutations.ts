/** Cores that are broken on purpose where groups, operations and roles are concerned. For tests only. */

import { createAgent, type AgentEvent } from '@dcos/agent/core';
import { createMaster } from '@dcos/master/core';
import type { AgentFactory } from '../simulated-agent.ts';
import type { MasterFactory } from '../simulated-master.ts';
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

export const GROUP_MUTATIONS: readonly Mutation[] = [
  {
    name: 'an agent that takes the tasks of a group one by one',
    parts: { newAgent: takesTasksOneByOne },
    objection: /goes on, though/,
  },
  {
    name: 'an agent that takes half a group',
    parts: { newAgent: takesHalfAGroup },
    objection: /was started without/,
  },
  {
    name: 'a master that acknowledges operations itself',
    parts: { newMaster: acknowledgesOperations },
    objection: /its framework never heard how it ended/,
  },
  {
    name: 'a master that keeps the operations of operators to itself',
    parts: { newMaster: keepsOperatorsOperations },
    objection: /the master believes|the master waits for ever/,
  },
];
