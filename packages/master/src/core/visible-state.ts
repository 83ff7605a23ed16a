/**
 * The state as a viewer may see it: the same shape with less in it, so that every view of it is cut alike. For
 * those who see everything it is the state itself. Source: mesos-kernel §3.1, §9.
 */

import { Resources } from '@dcos/resources';
import type { AgentInfo, ExecutorInfo, Offer_Operation, Resource, Task } from '@dcos/wire';
import type { Viewer } from './viewer.ts';
import { ResourceLedger } from './ledger.ts';
import type { Agent, CompletedFramework, Framework, MasterState } from './state.ts';

/** What the viewer may see. Valid until the state changes. */
export function visibleState(state: MasterState, viewer: Viewer): MasterState {
  if (viewer.seesAll) return state;
  const frameworks = mapOf(state.frameworks, (framework) => visibleFramework(framework, viewer));
  const isVisible = ({ frameworkId }: { readonly frameworkId: Framework['id'] }): boolean =>
    frameworks.has(frameworkId);
  return {
    ...state,
    frameworks,
    completedFrameworks: mapOf(state.completedFrameworks, (framework) =>
      visibleCompleted(framework, viewer),
    ),
    agents: mapOf(state.agents, (agent) => visibleAgent(agent, frameworks, viewer)),
    recoveredAgents: mapOf(state.recoveredAgents, (agent) => ({
      ...agent,
      info: visibleInfo(agent.info, viewer),
    })),
    offers: mapOf(state.offers, (offer) => (isVisible(offer) ? offer : undefined)),
    inverseOffers: mapOf(state.inverseOffers, (offer) => (isVisible(offer) ? offer : undefined)),
    weights: new Map([...state.weights].filter(([role]) => viewer.sees('VIEW_ROLE', role))),
    quotas: new Map([...state.quotas].filter(([role]) => viewer.sees('GET_QUOTA', role))),
  };
}

/** The user that a task runs as, which is its framework's unless it says otherwise. */
export function userOfTask(task: Task, frameworkUser: string): string {
  return task.user ?? frameworkUser;
}

function seesExecutor(viewer: Viewer, info: ExecutorInfo, frameworkUser: string): boolean {
  return viewer.sees('VIEW_EXECUTOR', info.command?.user ?? frameworkUser);
}

function visibleFramework(framework: Framework, viewer: Viewer): Framework | undefined {
  const { user } = framework.info;
  if (!viewer.sees('VIEW_FRAMEWORK', user)) return undefined;
  const seesTask = (task: Task): boolean => viewer.sees('VIEW_TASK', userOfTask(task, user));
  return {
    ...framework,
    tasks: new Map([...framework.tasks].filter(([, { task }]) => seesTask(task))),
    unreachableTasks: new Map(
      [...framework.unreachableTasks].filter(([, { task }]) => seesTask(task)),
    ),
    completedTasks: new Map([...framework.completedTasks].filter(([, task]) => seesTask(task))),
    executors: new Set(
      [...framework.executors].filter(({ info }) => seesExecutor(viewer, info, user)),
    ),
    used: visibleLedger(framework.used, viewer),
    offered: visibleLedger(framework.offered, viewer),
  };
}

function visibleCompleted(
  framework: CompletedFramework,
  viewer: Viewer,
): CompletedFramework | undefined {
  const { user } = framework.info;
  if (!viewer.sees('VIEW_FRAMEWORK', user)) return undefined;
  const completedTasks = new Map(
    [...framework.completedTasks].filter(([, task]) =>
      viewer.sees('VIEW_TASK', userOfTask(task, user)),
    ),
  );
  return { ...framework, completedTasks };
}

function visibleAgent(agent: Agent, frameworks: MasterState['frameworks'], viewer: Viewer): Agent {
  return {
    ...agent,
    info: visibleInfo(agent.info, viewer),
    total: agent.total.filter((resource) => seesResource(viewer, resource)),
    used: visibleLedger(agent.used, viewer),
    offered: visibleLedger(agent.offered, viewer),
    executors: mapOf(agent.executors, (ofFramework, id) => {
      const user = frameworks.get(id)?.info.user;
      return user === undefined
        ? undefined
        : mapOf(ofFramework, (one) => (seesExecutor(viewer, one.info, user) ? one : undefined));
    }),
    operations: mapOf(agent.operations, (one) =>
      (one.frameworkId === undefined || frameworks.has(one.frameworkId)) &&
      resourcesOf(one.operation.info).every((resource) => seesResource(viewer, resource))
        ? one
        : undefined,
    ),
  };
}

/** What the agent said of itself, without resources of roles that the viewer may not see. */
export function visibleInfo(info: AgentInfo, viewer: Viewer): AgentInfo {
  if (info.resources === undefined) return info;
  return { ...info, resources: info.resources.filter((one) => seesResource(viewer, one)) };
}

/** What an operation is about: who may not see all of it sees none of it. */
function resourcesOf(operation: Offer_Operation): readonly Resource[] {
  const { grow_volume: grown, shrink_volume: shrunk, create_disk, destroy_disk } = operation;
  const single = [
    grown?.volume,
    grown?.addition,
    shrunk?.volume,
    create_disk?.source,
    destroy_disk?.source,
  ];
  return [
    ...(operation.reserve?.source ?? []),
    ...(operation.reserve?.resources ?? []),
    ...(operation.unreserve?.resources ?? []),
    ...(operation.create?.volumes ?? []),
    ...(operation.destroy?.volumes ?? []),
    ...single.filter((resource) => resource !== undefined),
  ];
}

/** Unreserved resources are everybody's to see; others belong to roles. */
export function seesResource(viewer: Viewer, resource: Resource): boolean {
  const { reservations = [], allocation_info } = resource;
  const roles = [reservations.at(-1)?.role, allocation_info?.role];
  return roles.every((role) => role === undefined || viewer.sees('VIEW_ROLE', role));
}

function visibleLedger<Owner extends string>(
  ledger: ResourceLedger<Owner>,
  viewer: Viewer,
): ResourceLedger<Owner> {
  const visible = new ResourceLedger<Owner>();
  for (const [owner, resources] of ledger.entries())
    visible.add(
      owner,
      resources.filter((resource) => seesResource(viewer, resource)),
    );
  return visible;
}

/** A map with what the function makes of each value, without those that it makes nothing of. */
function mapOf<K, V>(map: ReadonlyMap<K, V>, make: (value: V, key: K) => V | undefined): Map<K, V> {
  const made = new Map<K, V>();
  for (const [key, value] of map) {
    const one = make(value, key);
    if (one !== undefined) made.set(key, one);
  }
  return made;
}

/** Resources of a message that the viewer may see. */
export function visibleResources(
  resources: readonly Resource[] | undefined,
  viewer: Viewer,
): readonly Resource[] {
  return Resources.fromWire(resources)
    .filter((resource) => seesResource(viewer, resource))
    .toWire();
}
