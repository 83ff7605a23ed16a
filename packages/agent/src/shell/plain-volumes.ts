/**
 * Volumes of plain processes. There is nothing to mount with: a volume is a link in the sandbox to where it is. So it
 * must lie in the sandbox, and nobody can be kept from writing to it; what a link cannot do is refused.
 *
 * Invariant: nothing is made outside of the sandbox, of its own or of the pod, that a volume names, whatever links a
 * task has left there.
 * Source: mesos-kernel §6.6 (volume/sandbox_path without mounts); host paths are linked the same way.
 */

import { lchown, lstat, realpath, symlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, sep } from 'node:path';
import { madeDirectory, type Account, type ContainerSpec } from '@dcos/containers';
import type { Volume } from '@dcos/wire';

/** Why a plain process cannot have one of these volumes, or undefined. */
export function plainVolumeProblem(volumes: readonly Volume[]): string | undefined {
  for (const volume of volumes) {
    const problem = problemOf(volume);
    if (problem !== undefined) return `volume ${volume.container_path}: ${problem}`;
  }
  return undefined;
}

function problemOf({ container_path, mode, source, host_path, image }: Volume): string | undefined {
  if (!isInside(container_path))
    return "plain processes have volumes in their sandbox only; use 'oci'";
  if (source?.secret !== undefined) return undefined;
  const isHost = (source?.host_path?.path ?? host_path) !== undefined && image === undefined;
  if (!isHost && source?.sandbox_path === undefined)
    return 'plain processes have host paths, paths of sandboxes and secrets as volumes only';
  const mount = source?.host_path?.mount_propagation?.mode;
  if (mount !== undefined && mount !== 'UNKNOWN')
    return "plain processes mount nothing that could be propagated; use 'oci'";
  if (mode === 'RO') return "plain processes cannot be kept from writing to a volume; use 'oci'";
  return undefined;
}

/** Links the volumes into the sandbox. Those that are places in a sandbox are made when they are not there. */
export async function linkPlainVolumes(
  spec: ContainerSpec,
  account: Account | undefined,
): Promise<void> {
  for (const volume of spec.container?.volumes ?? []) {
    const target = await targetOf(volume, spec, account);
    const link = join(spec.sandboxPath, normalize(volume.container_path));
    await makeWithin(spec.sandboxPath, dirname(link), account);
    await symlink(target, link);
  }
}

async function targetOf(
  { container_path, host_path, source }: Volume,
  spec: ContainerSpec,
  account: Account | undefined,
): Promise<string> {
  const { sandbox_path } = source ?? {};
  const host = source?.host_path?.path ?? host_path ?? '';
  if (sandbox_path === undefined && isAbsolute(host)) return host;
  const root = sandbox_path?.type === 'PARENT' ? spec.parentSandboxPath : spec.sandboxPath;
  if (root === undefined)
    throw new Error(
      `volume ${container_path}: the container has no parent whose sandbox it could share`,
    );
  const path = sandbox_path?.path ?? host;
  if (!isInside(path)) throw new Error(`the path '${path}' of a volume leads out of its root`);
  const place = join(root, normalize(path));
  await makeWithin(root, place, account);
  return place;
}

/** Makes a directory and those above it. Each is looked at before the next one: a link would lead elsewhere. */
async function makeWithin(
  root: string,
  place: string,
  account: Account | undefined,
): Promise<void> {
  const real = await realpath(root);
  let at = root;
  for (const name of place.slice(root.length).split(sep)) {
    if (name === '') continue;
    at = join(at, name);
    if (await madeDirectory(at)) {
      if (account !== undefined) await lchown(at, account.uid, account.gid);
    } else if (!`${await realpath(at)}${sep}`.startsWith(`${real}${sep}`))
      throw new Error(
        `the path '${place.slice(root.length + 1)}' of a volume leads out of its root`,
      );
    else if (!(await lstat(await realpath(at))).isDirectory())
      throw new Error(
        `there is a file at '${place.slice(root.length + 1)}', where a volume should be`,
      );
  }
}

/** Whether a path stays below where it begins; the text alone is looked at. */
function isInside(path: string): boolean {
  return path !== '' && path !== '.' && !isAbsolute(path) && !path.split(sep).includes('..');
}
