/** Containers as a request may write them, in the present and in the legacy notation. */

import { isJsonObject } from '@dcos/base';
import type {
  DockerParameter,
  HostVolume,
  IpcInfo,
  LinuxInfo,
  PortMapping,
  Seccomp,
  SecretReference,
} from './app-definition.ts';
import { compact } from './compact.ts';
import {
  readBoolean,
  readEnum,
  readInteger,
  readList,
  readObject,
  readText,
  type Read,
} from './json-reader.ts';
import { readPortMapping } from './raw-network.ts';

export type LegacyDockerNetwork = 'BRIDGE' | 'HOST' | 'USER' | 'NONE';

export interface RawDocker {
  readonly image: string;
  readonly forcePullImage: boolean;
  readonly privileged: boolean;
  readonly parameters: readonly DockerParameter[];
  readonly pullConfig?: SecretReference;
  /** Obsolete; refused. */
  readonly credential?: true;
  /** Legacy: becomes `networks`. */
  readonly network?: LegacyDockerNetwork;
  /** Legacy place. */
  readonly portMappings?: readonly PortMapping[];
}

/** A volume of a kind that is not there yet. */
export interface UnsupportedVolume {
  readonly unsupported: 'persistent' | 'external' | 'secret';
}

export type RawVolume = HostVolume | UnsupportedVolume;

export interface RawContainer {
  readonly type: 'DOCKER' | 'MESOS';
  readonly docker?: RawDocker;
  readonly portMappings?: readonly PortMapping[];
  readonly volumes: readonly RawVolume[];
  readonly linuxInfo?: LinuxInfo;
}

const readParameter: Read<DockerParameter> = readObject((fields) => ({
  key: fields.required('key', readText({ lengthMin: 1 })),
  value: fields.required('value', readText()),
}));

const readPullConfig: Read<SecretReference> = readObject((fields) => ({
  secret: fields.required('secret', readText({ lengthMin: 1 })),
}));

const readDocker: Read<RawDocker> = readObject((fields) =>
  compact({
    image: fields.required('image', readText({ lengthMin: 1 })),
    forcePullImage: fields.withDefault('forcePullImage', readBoolean, false),
    privileged: fields.withDefault('privileged', readBoolean, false),
    parameters: fields.withDefault('parameters', readList(readParameter), []),
    pullConfig: fields.optional('pullConfig', readPullConfig),
    credential: fields.has('credential') ? (true as const) : undefined,
    network: fields.optional('network', readEnum(['BRIDGE', 'HOST', 'USER', 'NONE'])),
    portMappings: fields.optional('portMappings', readList(readPortMapping)),
  }),
);

const readHostVolume: Read<HostVolume> = readObject((fields) => ({
  containerPath: fields.required('containerPath', readText({ lengthMin: 1 })),
  hostPath: fields.required('hostPath', readText({ lengthMin: 1 })),
  mode: fields.required('mode', readEnum(['RO', 'RW'])),
}));

/** The key that is there decides which kind of volume it is. */
const readVolume: Read<RawVolume> = (value, path, violations) => {
  if (isJsonObject(value)) {
    for (const unsupported of ['persistent', 'external', 'secret'] as const) {
      if (value[unsupported] !== undefined && value[unsupported] !== null) return { unsupported };
    }
  }
  return readHostVolume(value, path, violations);
};

const readSeccomp: Read<Seccomp> = readObject((fields) =>
  compact({
    profileName: fields.optional('profileName', readText({ lengthMin: 1 })),
    unconfined: fields.withDefault('unconfined', readBoolean, false),
  }),
);

const readIpcInfo: Read<IpcInfo> = readObject((fields) =>
  compact({
    mode: fields.withDefault('mode', readEnum(['PRIVATE', 'SHARE_PARENT']), 'PRIVATE'),
    shmSize: fields.optional('shmSize', readInteger({ min: 0 })),
  }),
);

const readLinuxInfo: Read<LinuxInfo> = readObject((fields) =>
  compact({
    seccomp: fields.optional('seccomp', readSeccomp),
    ipcInfo: fields.optional('ipcInfo', readIpcInfo),
  }),
);

export const readContainer: Read<RawContainer> = readObject((fields) =>
  compact({
    type: fields.withDefault('type', readEnum(['DOCKER', 'MESOS']), 'DOCKER'),
    docker: fields.optional('docker', readDocker),
    portMappings: fields.optional('portMappings', readList(readPortMapping)),
    volumes: fields.withDefault('volumes', readList(readVolume), []),
    linuxInfo: fields.optional('linuxInfo', readLinuxInfo),
  }),
);
