/**
 * Containers that clients launch through the API, as the runtimes want them described. A nested container lies in
 * the sandbox of the one around it, a standalone one in the work directory; the original's layout.
 */

import { join } from 'node:path';
import type { ContainerSpec } from '@dcos/containers';
import { Resources } from '@dcos/resources';
import type { LaunchedContainer } from '../core/index.ts';
import { DEFAULT_PATH, withVariables } from './task-environment.ts';

const MEGABYTE = 1024 * 1024;

/** The task around a nested container, as far as that matters here. */
export interface Surroundings {
  readonly sandboxPath: string;
  readonly user: string | undefined;
}

export interface LaunchedSpecInput {
  readonly container: LaunchedContainer;
  /** Absent for a standalone container. */
  readonly surroundings: Surroundings | undefined;
  readonly workDir: string;
  /** The operator's additions for everything that runs here. */
  readonly extra: Readonly<Record<string, string>>;
}

/** Where its files are. */
function launchedSandbox({ container, surroundings, workDir }: LaunchedSpecInput): string {
  // The ids of a task's own containers come first in the chain of what is nested in it.
  const root = surroundings?.sandboxPath ?? workDir;
  return join(root, ...container.path.slice(container.depth).flatMap((id) => ['containers', id]));
}

/** The description of a container that is no session. */
export function launchedSpec(input: LaunchedSpecInput): ContainerSpec {
  const { container, surroundings } = input;
  const sandboxPath = launchedSandbox(input);
  const user = container.command.user ?? surroundings?.user;
  const resources = Resources.fromWire(container.resources ?? []);
  return {
    id: container.containerId,
    sandboxPath,
    command: container.command,
    ...(container.container === undefined ? {} : { container: container.container }),
    environment: withVariables(
      {
        MESOS_SANDBOX: sandboxPath,
        MESOS_DIRECTORY: sandboxPath,
        PATH: DEFAULT_PATH,
        ...(container.container?.tty_info !== undefined && { TERM: 'xterm' }),
        ...input.extra,
      },
      container.command,
    ),
    ...(user === undefined ? {} : { user }),
    cpus: resources.cpus(),
    memoryBytes: resources.mem() * MEGABYTE,
    ...(container.runtime === 'oci' &&
      container.task !== undefined && { parentId: container.task }),
    ...(surroundings !== undefined && { parentSandboxPath: surroundings.sandboxPath }),
  };
}
