/**
 * Which file a path in a request means. Only sandboxes of tasks that this agent remembers and its own log can
 * be read, with the persistent volumes in them; nothing leads out of a sandbox or a volume, neither `..` nor a link that
 * a task made.
 */

import { realpath, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { isTerminal, type AgentSnapshot, type TaskRecord } from '../../core/index.ts';
import { sandboxPath, virtualPath } from '../sandbox-paths.ts';
import { volumeAt } from '../volumes.ts';

/** The agent's own log by its virtual name. */
export const LOG_PATH = '/slave/log';

export interface SandboxFilesOptions {
  readonly workDir: string;
  readonly logFile: string | undefined;
  readonly snapshot: () => AgentSnapshot;
}

export type Located =
  | { readonly kind: 'found'; readonly path: string }
  | { readonly kind: 'absent' }
  /** It exists, and it is none of the caller's business. */
  | { readonly kind: 'forbidden' };

export interface SandboxFiles {
  /** Finds the real file behind a virtual or real path. */
  locate(path: string): Promise<Located>;
  /** All virtual paths with the real ones, as `/files/debug` shows them. */
  attached(): Readonly<Record<string, string>>;
  /** True when nothing writes to the task's sandbox any more. */
  hasEnded(task: TaskRecord): boolean;
  /** The sandbox of a task by its id or the beginning of it; the latest run of the latest match. */
  sandboxOfTask(taskId: string): { readonly task: TaskRecord; readonly path: string } | undefined;
}

const SANDBOX = /^\/frameworks\/([^/]+)\/executors\/([^/]+)\/runs\/([^/]+)(\/.*)?$/;

export function createSandboxFiles(options: SandboxFilesOptions): SandboxFiles {
  const { workDir } = options;
  const tasks = (): readonly TaskRecord[] => {
    const { completed, live } = options.snapshot();
    return [...completed, ...live].filter((task) => task.runtime !== 'none');
  };
  const agentId = (): string => options.snapshot().agentId ?? '';
  const rootOf = (task: TaskRecord): string => sandboxPath(workDir, agentId(), task);

  function split(path: string): { readonly root: string; readonly rest: string } | undefined {
    const normal = posix.normalize(path);
    if (normal === LOG_PATH) {
      return options.logFile === undefined ? undefined : { root: options.logFile, rest: '' };
    }
    const real = posix.join(workDir, 'slaves', agentId());
    const inside = normal.startsWith(`${real}/`) ? normal.slice(real.length) : normal;
    const [, frameworkId, executorId, run, rest = ''] = SANDBOX.exec(inside) ?? [];
    const task = tasks().findLast(
      (each) =>
        each.frameworkId === frameworkId &&
        each.taskId === executorId &&
        (run === 'latest' || each.containerId === run),
    );
    if (task === undefined) return undefined;
    // Persistent volumes are links in the sandbox, or nothing at all where a container has them mounted.
    const volume = volumeAt(workDir, task.info.resources ?? [], rest);
    return volume ?? { root: rootOf(task), rest };
  }

  return {
    async locate(path) {
      try {
        const parts = split(path);
        if (parts === undefined) return { kind: 'absent' };
        const root = await realpath(parts.root);
        const target = await realpath(root + parts.rest);
        const isInside = target === root || target.startsWith(`${root}/`);
        if (!isInside) return { kind: 'forbidden' };
        const { mode } = await stat(target);
        // A pipe or a device would block whoever reads it.
        const readable = (mode & 0o170000) === 0o100000 || (mode & 0o170000) === 0o040000;
        return readable ? { kind: 'found', path: target } : { kind: 'forbidden' };
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EACCES') {
          return { kind: 'forbidden' };
        }
        return { kind: 'absent' };
      }
    },
    attached() {
      const paths: Record<string, string> = {};
      if (options.logFile !== undefined) paths[LOG_PATH] = options.logFile;
      for (const task of tasks()) {
        const root = rootOf(task);
        paths[root] = root;
        paths[virtualPath(task, task.containerId)] = root;
        // Later runs come later and win.
        paths[virtualPath(task, 'latest')] = root;
        paths[posix.join(root, '..', 'latest')] = root;
      }
      return paths;
    },
    hasEnded({ containerId }) {
      const { live } = options.snapshot();
      const running = live.find((task) => task.containerId === containerId);
      return running === undefined || isTerminal(running.state);
    },
    sandboxOfTask(taskId) {
      const all = tasks();
      const task =
        all.findLast((each) => each.taskId === taskId) ??
        (taskId === '' ? undefined : all.findLast((each) => each.taskId.startsWith(taskId)));
      return task === undefined ? undefined : { task, path: rootOf(task) };
    },
  };
}
