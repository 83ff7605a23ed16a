/**
 * Where the sandbox of a task lies in the file service of its agent, and the listing of it.
 */

import { compareText, err, ok } from '@dcos/base';
import type { JsonObject, JsonValue, Result } from '@dcos/base';
import { formatListingTime } from './format.ts';
import { numberField, objectField, objectsField, textField } from './json-field.ts';
import type { ClusterTask } from './mesos-tasks.ts';

/**
 * The path of a task's sandbox among the paths that the agent offers. The newest run serves when
 * the task's statuses name no container.
 */
export function sandboxPath(offered: JsonObject, task: ClusterTask): Result<string, string> {
  const executor = task.executorId === '' ? task.id : task.executorId;
  const runs = `/frameworks/${task.frameworkId}/executors/${executor}/runs/`;
  const container = containerOf(task.document);
  for (const run of container === undefined ? ['latest'] : [container, 'latest']) {
    for (const [key, path] of Object.entries(offered)) {
      if (key.endsWith(`${runs}${run}`)) return ok(typeof path === 'string' ? path : key);
    }
  }
  return err(
    `the agent ${task.agentId} no longer has the sandbox of "${task.id}": ` +
      `it removes the files of ended tasks after a while`,
  );
}

/** A path inside the sandbox; `..` and absolute paths stay inside. */
export function joinSandboxPath(sandbox: string, path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return [sandbox.replace(/\/+$/, ''), ...segments].join('/');
}

export interface SandboxFile {
  readonly path: string;
  /** The last segment of the path. */
  readonly name: string;
  readonly directory: boolean;
  readonly mode: string;
  readonly links: number;
  readonly owner: string;
  readonly group: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

/** The entries that `files/browse` answered, by name. */
export function parseListing(listing: readonly JsonObject[]): readonly SandboxFile[] {
  return listing
    .map((entry) => {
      const path = textField(entry, 'path') ?? '';
      const mode = textField(entry, 'mode') ?? '';
      return {
        path,
        name: path.slice(path.lastIndexOf('/') + 1),
        directory: mode.startsWith('d'),
        mode,
        links: numberField(entry, 'nlink') ?? 0,
        owner: toName(entry['uid']),
        group: toName(entry['gid']),
        sizeBytes: numberField(entry, 'size') ?? 0,
        modifiedAtMs: (numberField(entry, 'mtime') ?? 0) * 1000,
      };
    })
    .filter((file) => file.name !== '' && file.name !== '.' && file.name !== '..')
    .toSorted((left, right) => compareText(left.name, right.name));
}

export const listingHeadings: readonly string[] = [
  'MODE',
  'LINKS',
  'UID',
  'GID',
  'SIZE',
  'DATE',
  'NAME',
];

/** Rows of the long listing. */
export function listingRows(files: readonly SandboxFile[]): readonly (readonly string[])[] {
  return files.map((file) => [
    file.mode,
    String(file.links),
    file.owner,
    file.group,
    String(file.sizeBytes),
    formatListingTime(file.modifiedAtMs),
    file.name,
  ]);
}

// A nested container has no sandbox of its own root: the outermost one is what the agent offers.
function containerOf(task: JsonObject): string | undefined {
  for (const status of objectsField(task, 'statuses')) {
    let container = objectField(objectField(status, 'container_status'), 'container_id');
    let parent = objectField(container, 'parent');
    while (parent !== undefined) {
      container = parent;
      parent = objectField(container, 'parent');
    }
    const value = textField(container, 'value');
    if (value !== undefined) return value;
  }
  return undefined;
}

function toName(value: JsonValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
