/**
 * The app definition in its canonical form (1.5 and later), as plain data: what everything but the reader
 * of requests works with.
 *
 * Invariants: every default is filled in, legacy notations are translated, ids are absolute and normalised,
 * service ports are assigned once the app is part of a root group. The value holds only what JSON can say,
 * so that it is stored as it is; an optional field that is not set is absent, never undefined.
 * Source: behaviour of Marathon 1.10 and 1.11.
 */

/** An absolute, normalised path id such as `/shop/cart`; `/` is the root group. */
export type PathId = string;

/**
 * A version: UTC, exactly three digits of a second, such as `2015-09-30T09:09:17.614Z`. Of fixed width, so
 * that the order of the texts is the order of the instants.
 */
export type Version = string;

export type StringMap = Readonly<Record<string, string>>;

export interface SecretReference {
  readonly secret: string;
}

export type EnvironmentValue = string | SecretReference;

export type ConstraintOperator =
  | 'UNIQUE'
  | 'CLUSTER'
  | 'GROUP_BY'
  | 'LIKE'
  | 'MAX_PER'
  | 'UNLIKE'
  | 'IS';

/** Written as `[field, operator]` or `[field, operator, value]`. */
export interface Constraint {
  /** `hostname`, `@hostname`, `@region`, `@zone`, or the name of an agent attribute. */
  readonly field: string;
  readonly operator: ConstraintOperator;
  readonly value?: string;
}

export type NetworkMode = 'host' | 'container' | 'container/bridge';

export interface Network {
  readonly mode: NetworkMode;
  /** Container mode only, and then always there. */
  readonly name?: string;
  readonly labels: StringMap;
}

export type PortProtocol = 'tcp' | 'udp' | 'udp,tcp';

/** A port of an app in container or bridge mode. */
export interface PortMapping {
  /** 0 means the number of the allocated host port. */
  readonly containerPort: number;
  /** 0 means any offered port, absent means that no host port is used. */
  readonly hostPort?: number;
  /** 0 only until the app is put into a root group. */
  readonly servicePort: number;
  readonly protocol: PortProtocol;
  readonly name?: string;
  readonly labels: StringMap;
  /** Empty means all networks of the app. */
  readonly networkNames: readonly string[];
}

/** A port of an app in host mode. */
export interface PortDefinition {
  /** Service port; with `requirePorts` the host port too. 0 only until the app is put into a root group. */
  readonly port: number;
  readonly protocol: PortProtocol;
  readonly name?: string;
  readonly labels: StringMap;
}

export interface DockerParameter {
  readonly key: string;
  readonly value: string;
}

export interface DockerImage {
  readonly image: string;
  readonly forcePullImage: boolean;
  /** Docker engine only; false otherwise. */
  readonly privileged: boolean;
  /** Docker engine only; empty otherwise. */
  readonly parameters: readonly DockerParameter[];
  readonly pullConfig?: SecretReference;
}

/** A folder of the agent inside the container. Other kinds of volumes are refused for now. */
export interface HostVolume {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly mode: 'RO' | 'RW';
}

export type Volume = HostVolume;

export interface Seccomp {
  readonly profileName?: string;
  readonly unconfined: boolean;
}

export interface IpcInfo {
  readonly mode: 'PRIVATE' | 'SHARE_PARENT';
  /** MiB. */
  readonly shmSize?: number;
}

export interface LinuxInfo {
  readonly seccomp?: Seccomp;
  readonly ipcInfo?: IpcInfo;
}

export interface Container {
  /** DOCKER: the Docker engine runs it; MESOS: the agent's own containerizer, with or without an image. */
  readonly type: 'DOCKER' | 'MESOS';
  readonly docker?: DockerImage;
  readonly portMappings: readonly PortMapping[];
  readonly volumes: readonly Volume[];
  readonly linuxInfo?: LinuxInfo;
}

export interface FetchUri {
  readonly uri: string;
  readonly extract: boolean;
  readonly executable: boolean;
  readonly cache: boolean;
  readonly destPath?: string;
}

export type MarathonProtocol = 'HTTP' | 'HTTPS' | 'TCP';
export type MesosProtocol = 'MESOS_HTTP' | 'MESOS_HTTPS' | 'MESOS_TCP' | 'COMMAND';
export type HealthCheckProtocol = MarathonProtocol | MesosProtocol;

export interface AppHealthCheck {
  /** HTTP, HTTPS and TCP are probed by the scheduler, the others by the executor. */
  readonly protocol: HealthCheckProtocol;
  /** HTTP family only; absent means `/`. */
  readonly path?: string;
  /** Index of a port of the app. */
  readonly portIndex?: number;
  /** A fixed port; wins over the index. */
  readonly port?: number;
  /** COMMAND only: a shell line. */
  readonly command?: { readonly value: string };
  readonly gracePeriodSeconds: number;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly maxConsecutiveFailures: number;
  /** Only the Mesos protocols heed it. */
  readonly delaySeconds: number;
  readonly ignoreHttp1xx: boolean;
  readonly ipProtocol: 'IPv4' | 'IPv6';
}

export type CheckCommand = { readonly shell: string } | { readonly argv: readonly string[] };

/** A generic check: exactly one of `http`, `tcp`, `exec` is set. Its result is shown, nothing else. */
export interface AppCheck {
  readonly http?: {
    readonly portIndex?: number;
    readonly port?: number;
    readonly path?: string;
    readonly scheme: 'HTTP' | 'HTTPS';
  };
  readonly tcp?: { readonly portIndex?: number; readonly port?: number };
  readonly exec?: { readonly command: CheckCommand };
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly delaySeconds: number;
}

export interface ReadinessCheck {
  readonly name: string;
  readonly protocol: 'HTTP' | 'HTTPS';
  readonly path: string;
  /** Name of a port of the app. */
  readonly portName: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly httpStatusCodesForReady: readonly number[];
  readonly preserveLastResponse: boolean;
}

export interface UpgradeStrategy {
  /** Share of `instances` that must stay healthy, 0 to 1. */
  readonly minimumHealthCapacity: number;
  /** Share of `instances` that may run in addition, 0 to 1. */
  readonly maximumOverCapacity: number;
}

export type UnreachableStrategy =
  | 'disabled'
  | { readonly inactiveAfterSeconds: number; readonly expungeAfterSeconds: number };

export type KillSelection = 'YOUNGEST_FIRST' | 'OLDEST_FIRST';

export interface ExecutorResources {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
}

export interface ResourceLimits {
  readonly cpus?: number | 'unlimited';
  /** MiB. */
  readonly mem?: number | 'unlimited';
}

export interface VersionInfo {
  readonly lastScalingAt: Version;
  readonly lastConfigChangeAt: Version;
}

export interface AppDefinition {
  readonly id: PathId;
  /** A shell line; never together with `args`. */
  readonly cmd?: string;
  readonly args: readonly string[];
  readonly instances: number;
  readonly cpus: number;
  /** MiB. */
  readonly mem: number;
  /** MiB. */
  readonly disk: number;
  readonly gpus: number;
  /** Empty and `//cmd` mean the command executor. */
  readonly executor: string;
  readonly executorResources?: ExecutorResources;
  readonly user?: string;
  readonly env: Readonly<Record<string, EnvironmentValue>>;
  readonly labels: StringMap;
  readonly secrets: Readonly<Record<string, { readonly source: string }>>;
  readonly constraints: readonly Constraint[];
  /** Never empty; absent means the default of the scheduler. */
  readonly acceptedResourceRoles?: readonly string[];
  readonly role: string;
  readonly container?: Container;
  /** Never empty. */
  readonly networks: readonly Network[];
  /** Host mode only, empty otherwise. */
  readonly portDefinitions: readonly PortDefinition[];
  readonly requirePorts: boolean;
  readonly fetch: readonly FetchUri[];
  readonly healthChecks: readonly AppHealthCheck[];
  readonly check?: AppCheck;
  readonly readinessChecks: readonly ReadinessCheck[];
  readonly dependencies: readonly PathId[];
  readonly upgradeStrategy: UpgradeStrategy;
  readonly backoffSeconds: number;
  readonly backoffFactor: number;
  readonly maxLaunchDelaySeconds: number;
  readonly taskKillGracePeriodSeconds?: number;
  readonly killSelection: KillSelection;
  readonly unreachableStrategy: UnreachableStrategy;
  readonly resourceLimits?: ResourceLimits;
  readonly tty?: boolean;
  readonly version: Version;
  readonly versionInfo: VersionInfo;
}

/** A group; the tree is immutable, every change makes new groups up to the root. */
export interface Group {
  readonly id: PathId;
  /** App id → app, direct children only, ordered by id. */
  readonly apps: ReadonlyMap<PathId, AppDefinition>;
  /** Group id → group, direct children only, ordered by id. */
  readonly groups: ReadonlyMap<PathId, Group>;
  readonly dependencies: readonly PathId[];
  readonly version: Version;
  /** Top-level groups only. */
  readonly enforceRole?: boolean;
}

/** The group `/`: the whole wanted state. */
export type RootGroup = Group;

/** Instances of one app at most: each is kept in memory and stored from the request on. */
export const INSTANCES_PER_APP_MAX = 100_000;
