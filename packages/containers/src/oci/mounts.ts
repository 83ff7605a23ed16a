/**
 * The mounts of a container. Pure.
 *
 * - Without an image the root is the host's: all its mounts, as a slave, so that what is unmounted on the host is
 *   not held by containers.
 * - With one the root is an overlay that is mounted inside the container's own mount namespace only. It needs no
 *   unmounting and cannot be left behind: it ends with the last process.
 */

import { isAbsolute, join } from 'node:path';
import type { Volume } from '@dcos/wire';
import { containerError } from '../errors.ts';
import type { ContainerSpec } from '../runtime.ts';
import type { OciMount } from './oci-spec.ts';

/** Where a container with an image sees its sandbox. */
export const SANDBOX_TARGET = '/mnt/mesos/sandbox';
/** Where a container with an image finds its first process. */
export const INIT_TARGET = '/dev/init';
/** Size of /dev/shm when nobody asks for another. */
const SHM_BYTES = 64 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;
/** A mount's options fit in one page of the kernel, with its end. */
const OPTIONS_BYTES_MAX = 4_095;

/** The files of a container with a root of its own, on the host. */
export interface OverlayRoot {
  /** Highest first, as the kernel wants them. */
  readonly lowerdirs: readonly string[];
  readonly upperdir: string;
  readonly workdir: string;
}

/** Files that stand for those of the host's name service. */
export interface NameFiles {
  readonly hosts?: string;
  readonly hostname?: string;
  readonly resolvConf?: string;
}

export interface MountInput {
  readonly spec: ContainerSpec;
  /** Absent on the host's file system, and for a root that is a plain copy. */
  readonly overlay?: OverlayRoot;
  /** Images of volumes, by the volume's place in the description; those that are not there are not mounted. */
  readonly volumeOverlays: Readonly<Record<number, OverlayRoot>>;
  readonly hasImage: boolean;
  readonly initPath: string;
  readonly hasPrivatePids: boolean;
  readonly hasPrivateIpc: boolean;
  readonly names: NameFiles;
}

/** All mounts in order. */
export function mountsOf(input: MountInput): readonly OciMount[] {
  const { spec, names } = input;
  const mounts = input.hasImage ? imageMounts(input) : hostMounts(input);
  const nameMounts = [
    [names.hosts, '/etc/hosts'],
    [names.hostname, '/etc/hostname'],
    [names.resolvConf, '/etc/resolv.conf'],
  ] as const;
  for (const [source, destination] of nameMounts) {
    if (source !== undefined) mounts.push(bind(source, destination, 'rw'));
  }
  const volumes = spec.container?.volumes ?? [];
  return [...mounts, ...volumes.flatMap((volume, place) => volumeMount(volume, place, input))];
}

function hostMounts({ spec, hasPrivatePids, hasPrivateIpc }: MountInput): OciMount[] {
  const options = ['rbind', 'rslave', 'rw'];
  const mounts: OciMount[] = [
    { destination: '/', type: 'bind', source: '/', options },
    // It is there already, but a runtime that sees no mount for it makes its own nodes in it: those of the host.
    { destination: '/dev', type: 'bind', source: '/dev', options },
  ];
  if (hasPrivatePids) mounts.push(PROC);
  if (hasPrivateIpc) mounts.push(shm(spec));
  return mounts;
}

const PROC: OciMount = {
  destination: '/proc',
  type: 'proc',
  source: 'proc',
  options: ['nosuid', 'noexec', 'nodev'],
};

function imageMounts({ spec, overlay, initPath, hasPrivatePids }: MountInput): OciMount[] {
  const mounts: OciMount[] = overlay === undefined ? [] : [overlayMount('/', overlay, 'rw')];
  mounts.push(
    hasPrivatePids ? PROC : bind('/proc', '/proc', 'rw'),
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    {
      destination: '/dev/mqueue',
      type: 'mqueue',
      source: 'mqueue',
      options: ['nosuid', 'noexec', 'nodev'],
    },
    shm(spec),
    {
      destination: '/sys',
      type: 'sysfs',
      source: 'sysfs',
      options: ['nosuid', 'noexec', 'nodev', 'ro'],
    },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
    },
    bind(initPath, INIT_TARGET, 'ro'),
    bind(spec.sandboxPath, SANDBOX_TARGET, 'rw'),
  );
  return mounts;
}

/** Throws CONTAINER_INVALID when there are more layers than the kernel takes. */
function overlayMount(
  destination: string,
  { lowerdirs, upperdir, workdir }: OverlayRoot,
  mode: 'ro' | 'rw',
): OciMount {
  const options = [`lowerdir=${lowerdirs.join(':')}`, `upperdir=${upperdir}`, `workdir=${workdir}`];
  if (Buffer.byteLength(options.join(',')) > OPTIONS_BYTES_MAX)
    throw containerError(
      'CONTAINER_INVALID',
      `an image of ${lowerdirs.length} layers is too much for an overlay file system`,
    );
  if (mode === 'ro') options.push('ro');
  return { destination, type: 'overlay', source: 'overlay', options };
}

function shm(spec: ContainerSpec): OciMount {
  const megabytes = spec.container?.linux_info?.shm_size;
  const bytes = megabytes === undefined ? SHM_BYTES : megabytes * MEGABYTE;
  return {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${bytes}`],
  };
}

/** Throws CONTAINER_INVALID for kinds of volumes that cannot be had. */
function volumeMount(volume: Volume, place: number, input: MountInput): readonly OciMount[] {
  const { spec, hasImage } = input;
  const sandboxInContainer = hasImage ? SANDBOX_TARGET : spec.sandboxPath;
  const target = isAbsolute(volume.container_path)
    ? volume.container_path
    : below(sandboxInContainer, volume.container_path);
  const mode = volume.mode === 'RO' ? 'ro' : 'rw';
  if (volume.image === undefined) {
    const options = ['rbind', propagationOf(volume), mode];
    return [{ destination: target, type: 'bind', source: sourceOf(volume, input), options }];
  }
  if (volume.source !== undefined || volume.host_path !== undefined)
    throw containerError(
      'CONTAINER_INVALID',
      `volume ${volume.container_path}: an image and another source exclude each other`,
    );
  const overlay = input.volumeOverlays[place];
  return overlay === undefined ? [] : [overlayMount(target, overlay, mode)];
}

/** What is mounted below it on the host later is seen where that is asked for; the other way round nothing is. */
function propagationOf({ container_path, source }: Volume): 'rprivate' | 'rslave' {
  const mode = source?.host_path?.mount_propagation?.mode ?? 'UNKNOWN';
  if (mode === 'BIDIRECTIONAL')
    throw containerError(
      'CONTAINER_INVALID',
      `volume ${container_path}: what a container mounts cannot be propagated to the host; the docker runtime can`,
    );
  return mode === 'HOST_TO_CONTAINER' ? 'rslave' : 'rprivate';
}

/** A place in a sandbox that a volume asks for; undefined for other volumes. */
export function sandboxPlaceOf(
  { container_path, source }: Volume,
  spec: ContainerSpec,
): { readonly root: string; readonly path: string } | undefined {
  if (source?.sandbox_path === undefined) return undefined;
  const { type, path } = source.sandbox_path;
  const root = type === 'PARENT' ? spec.parentSandboxPath : spec.sandboxPath;
  if (root !== undefined) return { root, path };
  throw containerError(
    'CONTAINER_INVALID',
    `volume ${container_path}: the container has no parent whose sandbox it could share`,
  );
}

function sourceOf(volume: Volume, { spec }: MountInput): string {
  const { source } = volume;
  const place = sandboxPlaceOf(volume, spec);
  if (place !== undefined) return below(place.root, place.path);
  const host = source?.host_path?.path ?? volume.host_path;
  if (host === undefined)
    throw containerError(
      'CONTAINER_INVALID',
      `volume ${volume.container_path}: only host paths, sandbox paths and images are supported`,
    );
  return isAbsolute(host) ? host : below(spec.sandboxPath, host);
}

/** A path that stays below its root; the text alone is looked at, links are the mounting side's concern. */
export function below(root: string, path: string): string {
  if (isAbsolute(path) || path.split('/').includes('..'))
    throw containerError(
      'CONTAINER_INVALID',
      `the path '${path}' of a volume leads out of its root`,
    );
  return join(root, path);
}

function bind(source: string, destination: string, mode: 'ro' | 'rw'): OciMount {
  return { destination, type: 'bind', source, options: ['bind', 'rprivate', mode] };
}
