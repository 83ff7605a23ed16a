/**
 * `DockerInfo.parameters`: options of `docker run` by their long or short names, as key and value. They become
 * fields of the engine's API. An option that is not in the table is refused, never ignored: a container that
 * silently lacks what its author asked for is worse than one that does not start.
 */

import { containerError } from '../errors.ts';
import type { EngineEndpoint, EngineSpec } from './engine-spec.ts';

type Apply = (spec: EngineSpec, value: string) => void;

const OPTIONS: Readonly<Record<string, Apply>> = {
  'add-host': (spec, value) => void spec.HostConfig.ExtraHosts.push(value),
  'blkio-weight': (spec, value) => void (spec.HostConfig.BlkioWeight = whole(value)),
  'cap-add': (spec, value) => void spec.HostConfig.CapAdd.push(value),
  'cap-drop': (spec, value) => void spec.HostConfig.CapDrop.push(value),
  'cgroup-parent': (spec, value) => void (spec.HostConfig.CgroupParent = value),
  'cpu-period': (spec, value) => void (spec.HostConfig.CpuPeriod = whole(value)),
  'cpu-quota': (spec, value) => void (spec.HostConfig.CpuQuota = whole(value)),
  'cpuset-cpus': (spec, value) => void (spec.HostConfig.CpusetCpus = value),
  'cpuset-mems': (spec, value) => void (spec.HostConfig.CpusetMems = value),
  cpus: (spec, value) => void (spec.HostConfig.NanoCpus = Math.round(decimal(value) * 1e9)),
  device: (spec, value) => {
    const [host = '', container = host, permissions = 'rwm'] = value.split(':');
    spec.HostConfig.Devices.push({
      PathOnHost: host,
      PathInContainer: container,
      CgroupPermissions: permissions,
    });
  },
  'device-cgroup-rule': (spec, value) => void spec.HostConfig.DeviceCgroupRules.push(value),
  dns: (spec, value) => void spec.HostConfig.Dns.push(value),
  'dns-option': (spec, value) => void spec.HostConfig.DnsOptions.push(value),
  'dns-search': (spec, value) => void spec.HostConfig.DnsSearch.push(value),
  domainname: (spec, value) => void (spec.Domainname = value),
  entrypoint: (spec, value) => void (spec.Entrypoint = [value]),
  env: (spec, value) => void spec.Env.push(value),
  expose: (spec, value) =>
    void (spec.ExposedPorts[value.includes('/') ? value : `${value}/tcp`] = {}),
  'group-add': (spec, value) => void spec.HostConfig.GroupAdd.push(value),
  hostname: (spec, value) => void (spec.Hostname = value),
  init: (spec, value) => void (spec.HostConfig.Init = flag(value)),
  ip: (spec, value) => void (addressesAt(spec).IPv4Address = value),
  ip6: (spec, value) => void (addressesAt(spec).IPv6Address = value),
  ipc: (spec, value) => void (spec.HostConfig.IpcMode = value),
  label: (spec, value) => {
    const [key, text] = pair(value);
    spec.Labels[key] = text;
  },
  link: (spec, value) => void spec.HostConfig.Links.push(value),
  'memory-reservation': (spec, value) => void (spec.HostConfig.MemoryReservation = bytes(value)),
  'memory-swap': (spec, value) => void (spec.HostConfig.MemorySwap = bytes(value)),
  'memory-swappiness': (spec, value) => void (spec.HostConfig.MemorySwappiness = whole(value)),
  'network-alias': (spec, value) => void endpointAt(spec).Aliases.push(value),
  'oom-kill-disable': (spec, value) => void (spec.HostConfig.OomKillDisable = flag(value)),
  'oom-score-adj': (spec, value) => void (spec.HostConfig.OomScoreAdj = whole(value)),
  pid: (spec, value) => void (spec.HostConfig.PidMode = value),
  'pids-limit': (spec, value) => void (spec.HostConfig.PidsLimit = whole(value)),
  privileged: (spec, value) => void (spec.HostConfig.Privileged = flag(value)),
  'read-only': (spec, value) => void (spec.HostConfig.ReadonlyRootfs = flag(value)),
  runtime: (spec, value) => void (spec.HostConfig.Runtime = value),
  'security-opt': (spec, value) => void spec.HostConfig.SecurityOpt.push(value),
  'shm-size': (spec, value) => void (spec.HostConfig.ShmSize = bytes(value)),
  'stop-signal': (spec, value) => void (spec.StopSignal = value),
  'storage-opt': (spec, value) => {
    const [key, text] = pair(value);
    spec.HostConfig.StorageOpt[key] = text;
  },
  sysctl: (spec, value) => {
    const [key, text] = pair(value);
    spec.HostConfig.Sysctls[key] = text;
  },
  tmpfs: (spec, value) => {
    const colon = value.indexOf(':');
    const path = colon === -1 ? value : value.slice(0, colon);
    spec.HostConfig.Tmpfs[path] = colon === -1 ? '' : value.slice(colon + 1);
  },
  ulimit: (spec, value) => {
    const [name, limits] = pair(value);
    const [soft = '', hard = soft] = limits.split(':');
    spec.HostConfig.Ulimits.push({ Name: name, Soft: whole(soft), Hard: whole(hard) });
  },
  user: (spec, value) => void (spec.User = value),
  userns: (spec, value) => void (spec.HostConfig.UsernsMode = value),
  uts: (spec, value) => void (spec.HostConfig.UTSMode = value),
  volume: (spec, value) => void spec.HostConfig.Binds.push(value),
  'volume-driver': (spec, value) => void (spec.HostConfig.VolumeDriver = value),
  'volumes-from': (spec, value) => void spec.HostConfig.VolumesFrom.push(value),
  workdir: (spec, value) => void (spec.WorkingDir = value),
};

/** What a container is on its network; only one of the operator's or a user's knows names and fixed addresses. */
function endpointAt(spec: EngineSpec): EngineEndpoint {
  const network = spec.HostConfig.NetworkMode;
  if (['host', 'bridge', 'none'].includes(network))
    throw new Error(`the network '${network}' has neither aliases nor fixed addresses`);
  return (spec.NetworkingConfig.EndpointsConfig[network] ??= { Aliases: [], IPAMConfig: {} });
}

function addressesAt(spec: EngineSpec): EngineEndpoint['IPAMConfig'] {
  return endpointAt(spec).IPAMConfig;
}

/** Short and older names. */
const ALIASES: Readonly<Record<string, string>> = {
  e: 'env',
  h: 'hostname',
  l: 'label',
  u: 'user',
  v: 'volume',
  w: 'workdir',
  'dns-opt': 'dns-option',
  'net-alias': 'network-alias',
};

/** Applies one parameter. Throws CONTAINER_INVALID for an unknown key or an impossible value. */
export function applyParameter(spec: EngineSpec, key: string, value: string): void {
  const name = ALIASES[key] ?? key;
  const apply = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  if (apply === undefined) {
    const known = Object.keys(OPTIONS).join(', ');
    throw containerError(
      'CONTAINER_INVALID',
      `docker parameter '${key}' is not supported; known are ${known}`,
    );
  }
  try {
    apply(spec, value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw containerError(
      'CONTAINER_INVALID',
      `docker parameter '${key}' has the value '${value}': ${reason}`,
    );
  }
}

function pair(value: string): readonly [string, string] {
  const equals = value.indexOf('=');
  return equals === -1 ? [value, ''] : [value.slice(0, equals), value.slice(equals + 1)];
}

function decimal(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number)) throw new Error('expected a number');
  return number;
}

function whole(value: string): number {
  const number = decimal(value);
  if (!Number.isSafeInteger(number)) throw new Error('expected a whole number');
  return number;
}

function flag(value: string): boolean {
  if (value === '' || value === 'true') return true;
  if (value === 'false') return false;
  throw new Error('expected true or false');
}

const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** `64m`, `1g`, `-1`. */
function bytes(value: string): number {
  const [, amount = '', unit = 'b'] = /^(-?\d+(?:\.\d+)?)([bkmg])?b?$/i.exec(value) ?? [];
  return Math.round(decimal(amount) * (UNITS[unit.toLowerCase()] ?? 1));
}
