/**
 * Agents, frameworks, executors and tasks as the v1 operator API shows them, in answers and in events.
 */

import type { Instant } from '@dcos/base';
import type { masterApi, Operation, Resource, Task, TimeInfo } from '@dcos/wire';
import { agentPid } from './names.ts';
import type { Agent, CompletedFramework, Framework, MasterState } from './state.ts';

/** A time stamp as messages carry it. */
function timeInfo(instant: Instant): TimeInfo {
  return { nanoseconds: Math.round(instant * 1e6) };
}

/** One registered agent. */
export function agentMessage(agent: Agent): masterApi.Response_GetAgents_Agent {
  return {
    // The original's answers have this field of the older API; every agent of ours checkpoints.
    agent_info: { ...agent.info, checkpoint: true },
    active: agent.connection !== undefined,
    deactivated: false,
    version: agent.version,
    pid: agentPid(agent.ip, agent.info.port),
    registered_time: timeInfo(agent.registeredAt),
    ...(agent.reregisteredAt !== undefined && {
      reregistered_time: timeInfo(agent.reregisteredAt),
    }),
    ...resourceFields('total_resources', agent.total.toWire()),
    ...resourceFields('allocated_resources', agent.used.total().toWire()),
    ...resourceFields('offered_resources', agent.offered.total().toWire()),
    capabilities: agent.capabilities,
  };
}

function resourceFields(
  name: string,
  resources: readonly Resource[],
): { readonly [name: string]: readonly Resource[] } {
  return resources.length === 0 ? {} : { [name]: resources.map(endpointResource) };
}

/** Views write the old form of a reservation beside the new one, for clients that know only the old. */
function endpointResource(resource: Resource): Resource {
  const [first, ...refinements] = resource.reservations ?? [];
  if (first === undefined) return { ...resource, role: '*' };
  if (refinements.length > 0) return resource;
  const { type, role = '*', ...reservation } = first;
  return { ...resource, role, ...(type === 'DYNAMIC' && { reservation }) };
}

/** One framework that has not been removed. */
export function frameworkMessage(framework: Framework): masterApi.Response_GetFrameworks_Framework {
  const offers = Array.from(framework.offers.values(), ({ offer }) => offer);
  return {
    framework_info: framework.info,
    active: framework.active,
    connected: framework.streamId !== undefined,
    recovered: framework.recovered,
    registered_time: timeInfo(framework.registeredAt),
    reregistered_time: timeInfo(framework.reregisteredAt ?? framework.registeredAt),
    ...(offers.length > 0 && { offers }),
    ...resourceFields('allocated_resources', framework.used.total().toWire()),
    ...resourceFields('offered_resources', framework.offered.total().toWire()),
    offer_constraints: framework.offerConstraints ?? {},
  };
}

/** One framework that has been removed. */
function completedFrameworkMessage(
  framework: CompletedFramework,
): masterApi.Response_GetFrameworks_Framework {
  return {
    framework_info: framework.info,
    active: false,
    connected: false,
    recovered: false,
    registered_time: timeInfo(framework.registeredAt),
    reregistered_time: timeInfo(framework.reregisteredAt ?? framework.registeredAt),
    unregistered_time: timeInfo(framework.unregisteredAt),
  };
}

/** GET_AGENTS. */
export function getAgents(state: MasterState): masterApi.Response_GetAgents {
  return {
    agents: Array.from(state.agents.values(), agentMessage),
    recovered_agents: Array.from(state.recoveredAgents.values(), ({ info }) => info),
  };
}

/** GET_FRAMEWORKS. */
export function getFrameworks(state: MasterState): masterApi.Response_GetFrameworks {
  return {
    frameworks: Array.from(state.frameworks.values(), frameworkMessage),
    completed_frameworks: Array.from(state.completedFrameworks.values(), completedFrameworkMessage),
  };
}

/** GET_TASKS. */
export function getTasks(state: MasterState): masterApi.Response_GetTasks {
  const tasks: Task[] = [];
  const unreachable: Task[] = [];
  const completed: Task[] = [];
  for (const framework of state.frameworks.values()) {
    for (const { task } of framework.tasks.values()) tasks.push(task);
    for (const { task } of framework.unreachableTasks.values()) unreachable.push(task);
    completed.push(...framework.completedTasks.values());
  }
  for (const framework of state.completedFrameworks.values()) {
    completed.push(...framework.completedTasks.values());
  }
  return { tasks, unreachable_tasks: unreachable, completed_tasks: completed };
}

/** GET_EXECUTORS. Command tasks have none here: what runs them belongs to the agent. */
export function getExecutors(state: MasterState): masterApi.Response_GetExecutors {
  const executors: masterApi.Response_GetExecutors_Executor[] = [];
  for (const agent of state.agents.values()) {
    for (const ofFramework of agent.executors.values()) {
      for (const { info } of ofFramework.values())
        executors.push({ executor_info: info, agent_id: { value: agent.id } });
    }
  }
  return { executors };
}

/** GET_OPERATIONS. */
export function getOperations(state: MasterState): masterApi.Response_GetOperations {
  const operations: Operation[] = [];
  for (const agent of state.agents.values())
    for (const { operation } of agent.operations.values()) operations.push(operation);
  return operations.length === 0 ? {} : { operations };
}

/** GET_STATE. */
export function getState(state: MasterState): masterApi.Response_GetState {
  return {
    get_tasks: getTasks(state),
    get_executors: getExecutors(state),
    get_frameworks: getFrameworks(state),
    get_agents: getAgents(state),
  };
}
