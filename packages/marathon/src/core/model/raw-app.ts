/**
 * An app as a request may write it: every field optional, both the present and the legacy notation.
 *
 * The types and bounds of single fields are decided here; what goes together is decided later, when the
 * legacy notation has been translated (`legacy-notation.ts`) and the defaults are known.
 */

import { isJsonObject } from '@dcos/base';
import { INSTANCES_PER_APP_MAX } from './app-definition.ts';
import type {
  AppCheck,
  AppHealthCheck,
  EnvironmentValue,
  ExecutorResources,
  FetchUri,
  KillSelection,
  Network,
  PortDefinition,
  ReadinessCheck,
  ResourceLimits,
  StringMap,
  UnreachableStrategy,
  UpgradeStrategy,
} from './app-definition.ts';
import { compact } from './compact.ts';
import {
  readBoolean,
  readEither,
  readEnum,
  readInteger,
  readList,
  readMap,
  readNumber,
  readObject,
  readText,
  noteViolation,
  unread,
  type Fields,
  type Read,
} from './json-reader.ts';
import { isPathText } from './path-id.ts';
import { readCheck, readHealthCheck, readReadinessCheck } from './raw-checks.ts';
import { readContainer, type RawContainer } from './raw-container.ts';
import {
  readIpAddress,
  readNetwork,
  readPortDefinition,
  type RawIpAddress,
} from './raw-network.ts';
import { readConstraint, type RawConstraint } from './constraint.ts';

export interface RawApp {
  readonly id?: string;
  readonly cmd?: string;
  readonly args?: readonly string[];
  readonly instances?: number;
  readonly cpus?: number;
  readonly mem?: number;
  readonly disk?: number;
  readonly gpus?: number;
  readonly executor?: string;
  readonly executorResources?: ExecutorResources;
  readonly user?: string;
  readonly env?: Readonly<Record<string, EnvironmentValue>>;
  readonly labels?: StringMap;
  readonly secrets?: Readonly<Record<string, { readonly source: string }>>;
  readonly constraints?: readonly RawConstraint[];
  readonly acceptedResourceRoles?: readonly string[];
  readonly role?: string;
  readonly container?: RawContainer;
  readonly networks?: readonly Network[];
  readonly portDefinitions?: readonly PortDefinition[];
  readonly requirePorts?: boolean;
  readonly fetch?: readonly FetchUri[];
  readonly healthChecks?: readonly AppHealthCheck[];
  readonly check?: AppCheck;
  readonly readinessChecks?: readonly ReadinessCheck[];
  readonly dependencies?: readonly string[];
  readonly upgradeStrategy?: UpgradeStrategy;
  readonly backoffSeconds?: number;
  readonly backoffFactor?: number;
  readonly maxLaunchDelaySeconds?: number;
  readonly taskKillGracePeriodSeconds?: number;
  readonly killSelection?: KillSelection;
  readonly unreachableStrategy?: UnreachableStrategy;
  readonly resourceLimits?: ResourceLimits;
  readonly tty?: boolean;
  /** On update: go back to this version. */
  readonly version?: string;
  /** Legacy: becomes `portDefinitions`. */
  readonly ports?: readonly number[];
  /** Legacy: becomes `fetch`. */
  readonly uris?: readonly string[];
  /** Legacy: becomes `networks` and `container.portMappings`. */
  readonly ipAddress?: RawIpAddress;
  /** The fields that the request wrote, for rules about what goes together. */
  readonly written: ReadonlySet<string>;
}

const URI_LENGTH_MAX = 1024;
const EXECUTOR = /^(|\/\/cmd|\/?[^/]+(\/[^/]+)*)$/;

/** Fields beside which `version` may not stand: everything but the id. */
const CONTENT_FIELDS = [
  'cmd',
  'args',
  'instances',
  'cpus',
  'mem',
  'disk',
  'gpus',
  'executor',
  'executorResources',
  'user',
  'env',
  'labels',
  'secrets',
  'constraints',
  'acceptedResourceRoles',
  'role',
  'container',
  'networks',
  'portDefinitions',
  'requirePorts',
  'fetch',
  'healthChecks',
  'check',
  'readinessChecks',
  'dependencies',
  'upgradeStrategy',
  'backoffSeconds',
  'backoffFactor',
  'maxLaunchDelaySeconds',
  'taskKillGracePeriodSeconds',
  'killSelection',
  'unreachableStrategy',
  'residency',
  'resourceLimits',
  'tty',
  'ports',
  'uris',
  'ipAddress',
] as const;

/** A path id as text; whether it names something is decided when its base is known. */
export const readPathText: Read<string> = (value, path, violations) => {
  const text = readText({ lengthMin: 1 })(value, path, violations);
  if (typeof text !== 'string') return text;
  return isPathText(text) ? text : unread(path, 'error.pattern', violations);
};

const readFetchUri: Read<FetchUri> = readObject((fields) =>
  compact({
    uri: fields.required('uri', readText({ lengthMax: URI_LENGTH_MAX })),
    extract: fields.withDefault('extract', readBoolean, true),
    executable: fields.withDefault('executable', readBoolean, false),
    cache: fields.withDefault('cache', readBoolean, false),
    destPath: fields.optional('destPath', readText()),
  }),
);

const readEnvironmentValue: Read<EnvironmentValue> = readEither(
  (value) => typeof value !== 'object',
  readText(),
  readObject((fields) => ({ secret: fields.required('secret', readText({ lengthMin: 1 })) })),
);

const share = readNumber({ min: 0, max: 1 });

const readUpgradeStrategy: Read<UpgradeStrategy> = readObject((fields) => ({
  minimumHealthCapacity: fields.required('minimumHealthCapacity', share),
  maximumOverCapacity: fields.required('maximumOverCapacity', share),
}));

const readUnreachableStrategy: Read<UnreachableStrategy> = readEither(
  (value) => typeof value === 'string',
  readEnum(['disabled']),
  readObject((fields) => ({
    inactiveAfterSeconds: fields.withDefault('inactiveAfterSeconds', readInteger({ min: 0 }), 0),
    expungeAfterSeconds: fields.withDefault('expungeAfterSeconds', readInteger({ min: 0 }), 0),
  })),
);

const readExecutorResources: Read<ExecutorResources> = readObject((fields) => ({
  cpus: fields.withDefault('cpus', readNumber({ min: 0.1 }), 0.1),
  mem: fields.withDefault('mem', readNumber({ min: 32 }), 32),
  disk: fields.withDefault('disk', readNumber({ min: 10 }), 10),
}));

const readLimit: Read<number | 'unlimited'> = readEither(
  (value) => typeof value === 'string',
  readEnum(['unlimited']),
  readNumber({ min: 0 }),
);

const readResourceLimits: Read<ResourceLimits> = readObject((fields) =>
  compact({
    cpus: fields.optional('cpus', readLimit),
    mem: fields.optional('mem', readLimit),
  }),
);

const readSecret = readObject((fields) => ({
  source: fields.required('source', readText({ lengthMin: 1 })),
}));

/** Reads an app; everything is optional. */
export const readApp: Read<RawApp> = readObject((fields) =>
  compact({
    id: fields.optional('id', readPathText),
    ...readCommand(fields),
    ...readQuantities(fields),
    ...readPlacement(fields),
    ...readNetworking(fields),
    ...readLifecycle(fields),
    version: fields.optional('version', readText()),
    written: new Set(CONTENT_FIELDS.filter((name) => fields.has(name))),
  }),
);

/** Reads an app that must name itself. */
export const readAppWithId: Read<RawApp> = (value, path, violations) => {
  const app = readApp(value, path, violations);
  if (isJsonObject(value) && (value.id === undefined || value.id === null)) {
    noteViolation(`${path}/id`, 'error.path.missing', violations);
  }
  return app;
};

function readCommand(fields: Fields) {
  return {
    cmd: fields.optional('cmd', readText({ lengthMin: 1 })),
    args: fields.optional('args', readList(readText())),
    user: fields.optional('user', readText()),
    env: fields.optional('env', readMap(readEnvironmentValue)),
    labels: fields.optional('labels', readMap(readText())),
    secrets: fields.optional('secrets', readMap(readSecret)),
    fetch: fields.optional('fetch', readList(readFetchUri)),
    uris: fields.optional('uris', readList(readText())),
    executor: fields.optional('executor', readText({ pattern: EXECUTOR })),
    tty: fields.optional('tty', readBoolean),
  };
}

function readQuantities(fields: Fields) {
  return {
    instances: fields.optional('instances', readInteger({ min: 0, max: INSTANCES_PER_APP_MAX })),
    cpus: fields.optional('cpus', readNumber({ min: 0.001 })),
    mem: fields.optional('mem', readNumber({ min: 0 })),
    disk: fields.optional('disk', readNumber({ min: 0 })),
    gpus: fields.optional('gpus', readInteger({ min: 0 })),
    executorResources: fields.optional('executorResources', readExecutorResources),
    resourceLimits: fields.optional('resourceLimits', readResourceLimits),
  };
}

function readPlacement(fields: Fields) {
  return {
    constraints: fields.optional('constraints', readList(readConstraint)),
    acceptedResourceRoles: fields.optional('acceptedResourceRoles', readList(readText())),
    role: fields.optional('role', readText()),
    dependencies: fields.optional('dependencies', readList(readPathText)),
  };
}

function readNetworking(fields: Fields) {
  return {
    container: fields.optional('container', readContainer),
    networks: fields.optional('networks', readList(readNetwork)),
    portDefinitions: fields.optional('portDefinitions', readList(readPortDefinition)),
    requirePorts: fields.optional('requirePorts', readBoolean),
    ports: fields.optional('ports', readList(readInteger({ min: 0, max: 65_535 }))),
    ipAddress: fields.optional('ipAddress', readIpAddress),
  };
}

function readLifecycle(fields: Fields) {
  const seconds = readInteger({ min: 0 });
  return {
    healthChecks: fields.optional('healthChecks', readList(readHealthCheck)),
    check: fields.optional('check', readCheck),
    readinessChecks: fields.optional('readinessChecks', readList(readReadinessCheck)),
    upgradeStrategy: fields.optional('upgradeStrategy', readUpgradeStrategy),
    unreachableStrategy: fields.optional('unreachableStrategy', readUnreachableStrategy),
    backoffSeconds: fields.optional('backoffSeconds', seconds),
    backoffFactor: fields.optional('backoffFactor', readNumber({ min: 1 })),
    maxLaunchDelaySeconds: fields.optional('maxLaunchDelaySeconds', seconds),
    taskKillGracePeriodSeconds: fields.optional('taskKillGracePeriodSeconds', seconds),
    killSelection: fields.optional('killSelection', readEnum(['YOUNGEST_FIRST', 'OLDEST_FIRST'])),
  };
}
