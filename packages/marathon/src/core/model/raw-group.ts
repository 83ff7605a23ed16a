/** A group as a request may write it. Pods cannot be written through a group and are ignored. */

import { compact } from './compact.ts';
import {
  noteViolation,
  unread,
  readBoolean,
  readList,
  readNumber,
  readObject,
  readText,
  type Read,
} from './json-reader.ts';
import { readAppWithId, readPathText, type RawApp } from './raw-app.ts';

export interface RawGroup {
  readonly id?: string;
  readonly apps?: readonly RawApp[];
  readonly groups?: readonly RawGroup[];
  readonly dependencies?: readonly string[];
  readonly scaleBy?: number;
  readonly version?: string;
  readonly enforceRole?: boolean;
}

/** Groups within groups in one request. */
export const GROUP_DEPTH_MAX = 64;

function readGroupAt(depth: number): Read<RawGroup> {
  return (value, path, violations) => {
    if (depth > GROUP_DEPTH_MAX) return unread(path, 'error.maxLength', violations);
    return readObject((fields) =>
      compact({
        id: fields.optional('id', readPathText),
        apps: fields.optional('apps', readList(readAppWithId)),
        groups: fields.optional('groups', readList(readChildAt(depth + 1))),
        dependencies: fields.optional('dependencies', readList(readPathText)),
        scaleBy: fields.optional('scaleBy', readNumber({ min: 0 })),
        version: fields.optional('version', readText()),
        enforceRole: fields.optional('enforceRole', readBoolean),
      }),
    )(value, path, violations);
  };
}

/** A group inside of a group must name itself. */
function readChildAt(depth: number): Read<RawGroup> {
  return (value, path, violations) => {
    const group = readGroupAt(depth)(value, path, violations);
    const isRead = typeof group === 'object';
    if (isRead && group.id === undefined && !violations.some((one) => one.path === `${path}/id`)) {
      noteViolation(`${path}/id`, 'error.path.missing', violations);
    }
    return group;
  };
}

export const readGroup: Read<RawGroup> = readGroupAt(0);

/** The body of PATCH /v2/groups/{id}. */
export const readGroupPatch: Read<{ readonly enforceRole: boolean }> = readObject((fields) => ({
  enforceRole: fields.required('enforceRole', readBoolean),
}));
