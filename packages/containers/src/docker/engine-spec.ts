/**
 * A container spec in the engine's words. Pure, so that every field can be tested without an engine.
 * Source: mesos-kernel §6.5.
 */

import type { NetworkInfo } from '@dcos/wire';
import { dnsOf, type DnsDefault } from '../container-dns.ts';
import { cpuSharesOf } from '../cpu-shares.ts';
import { containerError } from '../errors.ts';
import { gpuPaths } from '../gpu-devices.ts';
import { SANDBOX_TARGET } from '../oci/mounts.ts';
import type { ContainerSpec } from '../runtime.ts';
import { hasTerminal, windowOf } from '../session.ts';
import { applyVolume, bind } from './engine-volumes.ts';
import { applyParameter } from './parameters.ts';

/** Label that holds the agent that a container belongs to. */
export const OWNER_LABEL = 'org.dcos.agent';
/** Label that holds the container's id. */
export const CONTAINER_LABEL = 'org.dcos.container';
/** Length of the period that a quota is for. */
const PERIOD_US = 100_000;
/** Less than this an engine may refuse. */
const MEMORY_BYTES_MIN = 32 * 1024 * 1024;

/** A container on a network. */
export interface EngineEndpoint {
  Aliases: string[];
  IPAMConfig: { IPv4Address?: string; IPv6Address?: string };
}

/** What is sent to the engine; lists and maps are always there, so that parameters can add to them. */
export interface EngineSpec {
  name: string;
  Image: string;
  Env: string[];
  Labels: Record<string, string>;
  ExposedPorts: Record<string, object>;
  Entrypoint?: string[];
  Cmd?: string[];
  Hostname?: string;
  Domainname?: string;
  User?: string;
  WorkingDir?: string;
  StopSignal?: string;
  AttachStdout: false;
  AttachStderr: false;
  Tty: boolean;
  /** Somebody may type. */
  OpenStdin: boolean;
  HostConfig: {
    Binds: string[];
    Mounts: {
      Type: 'volume';
      Source: string;
      Target: string;
      ReadOnly: boolean;
      VolumeOptions: {
        NoCopy: boolean;
        Labels: Record<string, string>;
        DriverConfig: { Name: string; Options: Record<string, string> };
      };
    }[];
    NetworkMode: string;
    PortBindings: Record<string, { HostIp: string; HostPort: string }[]>;
    /** Rows and columns of its terminal. */
    ConsoleSize?: [number, number];
    Privileged: boolean;
    CpuShares: number;
    Memory?: number;
    LogConfig: { Type: 'json-file'; Config: Readonly<Record<string, string>> };
    ExtraHosts: string[];
    CapAdd: string[];
    CapDrop: string[];
    DeviceCgroupRules: string[];
    Links: string[];
    StorageOpt: Record<string, string>;
    VolumesFrom: string[];
    Devices: { PathOnHost: string; PathInContainer: string; CgroupPermissions: string }[];
    Dns: string[];
    DnsOptions: string[];
    DnsSearch: string[];
    GroupAdd: string[];
    SecurityOpt: string[];
    Sysctls: Record<string, string>;
    Tmpfs: Record<string, string>;
    Ulimits: { Name: string; Soft: number; Hard: number }[];
    BlkioWeight?: number;
    CgroupParent?: string;
    CpusetMems?: string;
    MemorySwappiness?: number;
    Runtime?: string;
    UsernsMode?: string;
    UTSMode?: string;
    CpuPeriod?: number;
    CpuQuota?: number;
    CpusetCpus?: string;
    NanoCpus?: number;
    Init?: boolean;
    IpcMode?: string;
    MemoryReservation?: number;
    MemorySwap?: number;
    OomKillDisable?: boolean;
    OomScoreAdj?: number;
    PidMode?: string;
    PidsLimit?: number;
    ReadonlyRootfs?: boolean;
    ShmSize?: number;
    VolumeDriver?: string;
  };
  NetworkingConfig: { EndpointsConfig: Record<string, EngineEndpoint> };
}

export interface EngineSpecOptions {
  readonly spec: ContainerSpec;
  /** Value of the owner label. */
  readonly owner: string;
  /** Address that mapped ports are published on. */
  readonly hostIp: string;
  /** The operator's defaults by network. */
  readonly dns?: readonly DnsDefault[] | undefined;
}

/** Name of a container at the engine; the original's, which tools look for. */
export const engineName = (id: string): string => `mesos-${id}`;

/** The image with its tag: without one the engine would take all of them. */
export function imageReference(image: string): string {
  const lastPart = image.slice(image.lastIndexOf('/') + 1);
  return lastPart.includes(':') || image.includes('@') ? image : `${image}:latest`;
}

/** Translates. Throws CONTAINER_INVALID with the field that cannot be honoured. */
export function engineSpec({ spec, owner, hostIp, dns }: EngineSpecOptions): EngineSpec {
  const { container, command } = spec;
  const docker = container?.docker;
  if (docker === undefined || docker.image === '') {
    throw containerError('CONTAINER_INVALID', 'container.docker.image is missing');
  }
  const engine: EngineSpec = {
    name: engineName(spec.id),
    Image: imageReference(docker.image),
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: { [OWNER_LABEL]: owner, [CONTAINER_LABEL]: spec.id },
    ExposedPorts: {},
    AttachStdout: false,
    AttachStderr: false,
    Tty: hasTerminal(spec),
    OpenStdin: hasTerminal(spec),
    HostConfig: {
      Binds: [],
      Mounts: [],
      NetworkMode: networkMode(spec),
      PortBindings: {},
      Privileged: docker.privileged ?? false,
      CpuShares: cpuSharesOf(spec),
      // The sandbox files are filled from the engine's own log, whatever its default is.
      LogConfig: { Type: 'json-file', Config: {} },
      ExtraHosts: [],
      CapAdd: [],
      CapDrop: [],
      Devices: gpuPaths(spec.gpus ?? []).map((path) => ({
        PathOnHost: path,
        PathInContainer: path,
        CgroupPermissions: 'rwm',
      })),
      DeviceCgroupRules: [],
      Links: [],
      StorageOpt: {},
      VolumesFrom: [],
      Dns: [],
      DnsOptions: [],
      DnsSearch: [],
      GroupAdd: [],
      SecurityOpt: [],
      Sysctls: {},
      Tmpfs: {},
      Ulimits: [],
    },
    NetworkingConfig: { EndpointsConfig: {} },
  };
  if (hasTerminal(spec)) {
    const { rows, columns } = windowOf(container?.tty_info?.window_size);
    engine.HostConfig.ConsoleSize = [rows, columns];
  }
  if (spec.memoryBytes > 0) {
    engine.HostConfig.Memory = Math.max(MEMORY_BYTES_MIN, Math.round(spec.memoryBytes));
  }
  applyLimits(engine, spec);
  if (command.user !== undefined) engine.User = command.user;
  if (container?.hostname !== undefined) engine.Hostname = container.hostname;
  if (docker.volume_driver !== undefined) engine.HostConfig.VolumeDriver = docker.volume_driver;
  applyCommand(engine, spec);
  applyPorts(engine, spec, hostIp);
  engine.HostConfig.Binds.push(bind(spec.sandboxPath, SANDBOX_TARGET, 'rw'));
  for (const volume of container?.volumes ?? []) applyVolume(engine, volume, spec);
  applyDns(engine, spec, dns);
  for (const { key, value } of docker.parameters ?? []) applyParameter(engine, key, value);
  // Written last: a parameter must not take a container out of our sight.
  engine.Labels[OWNER_LABEL] = owner;
  engine.Labels[CONTAINER_LABEL] = spec.id;
  return engine;
}

/** With a limit of its own the request is only what is not taken back lightly. */
function applyLimits({ HostConfig }: EngineSpec, { limits, memoryBytes }: ContainerSpec): void {
  if (limits?.memoryBytes !== undefined) {
    if (memoryBytes > 0) HostConfig.MemoryReservation = Math.round(memoryBytes);
    if (Number.isFinite(limits.memoryBytes))
      HostConfig.Memory = Math.max(MEMORY_BYTES_MIN, Math.round(limits.memoryBytes));
    else delete HostConfig.Memory;
  }
  if (limits?.cpus !== undefined && Number.isFinite(limits.cpus)) {
    HostConfig.CpuPeriod = PERIOD_US;
    HostConfig.CpuQuota = Math.round(limits.cpus * PERIOD_US);
  }
}

/** A shell command replaces the image's entry point; arguments are handed to it. */
function applyCommand(engine: EngineSpec, { command }: ContainerSpec): void {
  const { value } = command;
  if (command.shell ?? true) {
    if (value === undefined) {
      throw containerError('CONTAINER_INVALID', 'a shell command needs a value');
    }
    engine.Entrypoint = ['/bin/sh'];
    engine.Cmd = ['-c', value];
    return;
  }
  const own = [...(command.arguments ?? [])];
  // The original puts `value` before the arguments, the first of which repeats it for plain processes.
  if (value !== undefined && own[0] !== value) own.unshift(value);
  if (own.length > 0) engine.Cmd = own;
}

function networkMode({ container }: ContainerSpec): string {
  const network = container?.docker?.network ?? 'HOST';
  if (network !== 'USER') return network.toLowerCase();
  const infos: readonly NetworkInfo[] = container?.network_infos ?? [];
  const [first] = infos;
  if (infos.length !== 1 || first?.name === undefined) {
    throw containerError(
      'CONTAINER_INVALID',
      'network USER needs exactly one entry in network_infos, with a name',
    );
  }
  return first.name;
}

/** What a task adds by parameters comes after it. */
function applyDns(
  { HostConfig }: EngineSpec,
  { container }: ContainerSpec,
  defaults: readonly DnsDefault[] = [],
): void {
  const mode = container?.docker?.network ?? 'HOST';
  if (mode === 'NONE') return;
  const dns = dnsOf(defaults, mode, container?.network_infos?.[0]?.name);
  HostConfig.Dns.push(...(dns?.nameservers ?? []));
  HostConfig.DnsSearch.push(...(dns?.search ?? []));
  HostConfig.DnsOptions.push(...(dns?.options ?? []));
}

function applyPorts(engine: EngineSpec, { container }: ContainerSpec, hostIp: string): void {
  const docker = container?.docker;
  const mappings = docker?.port_mappings ?? [];
  if (mappings.length === 0) return;
  const network = docker?.network ?? 'HOST';
  if (network !== 'BRIDGE' && network !== 'USER') {
    throw containerError(
      'CONTAINER_INVALID',
      `port mappings need network BRIDGE or USER, not ${network}`,
    );
  }
  for (const { host_port, container_port, protocol } of mappings) {
    const key = `${container_port}/${(protocol ?? 'tcp').toLowerCase()}`;
    engine.ExposedPorts[key] = {};
    (engine.HostConfig.PortBindings[key] ??= []).push({
      HostIp: hostIp,
      HostPort: String(host_port),
    });
  }
}
