/**
 * The last steps before a runtime gets the description of a container: what may not be had is refused, secrets are
 * resolved, and what needs no runtime's help is made. Both tasks and containers of clients come through here.
 */

import { accountOf, type ContainerSpec } from '@dcos/containers';
import type { RuntimeName } from '../core/index.ts';
import { linkPlainVolumes, plainVolumeProblem } from './plain-volumes.ts';
import type { ContainerSecrets } from './secrets.ts';
import { environmentProblem } from './task-environment.ts';
import { hostPathProblem } from './volumes.ts';

export interface ReadyOptions {
  readonly runtime: RuntimeName;
  /** It sees nothing of the host but what is mounted. */
  readonly hasOwnRoot: boolean;
  readonly secrets: ContainerSecrets;
  /** Directories of the host that containers may have as volumes. */
  readonly hostPathVolumeAllow: readonly string[];
}

/** Throws when a container asks for what it cannot have here; nothing was made then. */
export async function refuseContainer(spec: ContainerSpec, options: ReadyOptions): Promise<void> {
  const volumes = spec.container?.volumes ?? [];
  const isPlain = options.runtime === 'process';
  const problem =
    environmentProblem(spec.command, { isPlain }) ??
    (isPlain ? plainVolumeProblem(volumes) : undefined) ??
    (await hostPathProblem(volumes, options.hostPathVolumeAllow));
  if (problem !== undefined) throw new Error(problem);
}

/** The description for the runtime. Its sandbox is there, and nothing of the task's own is in it yet. */
export async function readyContainer(
  spec: ContainerSpec,
  { runtime, hasOwnRoot, secrets }: ReadyOptions,
): Promise<ContainerSpec> {
  const account = spec.user === undefined || hasOwnRoot ? undefined : await accountOf(spec.user);
  const equipped = await secrets.equip(spec, hasOwnRoot ? 'container' : (account ?? 'agent'));
  if (runtime !== 'process' || equipped.container?.volumes === undefined) return equipped;
  await linkPlainVolumes(equipped, account);
  const { volumes: _linked, ...container } = equipped.container;
  return { ...equipped, container };
}
