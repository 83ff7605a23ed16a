/** What clients may ask for, as data. Bodies are still text: reading them is the app model's. */

import type { Origin } from './root-changes.ts';

interface Change {
  readonly force: boolean;
  readonly origin: Origin;
}

/** Which tasks to end. */
export type TaskSelection =
  | { readonly kind: 'app'; readonly appId: string; readonly host?: string }
  | { readonly kind: 'task'; readonly appId: string; readonly taskId: string }
  | { readonly kind: 'ids'; readonly taskIds: readonly string[] };

export type Command =
  | (Change & { readonly kind: 'createApp'; readonly body: string })
  | (Change & {
      readonly kind: 'updateApp';
      readonly appId: string;
      readonly body: string;
      readonly partial: boolean;
      readonly mayCreate: boolean;
    })
  | (Change & {
      readonly kind: 'updateApps';
      readonly body: string;
      readonly partial: boolean;
      readonly mayCreate: boolean;
    })
  | (Change & { readonly kind: 'deleteApp'; readonly appId: string })
  | (Change & { readonly kind: 'restartApp'; readonly appId: string })
  | (Change & {
      readonly kind: 'killTasks';
      readonly of: TaskSelection;
      readonly scale: boolean;
      readonly wipe: boolean;
    })
  | (Change & { readonly kind: 'createGroup'; readonly groupId: string; readonly body: string })
  | (Change & { readonly kind: 'patchGroup'; readonly groupId: string; readonly body: string })
  | (Change & {
      readonly kind: 'updateGroup';
      readonly groupId: string;
      readonly body: string;
      readonly dryRun: boolean;
    })
  | (Change & { readonly kind: 'deleteGroup'; readonly groupId: string })
  | (Change & { readonly kind: 'cancelDeployment'; readonly deploymentId: string })
  | { readonly kind: 'resetDelay'; readonly appId: string; readonly origin: Origin };

/** The command of a kind. */
export type CommandOf<Kind extends Command['kind']> = Extract<Command, { readonly kind: Kind }>;
