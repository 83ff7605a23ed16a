/**
 * Operators' events as a viewer may see them. Whose an event is is noted when it happens: later its task or framework
 * may be gone. Source: mesos-kernel §3.2, §9.
 */

import type { FrameworkID, masterApi, Task, TaskID } from '@dcos/wire';
import { frameworkId, taskId } from '@dcos/base';
import type { MasterState } from './state.ts';
import type { Viewer } from './viewer.ts';
import { userOfTask, visibleInfo, visibleResources } from './visible-state.ts';

/** The users behind an event; undefined where nobody knows, which nobody with a limited view sees. */
export interface EventOwner {
  readonly frameworkUser: string | undefined;
  readonly taskUser: string | undefined;
}

/** Whose an event is, by the state in which it happens. */
export function ownerOf(state: MasterState, event: masterApi.Event): EventOwner {
  const info =
    event.framework_added?.framework.framework_info ??
    event.framework_updated?.framework.framework_info ??
    event.framework_removed?.framework_info;
  if (info !== undefined) return { frameworkUser: info.user, taskUser: undefined };
  const added = event.task_added?.task;
  const updated = event.task_updated;
  const framework = added?.framework_id ?? updated?.framework_id;
  if (framework === undefined) return { frameworkUser: undefined, taskUser: undefined };
  const frameworkUser = infoOf(state, framework)?.user;
  const task = added ?? (updated && taskOf(state, framework, updated.status.task_id));
  const taskUser =
    task && frameworkUser !== undefined ? userOfTask(task, frameworkUser) : undefined;
  return { frameworkUser, taskUser };
}

function infoOf(state: MasterState, { value }: FrameworkID): { readonly user: string } | undefined {
  const id = frameworkId(value);
  return (state.frameworks.get(id) ?? state.completedFrameworks.get(id))?.info;
}

function taskOf(state: MasterState, framework: FrameworkID, id: TaskID): Task | undefined {
  const key = taskId(id.value);
  const live = state.frameworks.get(frameworkId(framework.value));
  const record = live?.tasks.get(key) ?? live?.unreachableTasks.get(key);
  const completed = live ?? state.completedFrameworks.get(frameworkId(framework.value));
  return record?.task ?? completed?.completedTasks.get(key);
}

/** The event without what the viewer may not see; undefined when nothing is left of it. */
export function visibleEvent(
  event: masterApi.Event,
  owner: EventOwner | undefined,
  viewer: Viewer,
): masterApi.Event | undefined {
  if (viewer.seesAll) return event;
  const sees = (action: 'VIEW_FRAMEWORK' | 'VIEW_TASK', user: string | undefined): boolean =>
    user !== undefined && viewer.sees(action, user);
  switch (event.type) {
    case 'TASK_ADDED':
    case 'TASK_UPDATED':
      return sees('VIEW_FRAMEWORK', owner?.frameworkUser) && sees('VIEW_TASK', owner?.taskUser)
        ? event
        : undefined;
    case 'FRAMEWORK_REMOVED':
      return sees('VIEW_FRAMEWORK', owner?.frameworkUser) ? event : undefined;
    case 'FRAMEWORK_ADDED':
    case 'FRAMEWORK_UPDATED':
      return sees('VIEW_FRAMEWORK', owner?.frameworkUser) ? cutFramework(event, viewer) : undefined;
    case 'AGENT_ADDED':
      return cutAgent(event, viewer);
    default:
      return event;
  }
}

function cutFramework(event: masterApi.Event, viewer: Viewer): masterApi.Event {
  const cut = <B extends { readonly framework: masterApi.Response_GetFrameworks_Framework }>(
    body: B,
  ): B => {
    const { allocated_resources, offered_resources } = body.framework;
    const framework = {
      ...body.framework,
      allocated_resources: visibleResources(allocated_resources, viewer),
      offered_resources: visibleResources(offered_resources, viewer),
    };
    return { ...body, framework };
  };
  const { framework_added, framework_updated } = event;
  return {
    ...event,
    ...(framework_added !== undefined && { framework_added: cut(framework_added) }),
    ...(framework_updated !== undefined && { framework_updated: cut(framework_updated) }),
  };
}

function cutAgent(event: masterApi.Event, viewer: Viewer): masterApi.Event {
  const agent = event.agent_added?.agent;
  if (agent === undefined) return event;
  return {
    ...event,
    agent_added: {
      agent: {
        ...agent,
        agent_info: visibleInfo(agent.agent_info, viewer),
        total_resources: visibleResources(agent.total_resources, viewer),
        allocated_resources: visibleResources(agent.allocated_resources, viewer),
        offered_resources: visibleResources(agent.offered_resources, viewer),
      },
    },
  };
}
