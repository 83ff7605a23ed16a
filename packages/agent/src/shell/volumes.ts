/**
 * Persistent volumes on the agent's disk: `volumes/roles/<role>/<id>` below the work directory, or the
 * same below the root of a PATH disk. They appear in a task's sandbox at the path that the task asks for,
 * and outlive it. Source: mesos-kernel §5.9.
 */

import { chown, lstat, mkdir, readdir, realpath, rm, symlink } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, sep } from 'node:path';
import { idProblem } from '@dcos/base';
import { reservationRole } from '@dcos/resources';
import type { Resource, Volume } from '@dcos/wire';
import { diskRoot } from './disk-sources.ts';

/** The directory of a volume; throws when its id or role cannot be a path. */
export function volumePath(workDir: string, resource: Resource): string {
  const id = resource.disk?.persistence?.id ?? '';
  const problem = idProblem(id);
  if (problem !== undefined) throw new Error(`persistence id: ${problem}`);
  const root = diskRoot(workDir, resource) ?? workDir;
  if (resource.disk?.source?.type === 'MOUNT' && root !== workDir) return root;
  // A slash in a role would make a directory of its own; roles hold no white space.
  return join(root, 'volumes', 'roles', reservationRole(resource).replaceAll('/', ' '), id);
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Makes the volumes of a task that are not there yet, and links them into its sandbox. */
export async function linkVolumes(
  workDir: string,
  sandbox: string,
  resources: readonly Resource[],
  account: Account | undefined,
): Promise<void> {
  const volumes = volumesOf(resources);
  refuseNested(volumes.map(placeOf));
  for (const resource of volumes) {
    const path = volumePath(workDir, resource);
    await mkdir(path, { recursive: true });
    if (account !== undefined) await chown(path, account.uid, account.gid);
    const link = join(sandbox, placeOf(resource));
    await mkdir(dirname(link), { recursive: true });
    if (await isThere(link)) throw new Error(`there is something at ${placeOf(resource)} already`);
    await symlink(path, link);
  }
}

/**
 * What is in a volume was made by tasks. A link below it would be made wherever a link that they left there
 * leads, with the rights of the agent.
 */
function refuseNested(places: readonly string[]): void {
  for (const outer of places) {
    const inner = places.find((place) => place.startsWith(outer + sep));
    if (inner !== undefined)
      throw new Error(`the path '${inner}' of a volume lies in another volume, at '${outer}'`);
  }
}

/** The same as volumes of a container with a root of its own. */
export function boundVolumes(
  workDir: string,
  sandboxInContainer: string,
  resources: readonly Resource[],
): readonly Volume[] {
  return volumesOf(resources).map((resource) => ({
    mode: 'RW',
    host_path: volumePath(workDir, resource),
    container_path: join(sandboxInContainer, placeOf(resource)),
  }));
}

/** The volume in which a path of a sandbox lies, and the rest of the path; undefined when it lies in none. */
export function volumeAt(
  workDir: string,
  resources: readonly Resource[],
  path: string,
): { readonly root: string; readonly rest: string } | undefined {
  for (const resource of volumesOf(resources)) {
    const place = placeInside(resource);
    if (place === undefined || !`${path}${sep}`.startsWith(`${sep}${place}${sep}`)) continue;
    return { root: volumePath(workDir, resource), rest: path.slice(place.length + 1) };
  }
  return undefined;
}

/**
 * Why a host path must not be a volume; undefined when all may. Links are followed: what counts is where a path leads.
 * The container could only be given another place by who can write in an allowed one on the host.
 */
export async function hostPathProblem(
  volumes: readonly Volume[],
  allowed: readonly string[],
): Promise<string | undefined> {
  for (const { host_path, source } of volumes) {
    const path = source?.host_path?.path ?? host_path;
    if (path === undefined || !isAbsolute(path)) continue;
    const place = await placeOnHost(path);
    const isAllowed = allowed.some((root) => isWithin(place, normalize(root)));
    if (!isAllowed) return `the host path '${path}' is not among those that tasks may have`;
  }
  return undefined;
}

/** Where a path leads; of one that is not there, where its nearest parent does. */
async function placeOnHost(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const parent = dirname(normalize(path));
    return join(await placeOnHost(parent), basename(path));
  }
}

function isWithin(path: string, root: string): boolean {
  const prefix = root.endsWith(sep) ? root : root + sep;
  return path === root || path.startsWith(prefix) || path + sep === prefix;
}

/** Deletes what is in the volumes; their directories too, unless they are mount points. */
export async function destroyVolumes(workDir: string, volumes: readonly Resource[]): Promise<void> {
  for (const volume of volumes) {
    const path = volumePath(workDir, volume);
    if (volume.disk?.source?.type !== 'MOUNT') {
      await rm(path, { recursive: true, force: true });
      continue;
    }
    for (const name of await readdir(path)) await rm(join(path, name), { recursive: true });
  }
}

function volumesOf(resources: readonly Resource[]): readonly Resource[] {
  return resources.filter(({ disk }) => disk?.persistence !== undefined);
}

/** Where the volume appears in the sandbox; throws for a path that would lead out of it. */
function placeOf(resource: Resource): string {
  const place = placeInside(resource);
  if (place !== undefined) return place;
  const path = resource.disk?.volume?.container_path ?? '';
  throw new Error(`the path '${path}' of a volume must lie in the sandbox`);
}

/** Undefined for a path that would lead out of the sandbox; no task has it then. */
function placeInside(resource: Resource): string | undefined {
  const path = normalize(`${resource.disk?.volume?.container_path ?? ''}/`).slice(0, -1);
  const leadsOut = isAbsolute(path) || path.split(sep).includes('..');
  return path === '' || path === '.' || leadsOut ? undefined : path;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
