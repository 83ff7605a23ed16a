/**
 * A container spec as an OCI runtime's `config.json`. Pure, so that every field can be tested without a runtime.
 *
 * What is shared and what is private (source: mesos-kernel §6.6, namespaces and linux isolators):
 * - mounts: always private;
 * - processes: private unless `share_pid_namespace`; the first process is then a small init that reaps and hands
 *   signals on, since the kernel ignores signals to a first process that does not handle them;
 * - ipc and /dev/shm: private with an image, or when asked; shared with the parent when asked;
 * - network and host name: the host's, unless the container has networks of its own.
 */

import type { RLimitInfo_RLimit } from '@dcos/wire';
import { containerError } from '../errors.ts';
import { commandVector } from '../process/run-command.ts';
import type { HostDevice } from '../host-device.ts';
import type { ContainerSpec } from '../runtime.ts';
import { hasTerminal } from '../session.ts';
import { capabilitySets } from './capabilities.ts';
import { cgroupSettings, ociResources, type CgroupOptions } from './cgroup-settings.ts';
import { deviceNodes, deviceRules } from './devices.ts';
import { imageDirectory, imageEnvironment, imageVector } from './image-command.ts';
import type { ImageConfig } from './image-port.ts';
import {
  INIT_TARGET,
  mountsOf,
  SANDBOX_TARGET,
  type NameFiles,
  type OverlayRoot,
} from './mounts.ts';
import type { OciConfig, OciNamespace, OciProcess, OciRlimit, OciUser } from './oci-spec.ts';
import { defaultSeccomp } from './seccomp.ts';

/** What the host adds to a spec. */
export interface OciHost {
  /** Directory that becomes the root: the place of the overlay, or a copy of the image. */
  readonly rootPath: string;
  readonly overlay?: OverlayRoot;
  /** Images of volumes, by the volume's place in the description. Absent in a draft. */
  readonly volumeOverlays?: Readonly<Record<number, OverlayRoot>>;
  /** Absent without an image. */
  readonly image?: ImageConfig;
  readonly user: OciUser;
  readonly initPath: string;
  readonly cgroupsPath: string;
  readonly cgroupVersion: 1 | 2;
  readonly cgroups: CgroupOptions;
  /** Those that the operator allows, and its GPUs. Absent in what an earlier version kept. */
  readonly devices?: readonly HostDevice[];
  readonly names: NameFiles;
  /** Network: the host's, one of its own, or that of a process. */
  readonly network: 'host' | 'private' | { readonly pid: number };
  /** Process whose ipc (and, when asked, process) namespace is joined. */
  readonly parent?: { readonly pid: number };
  /** As Node names it. */
  readonly processor: string;
}

/** Kernel names of limits; those without one are not known to OCI runtimes. */
const RLIMIT_TYPE = /^RLMT_([A-Z]+)$/;
/** tini(1): nothing but what ends it is worth a line. */
const SILENT_INIT = 'TINI_VERBOSITY=0';

/** Builds the configuration. Throws CONTAINER_INVALID with what cannot be had. */
export function ociConfig(spec: ContainerSpec, host: OciHost): OciConfig {
  const { container } = spec;
  const linux = container?.linux_info;
  refuseUnsupported(spec);
  const hasImage = host.image !== undefined;
  const hasPrivatePids = linux?.share_pid_namespace !== true;
  const sharesIpc = host.parent !== undefined && linux?.ipc_mode !== 'PRIVATE';
  const hasPrivateIpc = !sharesIpc && (linux?.ipc_mode === 'PRIVATE' || hasImage);
  const namespaces: OciNamespace[] = [{ type: 'mount' }];
  if (hasPrivatePids) namespaces.push({ type: 'pid' });
  else if (host.parent !== undefined) namespaces.push(joined('pid', host.parent.pid));
  if (sharesIpc && host.parent !== undefined) namespaces.push(joined('ipc', host.parent.pid));
  else if (hasPrivateIpc) namespaces.push({ type: 'ipc' });
  const { network } = host;
  if (network === 'private') namespaces.push({ type: 'network' }, { type: 'uts' });
  else if (network !== 'host')
    namespaces.push(joined('network', network.pid), joined('uts', network.pid));
  if (hasImage) namespaces.push({ type: 'cgroup' });
  const hostname = network === 'private' ? (container?.hostname ?? spec.id) : undefined;
  const hasOwnProc = hasPrivatePids;
  const { bounding } = capabilitySets(linux);
  const isConfined = linux?.seccomp?.unconfined !== true && !isPrivileged(spec);
  return {
    ociVersion: '1.0.2',
    process: ociProcess(spec, host),
    root: { path: host.rootPath, readonly: false },
    ...(hostname !== undefined && { hostname }),
    mounts: mountsOf({
      spec,
      ...(host.overlay !== undefined && { overlay: host.overlay }),
      volumeOverlays: host.volumeOverlays ?? {},
      hasImage,
      initPath: host.initPath,
      hasPrivatePids,
      hasPrivateIpc,
      names: host.names,
    }),
    linux: {
      namespaces,
      cgroupsPath: host.cgroupsPath,
      resources: ociResources(
        cgroupSettings(spec, host.cgroups),
        host.cgroupVersion,
        deviceRules(host.devices ?? []),
      ),
      // Those of the host are seen where its /dev is.
      devices: hasImage ? deviceNodes(host.devices ?? []) : [],
      rootfsPropagation: 'rslave',
      // Without a /proc of its own these would be hidden from the host's view as well.
      maskedPaths: hasOwnProc ? MASKED_PATHS : [],
      readonlyPaths: hasOwnProc ? READONLY_PATHS : [],
      ...(isConfined && { seccomp: defaultSeccomp(bounding, host.processor) }),
    },
  };
}

/** The container's first process. */
function ociProcess(spec: ContainerSpec, host: OciHost): OciProcess {
  const { image } = host;
  const vector =
    image === undefined ? commandVector(spec.command) : imageVector(spec.command, image);
  const base = { ...surroundings(spec, host), terminal: hasTerminal(spec) };
  if (spec.container?.linux_info?.share_pid_namespace === true) return { ...base, args: vector };
  const init = image === undefined ? host.initPath : INIT_TARGET;
  // What the first process says of itself would stand in the output at a terminal: it complains of a new size of
  // the window that comes while the task has no process group yet, or none any more.
  const env = base.terminal ? [...base.env, SILENT_INIT] : base.env;
  return { ...base, env, args: [init, '-g', '--', ...vector] };
}

/** What all processes of the container have in common, also those that are run in it later. */
export function surroundings(spec: ContainerSpec, host: OciHost): Omit<OciProcess, 'args'> {
  const { image, user } = host;
  const linux = spec.container?.linux_info;
  const { bounding, effective } = capabilitySets(linux);
  const environment =
    image === undefined ? spec.environment : imageEnvironment(image, spec.environment);
  // Only root has capabilities by being it; another account gets those that were asked for by name.
  const isAsked =
    linux?.effective_capabilities !== undefined || linux?.capability_info !== undefined;
  const held = user.uid === 0 || isAsked ? effective : [];
  return {
    terminal: false,
    user,
    env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    cwd: image === undefined ? spec.sandboxPath : imageDirectory(image, SANDBOX_TARGET),
    capabilities: {
      bounding,
      effective: held,
      permitted: held,
      inheritable: isAsked ? held : [],
      ambient: isAsked && user.uid !== 0 ? held : [],
    },
    rlimits: (spec.container?.rlimit_info?.rlimits ?? []).map(rlimit),
    noNewPrivileges: true,
  };
}

function rlimit({ type = 'UNKNOWN', soft, hard }: RLimitInfo_RLimit): OciRlimit {
  const name = RLIMIT_TYPE.exec(type)?.[1];
  if (name === undefined)
    throw containerError('CONTAINER_INVALID', `there is no resource limit '${type}'`);
  if ((soft === undefined) !== (hard === undefined))
    throw containerError('CONTAINER_INVALID', `${type}: give both hard and soft limit, or none`);
  // All ones is the kernel's word for none; JSON has no number for it but this.
  if (soft === undefined || hard === undefined)
    return { type: `RLIMIT_${name}`, soft: RLIMIT_NONE, hard: RLIMIT_NONE };
  if (soft > hard)
    throw containerError('CONTAINER_INVALID', `${type}: the soft limit is above the hard one`);
  return { type: `RLIMIT_${name}`, soft, hard };
}

/** Written as 18446744073709551615 by {@link configText}. */
export const RLIMIT_NONE = -1;

/** The text of a `config.json`; JSON of JavaScript cannot write the kernel's biggest number. */
export function configText(config: OciConfig | OciProcess): string {
  return JSON.stringify(config).replaceAll(
    `"soft":${RLIMIT_NONE},"hard":${RLIMIT_NONE}`,
    '"soft":18446744073709551615,"hard":18446744073709551615',
  );
}

function joined(type: 'pid' | 'ipc' | 'network' | 'uts', pid: number): OciNamespace {
  const file = type === 'network' ? 'net' : type;
  return { type, path: `/proc/${pid}/ns/${file}` };
}

const isPrivileged = ({ container }: ContainerSpec): boolean =>
  container?.docker?.privileged === true;

function refuseUnsupported(spec: ContainerSpec): void {
  const { container } = spec;
  if (isPrivileged(spec))
    throw containerError(
      'CONTAINER_INVALID',
      'privileged containers need the docker runtime: give effective_capabilities instead',
    );
  if ((container?.docker?.parameters ?? []).length > 0)
    throw containerError('CONTAINER_INVALID', 'parameters need the docker runtime');
  const profile = container?.linux_info?.seccomp?.profile_name;
  if (profile !== undefined && profile !== 'default')
    throw containerError('CONTAINER_INVALID', `there is no seccomp profile '${profile}'`);
}

/** What tells of the host or reaches it through files of the kernel. */
const MASKED_PATHS = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
