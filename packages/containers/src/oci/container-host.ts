/**
 * What the host adds to a container's description: its root, account, names, networks. Made once, when the container
 * is, and kept in its directory, since images and accounts may have changed by the time of a restart.
 */

import { chown, lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { arch } from 'node:process';
import { assert } from '@dcos/base';
import { containerError } from '../errors.ts';
import { gpuDevices } from '../gpu-devices.ts';
import type { HostDevice } from '../host-device.ts';
import { madeDirectory } from '../made-directory.ts';
import type { ContainerSpec } from '../runtime.ts';
import type { CgroupOptions } from './cgroup-settings.ts';
import type { ContainerImages } from './image-port.ts';
import type { AttachedNetwork } from './cni.ts';
import { sandboxPlaceOf, type OverlayRoot } from './mounts.ts';
import { HOST_NAME_FILES, makeNameFiles } from './name-files.ts';
import { networksOf } from './networks.ts';
import type { OciHost } from './oci-config.ts';
import type { OciUser } from './oci-spec.ts';
import { makeOverlay } from './root-fs.ts';
import { userOf } from './users.ts';

/** Where the containers' groups are; the original's. */
const CGROUP_ROOT = '/mesos';
const ROOT_DIRECTORY = 'root';
const HOST_FILE = 'host.json';

/** The control group of a container. */
export const groupOf = (id: string): string => `${CGROUP_ROOT}/${id}`;

/** The host name of a container with a network of its own. */
export const hostnameOf = ({ id, container }: ContainerSpec): string => container?.hostname ?? id;

/** The container around a nested one. */
export interface ParentContainer {
  readonly pid: number;
  readonly host: OciHost;
  readonly networks?: readonly AttachedNetwork[];
}

export interface ContainerHostInput {
  readonly spec: ContainerSpec;
  /** The container's own directory. */
  readonly directory: string;
  readonly images: ContainerImages;
  readonly parent: ParentContainer | undefined;
  readonly initPath: string;
  readonly cgroupVersion: 1 | 2;
  readonly cgroups: CgroupOptions;
  /** Where device nodes are; `/dev` unless a test says otherwise. */
  readonly devicesPath: string | undefined;
  /** Allowed to every container. */
  readonly devices: readonly HostDevice[];
}

/** As {@link makeHost} would, without making anything: to find what is wrong with a description. */
export async function draftHost(input: ContainerHostInput): Promise<OciHost> {
  const { spec, parent } = input;
  const { root: image } = input.images;
  const wanted = networksOf(spec.container);
  if (parent !== undefined && wanted.kind === 'private')
    throw containerError(
      'CONTAINER_INVALID',
      'a nested container has the networks of the one around it',
    );
  const inherited = parent?.host.network;
  const network = parent !== undefined && inherited !== 'host' ? { pid: parent.pid } : wanted.kind;
  return {
    rootPath: join(input.directory, ROOT_DIRECTORY),
    user: await userOf(spec, image),
    initPath: input.initPath,
    cgroupsPath: groupOf(spec.id),
    cgroupVersion: input.cgroupVersion,
    cgroups: input.cgroups,
    devices: [...input.devices, ...(await gpuDevices(spec.gpus ?? [], input.devicesPath))],
    names: parent?.host.names ?? {},
    network,
    processor: arch,
    ...(image !== undefined && { image: image.config }),
    ...(parent !== undefined && { parent: { pid: parent.pid } }),
  };
}

/** Makes directories and files, and keeps the result. */
export async function makeHost(input: ContainerHostInput): Promise<OciHost> {
  const { spec, directory, parent } = input;
  const { root: image, volumes } = input.images;
  const draft = await draftHost(input);
  for (const volume of spec.container?.volumes ?? []) {
    const place = sandboxPlaceOf(volume, spec);
    if (place !== undefined) await makeSandboxPlace(place, draft.user);
  }
  await mkdir(draft.rootPath, { recursive: true });
  const isPrivate = draft.network === 'private';
  const ownNames = isPrivate ? await makeNameFiles(directory, hostnameOf(spec)) : undefined;
  const hostNames = image === undefined || draft.network !== 'host' ? {} : HOST_NAME_FILES;
  const inherited = parent === undefined || draft.network === 'host' ? hostNames : draft.names;
  const volumeOverlays: Record<number, OverlayRoot> = {};
  for (const [place, prepared] of volumes)
    volumeOverlays[place] = await makeOverlay(join(directory, `volume-${place}`), prepared);
  const host: OciHost = {
    ...draft,
    ...(volumes.size > 0 && { volumeOverlays }),
    names: ownNames ?? inherited,
    ...(image !== undefined && { overlay: await makeOverlay(directory, image) }),
  };
  await writeFile(join(directory, HOST_FILE), JSON.stringify(host));
  return host;
}

/**
 * Makes a directory in a sandbox, step by step: a link that a task left on the way would lead a mount, and thereby
 * the container, to where it points.
 */
async function makeSandboxPlace(
  { root, path }: { readonly root: string; readonly path: string },
  { uid, gid }: OciUser,
): Promise<void> {
  let place = root;
  for (const part of path.split('/').filter((name) => name !== '' && name !== '.')) {
    place = join(place, part);
    // Another container of the pod may make it at the same time.
    if (await madeDirectory(place)) await chown(place, uid, gid);
    else if ((await lstat(place)).isSymbolicLink())
      throw containerError('CONTAINER_LAUNCH_FAILED', `there is a link at '${path}' of a sandbox`);
  }
}

/** What {@link makeHost} kept. */
export async function keptHost(directory: string): Promise<OciHost> {
  const host = JSON.parse(await readFile(join(directory, HOST_FILE), 'utf8')) as OciHost;
  assert(typeof host.rootPath === 'string', 'the file is what was written');
  return host;
}
