/**
 * Tasks of the master's state document: selection by a filter, and the rows of `task list`.
 */

import { compareText, err, ok } from '@dcos/base';
import type { JsonObject, Result } from '@dcos/base';
import { notAvailable } from './format.ts';
import { isGlob, matchesGlob } from './glob.ts';
import { objectField, objectsField, textField } from './json-field.ts';

/** A task with what its framework and its agent add. */
export interface ClusterTask {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly agentId: string;
  readonly frameworkId: string;
  readonly executorId: string;
  readonly user: string;
  readonly host: string;
  readonly region: string;
  readonly zone: string;
  readonly completed: boolean;
  /** The task as the master sent it. */
  readonly document: JsonObject;
}

/** Which tasks are asked for: those that live, those that ended, or both. */
export type TaskScope = 'active' | 'completed' | 'all';

export interface TaskSelection {
  readonly scope: TaskScope;
  /** A part of an id or a shell pattern; every task without it. */
  readonly filter?: string | undefined;
  readonly agentId?: string | undefined;
}

/** The tasks of the state document that are asked for, by name and id. */
export function selectTasks(state: JsonObject, selection: TaskSelection): readonly ClusterTask[] {
  return collectTasks(state, selection.scope)
    .filter((task) => selection.filter === undefined || matchesTask(task, selection.filter))
    .filter((task) => selection.agentId === undefined || task.agentId === selection.agentId)
    .toSorted(
      (left, right) => compareText(left.name, right.name) || compareText(left.id, right.id),
    );
}

/** The one task that a command works on; an exact id wins over partial matches. */
export function selectOneTask(
  state: JsonObject,
  selection: TaskSelection & { readonly filter: string },
): Result<ClusterTask, string> {
  const matches = selectTasks(state, selection);
  const [first] = matches;
  if (first === undefined) return err(noTaskText(state, selection));
  const exact = matches.find((task) => task.id === selection.filter);
  if (exact !== undefined) return ok(exact);
  if (matches.length === 1) return ok(first);
  const ids = matches.map((task) => `  ${task.id}`).join('\n');
  return err(`several tasks match "${selection.filter}":\n${ids}`);
}

/** Why no task was found, with the way to ended ones where there are some. */
export function noTaskText(
  state: JsonObject,
  selection: TaskSelection & { readonly filter: string },
): string {
  const text = `no task found that matches "${selection.filter}"`;
  if (selection.scope !== 'active') return text;
  const ended = selectTasks(state, { ...selection, scope: 'completed' }).length;
  return ended === 0 ? text : `${text}. ${ended} completed ones do: use --completed or --all.`;
}

export const taskHeadings: readonly string[] = [
  'NAME',
  'HOST',
  'USER',
  'STATE',
  'ID',
  'AGENT ID',
  'REGION',
  'ZONE',
];

/** One row for each task. */
export function taskRows(tasks: readonly ClusterTask[]): readonly (readonly string[])[] {
  return tasks.map((task) => [
    task.name,
    task.host,
    task.user,
    task.state,
    task.id,
    task.agentId,
    task.region,
    task.zone,
  ]);
}

function matchesTask(task: ClusterTask, filter: string): boolean {
  return task.id.includes(filter) || (isGlob(filter) && matchesGlob(filter, task.id));
}

function collectTasks(state: JsonObject, scope: TaskScope): readonly ClusterTask[] {
  const agents = new Map(
    objectsField(state, 'slaves').map((agent) => [textField(agent, 'id') ?? '', agent] as const),
  );
  const live = scope !== 'completed';
  const ended = scope !== 'active';
  const tasks: ClusterTask[] = [];
  for (const framework of objectsField(state, 'frameworks')) {
    const add = (documents: readonly JsonObject[], completed: boolean): void => {
      for (const task of documents) tasks.push(toTask(task, framework, agents, completed));
    };
    if (live) {
      add(objectsField(framework, 'tasks'), false);
      add(objectsField(framework, 'unreachable_tasks'), false);
    }
    if (ended) add(objectsField(framework, 'completed_tasks'), true);
  }
  if (ended) {
    for (const framework of objectsField(state, 'completed_frameworks')) {
      for (const task of objectsField(framework, 'completed_tasks')) {
        tasks.push(toTask(task, framework, agents, true));
      }
    }
  }
  return tasks;
}

function toTask(
  task: JsonObject,
  framework: JsonObject,
  agents: ReadonlyMap<string, JsonObject>,
  completed: boolean,
): ClusterTask {
  const agentId = textField(task, 'slave_id') ?? '';
  const agent = agents.get(agentId);
  const fault = objectField(objectField(agent, 'domain'), 'fault_domain');
  return {
    id: textField(task, 'id') ?? '',
    name: textField(task, 'name') ?? '',
    state: textField(task, 'state') ?? '',
    agentId,
    frameworkId: textField(task, 'framework_id') ?? textField(framework, 'id') ?? '',
    executorId: textField(task, 'executor_id') ?? '',
    user: textField(task, 'user') ?? textField(framework, 'user') ?? notAvailable,
    host: textField(agent, 'hostname') ?? notAvailable,
    region: textField(objectField(fault, 'region'), 'name') ?? notAvailable,
    zone: textField(objectField(fault, 'zone'), 'name') ?? notAvailable,
    completed,
    document: task,
  };
}
