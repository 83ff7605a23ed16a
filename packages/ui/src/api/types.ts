/**
 * The parts of Marathon's and Mesos' JSON that the console reads. Unknown members are kept where
 * documents are edited (`AppDefinition` stays a JSON object), and ignored elsewhere.
 * Source: Marathon reference §2, §5; Mesos kernel reference §3.5; field names are the wire's own.
 */
import type { JsonObject, JsonValue } from '@dcos/base';

/** An app definition as the API gives and takes it: read through the lenses of `model/app-json.ts`. */
export type AppDefinition = JsonObject;

export interface HealthCheckResult {
  readonly alive: boolean;
  readonly consecutiveFailures?: number;
  readonly lastFailureCause?: string | null;
  readonly lastSuccess?: string | null;
  readonly lastFailure?: string | null;
}

export interface MarathonTask {
  readonly id: string;
  readonly appId: string;
  readonly host: string;
  readonly state: string;
  readonly slaveId?: string;
  readonly ports?: readonly number[];
  readonly ipAddresses?: readonly { readonly ipAddress: string; readonly protocol: string }[];
  readonly healthCheckResults?: readonly HealthCheckResult[];
  readonly stagedAt?: string;
  readonly startedAt?: string;
  readonly version?: string;
  readonly region?: string;
  readonly zone?: string;
}

export interface TaskFailure {
  readonly appId: string;
  readonly host: string;
  readonly message: string;
  readonly state: string;
  readonly taskId: string;
  readonly timestamp: string;
  readonly version: string;
  readonly slaveId?: string;
}

export interface TaskStatistics {
  readonly stats: {
    readonly counts: {
      readonly staged: number;
      readonly running: number;
      readonly healthy: number;
      readonly unhealthy: number;
    };
    readonly lifeTime?: { readonly averageSeconds: number; readonly medianSeconds: number };
  };
}

export interface TaskStatisticsByVersion {
  readonly startedAfterLastScaling?: TaskStatistics;
  readonly withLatestConfig?: TaskStatistics;
  readonly withOutdatedConfig?: TaskStatistics;
  readonly totalSummary?: TaskStatistics;
}

/** An app as `/v2/apps` lists it with the console's embeds. */
export interface App {
  readonly id: string;
  readonly instances: number;
  readonly cpus: number;
  readonly mem: number;
  readonly disk?: number;
  readonly gpus?: number;
  readonly cmd?: string | null;
  readonly version?: string;
  readonly versionInfo?: { readonly lastScalingAt?: string; readonly lastConfigChangeAt?: string };
  readonly tasksStaged?: number;
  readonly tasksRunning?: number;
  readonly tasksHealthy?: number;
  readonly tasksUnhealthy?: number;
  readonly deployments?: readonly { readonly id: string }[];
  readonly tasks?: readonly MarathonTask[];
  readonly lastTaskFailure?: TaskFailure;
  readonly taskStats?: TaskStatisticsByVersion;
  readonly tasksStats?: TaskStatisticsByVersion;
  readonly labels?: Readonly<Record<string, string>>;
  readonly healthChecks?: readonly JsonValue[];
  readonly constraints?: readonly (readonly string[])[];
  readonly acceptedResourceRoles?: readonly string[];
  readonly container?: {
    readonly type?: string;
    readonly docker?: { readonly image?: string };
    readonly volumes?: readonly JsonValue[];
    readonly portMappings?: readonly PortEntry[];
  } | null;
  readonly portDefinitions?: readonly PortEntry[];
  readonly residency?: JsonValue;
}

export interface PortEntry {
  readonly port?: number;
  readonly containerPort?: number;
  readonly hostPort?: number | null;
  readonly servicePort?: number;
  readonly protocol?: string;
  readonly name?: string | null;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface DeploymentAction {
  readonly action: string;
  readonly app?: string;
  readonly pod?: string;
  readonly readinessCheckResults?: readonly JsonValue[];
}

export interface Deployment {
  readonly id: string;
  readonly version: string;
  readonly affectedApps: readonly string[];
  readonly affectedPods?: readonly string[];
  readonly steps: readonly { readonly actions: readonly DeploymentAction[] }[];
  readonly currentActions: readonly DeploymentAction[];
  readonly currentStep: number;
  readonly totalSteps: number;
}

export interface RejectSummary {
  readonly reason: string;
  readonly declined: number;
  readonly processed: number;
}

/** One refused offer, as `embed=lastUnusedOffers` adds it. */
export interface UnusedOffer {
  readonly offer: {
    readonly id?: string;
    readonly hostname?: string;
    readonly agentId?: string;
    readonly attributes?: readonly JsonValue[];
    readonly resources?: readonly {
      readonly name: string;
      readonly scalar?: number;
      readonly ranges?: readonly { readonly begin: number; readonly end: number }[];
      readonly role?: string;
    }[];
  };
  readonly reason: readonly string[];
  readonly timestamp: string;
}

/** The server's own words about why a service is not placed: an addition of ours to the queue row. */
export interface PlacementExplanation {
  readonly summary: string;
  readonly offersProcessed: number;
  readonly reasons: readonly {
    readonly reason: string;
    readonly what: string;
    readonly declined: number;
    readonly processed: number;
  }[];
}

export interface QueueEntry {
  readonly count: number;
  readonly role?: string;
  readonly since?: string;
  readonly delay: { readonly timeLeftSeconds: number; readonly overdue: boolean };
  readonly processedOffersSummary?: {
    readonly processedOffersCount: number;
    readonly unusedOffersCount: number;
    readonly lastUnusedOfferAt?: string | null;
    readonly lastUsedOfferAt?: string | null;
    readonly rejectSummaryLastOffers?: readonly RejectSummary[];
    readonly rejectSummaryLaunchAttempt?: readonly RejectSummary[];
  };
  readonly lastUnusedOffers?: readonly UnusedOffer[];
  readonly explanation?: PlacementExplanation;
  readonly app?: App;
  readonly pod?: { readonly id: string };
}

/** The four scalars of a resource summary; ranges and custom resources are text or numbers. */
export interface ResourceSummary {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly gpus: number;
  readonly ports?: string;
}

export interface MesosAgent {
  readonly id: string;
  readonly hostname: string;
  readonly port?: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly pid: string;
  readonly registered_time: number;
  readonly reregistered_time?: number;
  readonly resources: ResourceSummary;
  readonly used_resources: ResourceSummary;
  readonly offered_resources: ResourceSummary;
  readonly reserved_resources: Readonly<Record<string, ResourceSummary>>;
  readonly unreserved_resources: ResourceSummary;
  readonly active: boolean;
  readonly deactivated?: boolean;
  readonly version?: string;
  readonly drain_info?: JsonValue;
  readonly domain?: JsonValue;
  readonly TASK_STAGING?: number;
  readonly TASK_STARTING?: number;
  readonly TASK_RUNNING?: number;
  readonly TASK_KILLING?: number;
  readonly TASK_FAILED?: number;
}

export interface MesosFramework {
  readonly id: string;
  readonly name: string;
  readonly active: boolean;
  readonly connected?: boolean;
  readonly webui_url?: string;
}

export interface StateSummary {
  readonly hostname: string;
  readonly cluster?: string;
  readonly slaves: readonly MesosAgent[];
  readonly frameworks: readonly MesosFramework[];
}

/** `/metrics/snapshot`: numbers only. */
export type MetricsSnapshot = Readonly<Record<string, number>>;

export interface SandboxFile {
  readonly path: string;
  readonly size: number;
  readonly mtime: number;
  readonly mode: string;
  readonly nlink: number;
  readonly uid: string;
  readonly gid: string;
}
