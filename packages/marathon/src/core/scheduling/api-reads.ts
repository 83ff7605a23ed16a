/** The answers to reading requests about apps, tasks, groups and deployments, errors included. */

import type { Instant, JsonObject, JsonValue } from '@dcos/base';
import {
  allApps,
  allGroups,
  appToJson,
  comparePathIds,
  findGroup,
  groupToJson,
  parsePathId,
  parseVersion,
  type AppDefinition,
  type GroupView,
} from '../model/index.ts';
import {
  appView,
  countTasks,
  listedTaskView,
  parseAppEmbeds,
  shownInstances,
  taskView,
  type AppEmbed,
} from './app-views.ts';
import { deploymentView } from './cluster-views.ts';
import type { Reply } from './effects.ts';
import { shownTaskState } from './instance.ts';
import { matchesLabels, parseLabelSelector } from './label-selector.ts';
import type { MarathonState } from './state.ts';

const LIST_EMBEDS: readonly AppEmbed[] = ['counts', 'deployments'];
const APP_EMBEDS: readonly AppEmbed[] = ['counts', 'tasks', 'lastTaskFailure', 'deployments'];

export interface ViewOptions {
  readonly embed: readonly string[];
  readonly now: Instant;
}

export interface AppListOptions extends ViewOptions {
  readonly cmd?: string | null;
  readonly id?: string | null;
  readonly label?: string | null;
  /** Only apps below this group; the answer is then named `*`. */
  readonly below?: string;
}

function found(body: JsonValue): Reply {
  return { statusCode: 200, body };
}

function missing(kind: 'App' | 'Group', id: string, version?: string): Reply {
  const suffix = version === undefined ? '' : ` in version ${version}`;
  return { statusCode: 404, body: { message: `${kind} '${id}' does not exist${suffix}` } };
}

function idOf(text: string): string {
  return parsePathId(text) ?? `/${text.replace(/^\/+/, '')}`;
}

// `GET /v2/apps`, and `GET /v2/apps/{group}/*` for the apps below a group.
export function appList(state: MarathonState, options: AppListOptions): Reply {
  const selector = options.label ? parseLabelSelector(options.label) : undefined;
  if (selector?.ok === false) return { statusCode: 422, body: { message: selector.error } };
  const cmd = options.cmd?.toLowerCase();
  const id = options.id?.toLowerCase();
  const wanted = (app: AppDefinition): boolean =>
    (cmd === undefined || (app.cmd ?? '').toLowerCase().includes(cmd)) &&
    (id === undefined || app.id.toLowerCase().includes(id)) &&
    (selector === undefined || matchesLabels(selector.value, app.labels));
  let candidates: readonly AppDefinition[] = [...state.history.apps()];
  if (options.below !== undefined) {
    const groupId = idOf(options.below);
    const group = findGroup(state.history.root, groupId);
    if (group === undefined) return missing('Group', groupId);
    candidates = allApps(group);
  }
  const embeds = new Set([...LIST_EMBEDS, ...parseAppEmbeds(options.embed)]);
  const apps = candidates
    .filter(wanted)
    .sort((left, right) => comparePathIds(left.id, right.id))
    .map((app) => appView(state, app, embeds, options.now));
  return found(options.below === undefined ? { apps } : { '*': apps });
}

/** `GET /v2/apps/{id}`. */
export function oneApp(state: MarathonState, appId: string, options: ViewOptions): Reply {
  const id = idOf(appId);
  const app = state.history.app(id);
  if (app === undefined) return missing('App', id);
  const embeds = new Set([...APP_EMBEDS, ...parseAppEmbeds(options.embed)]);
  return found({ app: appView(state, app, embeds, options.now) });
}

/** `GET /v2/apps/{id}/tasks`. */
export function appTasks(state: MarathonState, appId: string): Reply {
  const id = idOf(appId);
  if (state.history.app(id) === undefined) return missing('App', id);
  return found({ tasks: tasksOf(state, id) });
}

// `GET /v2/apps/{group}/*/tasks`: all tasks of the apps below a group.
export function appTasksBelow(state: MarathonState, groupId: string): Reply {
  const id = idOf(groupId);
  const group = findGroup(state.history.root, id);
  if (group === undefined) return missing('Group', id);
  return found({ tasks: allApps(group).flatMap((app) => tasksOf(state, app.id)) });
}

function tasksOf(state: MarathonState, appId: string): JsonValue[] {
  return shownInstances(state, appId).map((instance) => taskView(state, instance));
}

/** `GET /v2/apps/{id}/versions`. */
export function appVersions(state: MarathonState, appId: string): Reply {
  const id = idOf(appId);
  if (state.history.app(id) === undefined) return missing('App', id);
  return found({ versions: state.history.versionsOf(id) });
}

/** `GET /v2/apps/{id}/versions/{version}`. */
export function appVersion(state: MarathonState, appId: string, text: string): Reply {
  const id = idOf(appId);
  const version = parseVersion(text);
  if (version === undefined)
    return { statusCode: 422, body: { message: `'${text}' is not a version` } };
  const app = state.history.app(id) === undefined ? undefined : state.history.appAt(id, version);
  return app === undefined ? missing('App', id, version) : found(appToJson(app));
}

/** `GET /v2/tasks`. */
export function taskList(state: MarathonState, statuses: readonly string[]): JsonObject {
  const wanted = new Set(statuses.map((status) => `TASK_${status.toUpperCase()}`));
  const tasks = [...state.history.apps()]
    .sort((left, right) => comparePathIds(left.id, right.id))
    .flatMap((app) => shownInstances(state, app.id))
    .filter((instance) => wanted.size === 0 || wanted.has(shownTaskState(instance)))
    .map((instance) => listedTaskView(state, instance));
  return { tasks };
}

/** `GET /v2/deployments`. */
export function deploymentList(state: MarathonState): JsonValue[] {
  return [...state.deployments.values()].map((deployment) => deploymentView(state, deployment));
}

/** `GET /v2/groups/{id}`, now or as of a version. */
export function oneGroup(
  state: MarathonState,
  groupId: string,
  options: ViewOptions & { readonly version?: string },
): Reply {
  const id = idOf(groupId);
  const version = options.version === undefined ? undefined : parseVersion(options.version);
  if (options.version !== undefined && version === undefined) {
    return { statusCode: 422, body: { message: `'${options.version}' is not a version` } };
  }
  const root = version === undefined ? state.history.root : state.history.rootAt(version);
  const group = root === undefined ? undefined : findGroup(root, id);
  if (group === undefined) return missing('Group', id, version);
  const names = options.embed.filter((name) => /^group\.(?:groups|apps|pods)$/.test(name));
  const isWanted = (name: string): boolean => names.length === 0 || names.includes(name);
  const appEmbeds = parseAppEmbeds(options.embed.filter((name) => name.startsWith('group.apps.')));
  const app = (one: AppDefinition): JsonObject => appView(state, one, appEmbeds, options.now);
  const view: GroupView = {
    groups: isWanted('group.groups'),
    ...(isWanted('group.apps') || appEmbeds.size > 0 ? { app } : {}),
  };
  return found(groupToJson(group, view));
}

/** `GET /v2/groups/{id}/versions`. */
export function groupVersions(state: MarathonState, groupId: string): Reply {
  const id = idOf(groupId);
  if (findGroup(state.history.root, id) === undefined) return missing('Group', id);
  return found(state.history.rootVersions());
}

/** `GET /v2/groups/{id}/apps`. */
export function groupApps(state: MarathonState, groupId: string, options: ViewOptions): Reply {
  const id = idOf(groupId);
  const group = findGroup(state.history.root, id);
  if (group === undefined) return missing('Group', id);
  const embeds = new Set([...LIST_EMBEDS, ...parseAppEmbeds(options.embed)]);
  return found({ apps: allApps(group).map((app) => appView(state, app, embeds, options.now)) });
}

/** Number of groups, the root included. */
export function countGroups(state: MarathonState): number {
  return allGroups(state.history.root).length;
}

/** Tasks of all apps by their figures. */
export function countInstances(state: MarathonState): {
  readonly staged: number;
  readonly running: number;
} {
  return countTasks(state, [...state.instances.all()]);
}
