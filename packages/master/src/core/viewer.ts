/**
 * Who looks at the cluster, and what they may see of it: frameworks, tasks and executors by the user that they run
 * as, roles by their name. Answers are cut to that; nobody is told that something was left out.
 */

import type { Action, Authorizer } from './authorization.ts';

/** The questions about single objects. */
export type ViewAction = Extract<
  Action,
  'VIEW_FRAMEWORK' | 'VIEW_TASK' | 'VIEW_EXECUTOR' | 'VIEW_ROLE' | 'GET_QUOTA'
>;

export interface Viewer {
  /** The same for viewers who see the same. */
  readonly kind: string;
  /** Nothing needs to be cut for this viewer. */
  readonly seesAll: boolean;
  sees(action: ViewAction, object: string): boolean;
}

/** For clusters without access control lists. */
export const SEES_ALL: Viewer = { kind: '', seesAll: true, sees: () => true };

const VIEWS: readonly ViewAction[] = [
  'VIEW_FRAMEWORK',
  'VIEW_TASK',
  'VIEW_EXECUTOR',
  'VIEW_ROLE',
  'GET_QUOTA',
];

/** Answers that one viewer remembers; an event stream lives as long as the master, and meets ever new users. */
const ANSWERS_MAX = 10_000;

/** What a principal may see; undefined is somebody who did not say who they are. */
export function viewerOf(authorizer: Authorizer, principal: string | undefined): Viewer {
  if (VIEWS.every((action) => authorizer.allowsEvery({ action, principal }))) return SEES_ALL;
  // Users and roles are few, what they own is not.
  const known = new Map<string, boolean>();
  return {
    kind: principal === undefined ? 'unknown' : `principal ${principal}`,
    seesAll: false,
    sees(action, object) {
      const key = `${action} ${object}`;
      const answer = known.get(key) ?? authorizer.allows({ action, principal, object });
      if (known.size >= ANSWERS_MAX) known.clear();
      known.set(key, answer);
      return answer;
    },
  };
}
