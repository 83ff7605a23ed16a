/**
 * Agents, frameworks, executors and tasks as the v1 operator API shows them, in answers and in events.
 *
 * Answers are large messages: making one collects what is immutable, which is quick and fixes what is shown;
 * it is encoded later, piece by piece, and what was encoded of tasks, offers and agents is kept with them.
 */

import type { Instant } from '@dcos/base';
import {
  AgentInfoType,
  encodePiece,
  LargeMessage,
  LongList,
  masterApi,
  OfferType,
  OperationType,
  PieceCache,
  TaskType,
  type AgentInfo,
  type MessageType,
  type Offer,
  type Operation,
  type Resource,
  type Task,
  type TimeInfo,
  withoutSecrets,
} from '@dcos/wire';
import { lookOf, type AgentLook } from './agent-look.ts';
import { agentPid } from './names.ts';
import type { Agent, AgentPolicy, CompletedFramework, Framework, MasterState } from './state.ts';

/** A time stamp as messages carry it. */
function timeInfo(instant: Instant): TimeInfo {
  return { nanoseconds: Math.round(instant * 1e6) };
}

/** One registered agent. */
export function agentMessage(agent: Agent): masterApi.Response_GetAgents_Agent {
  return messageOfLook(lookOf(agent));
}

function messageOfLook(agent: AgentLook): masterApi.Response_GetAgents_Agent {
  return {
    // The original's answers have this field of the older API; every agent of ours checkpoints.
    agent_info: { ...agent.info, checkpoint: true },
    active: agent.connection !== undefined && agent.policy === undefined,
    deactivated: agent.policy !== undefined,
    version: agent.version,
    pid: agentPid(agent.ip, agent.info.port),
    registered_time: timeInfo(agent.registeredAt),
    ...(agent.reregisteredAt !== undefined && {
      reregistered_time: timeInfo(agent.reregisteredAt),
    }),
    ...resourceFields('total_resources', agent.total.toWire()),
    ...resourceFields('allocated_resources', agent.used.toWire()),
    ...resourceFields('offered_resources', agent.offered.toWire()),
    capabilities: agent.capabilities,
    ...drainFields(agent.policy?.drain),
  };
}

function drainFields(
  drain: AgentPolicy['drain'],
): Pick<masterApi.Response_GetAgents_Agent, 'drain_info' | 'estimated_drain_start_time'> {
  if (drain === undefined) return {};
  const { state, config, startedAt } = drain;
  return { drain_info: { state, config }, estimated_drain_start_time: timeInfo(startedAt) };
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

/** Encodes messages of a type, and keeps what it made. */
function cached<T extends object>(type: MessageType<T>): PieceCache<T> {
  return new PieceCache((message, encoding) => encodePiece(type, message, encoding));
}

const taskPieces = cached<Task>(TaskType);
const offerPieces = cached<Offer>(OfferType);
const operationPieces = cached<Operation>(OperationType);
const infoPieces = cached<AgentInfo>(AgentInfoType);
const agentPieces = new PieceCache<AgentLook>((look, encoding) =>
  encodePiece(masterApi.Response_GetAgents_AgentType, messageOfLook(look), encoding),
);

/** GET_AGENTS. */
export function getAgents(state: MasterState): LargeMessage<masterApi.Response_GetAgents> {
  const looks = Array.from(state.agents.values(), lookOf);
  const recovered = Array.from(state.recoveredAgents.values(), ({ info }) => info);
  return new LargeMessage(masterApi.Response_GetAgentsType, {
    agents: LongList.of(looks, agentPieces.pieceOf),
    recovered_agents: LongList.of(recovered, infoPieces.pieceOf),
  });
}

/** GET_FRAMEWORKS. */
export function getFrameworks(state: MasterState): LargeMessage<masterApi.Response_GetFrameworks> {
  return new LargeMessage(masterApi.Response_GetFrameworksType, {
    frameworks: Array.from(state.frameworks.values(), (framework) =>
      largeFramework(frameworkMessage(framework)),
    ),
    completed_frameworks: Array.from(state.completedFrameworks.values(), (framework) =>
      largeFramework(completedFrameworkMessage(framework)),
    ),
  });
}

function largeFramework(
  message: masterApi.Response_GetFrameworks_Framework,
): LargeMessage<masterApi.Response_GetFrameworks_Framework> {
  const { offers } = message;
  return new LargeMessage(masterApi.Response_GetFrameworks_FrameworkType, {
    ...message,
    ...(offers !== undefined && { offers: LongList.of(offers, offerPieces.pieceOf) }),
  });
}

/** GET_TASKS. */
export function getTasks(state: MasterState): LargeMessage<masterApi.Response_GetTasks> {
  const tasks: Task[] = [];
  const unreachable: Task[] = [];
  const completed: Task[] = [];
  for (const framework of state.frameworks.values()) {
    for (const { task } of framework.tasks.values()) tasks.push(task);
    for (const { task } of framework.unreachableTasks.values()) unreachable.push(task);
    for (const task of framework.completedTasks.values()) completed.push(task);
  }
  for (const framework of state.completedFrameworks.values()) {
    for (const task of framework.completedTasks.values()) completed.push(task);
  }
  return new LargeMessage(masterApi.Response_GetTasksType, {
    tasks: LongList.of(tasks, taskPieces.pieceOf),
    unreachable_tasks: LongList.of(unreachable, taskPieces.pieceOf),
    completed_tasks: LongList.of(completed, taskPieces.pieceOf),
  });
}

/** GET_EXECUTORS. Command tasks have none here: what runs them belongs to the agent. */
export function getExecutors(state: MasterState): LargeMessage<masterApi.Response_GetExecutors> {
  const executors: masterApi.Response_GetExecutors_Executor[] = [];
  for (const agent of state.agents.values()) {
    for (const ofFramework of agent.executors.values()) {
      for (const { info } of ofFramework.values())
        executors.push({ executor_info: withoutSecrets(info), agent_id: { value: agent.id } });
    }
  }
  return new LargeMessage(masterApi.Response_GetExecutorsType, {
    executors: LongList.of(executors, (executor, encoding) =>
      encodePiece(masterApi.Response_GetExecutors_ExecutorType, executor, encoding),
    ),
  });
}

/** GET_OPERATIONS. */
export function getOperations(state: MasterState): LargeMessage<masterApi.Response_GetOperations> {
  const operations: Operation[] = [];
  for (const agent of state.agents.values())
    for (const { operation } of agent.operations.values()) operations.push(operation);
  return new LargeMessage(
    masterApi.Response_GetOperationsType,
    operations.length === 0 ? {} : { operations: LongList.of(operations, operationPieces.pieceOf) },
  );
}

/** GET_STATE. */
export function getState(state: MasterState): LargeMessage<masterApi.Response_GetState> {
  return new LargeMessage(masterApi.Response_GetStateType, {
    get_tasks: getTasks(state),
    get_executors: getExecutors(state),
    get_frameworks: getFrameworks(state),
    get_agents: getAgents(state),
  });
}
