/**
 * The status of a service, derived from its app, its launch queue row and the running deployments.
 * Vocabulary of the originals: Running, Deploying, Suspended, Delayed, Waiting, Recovering, Deleting.
 * Invariant: every app has exactly one status; "Waiting" needs evidence (refused offers or a wait
 * longer than the grace), so that an ordinary launch does not flash as a problem.
 */
import type { App, Deployment, QueueEntry } from '../api/types.ts';

export type ServiceStatus =
  | 'deleting'
  | 'delayed'
  | 'waiting'
  | 'recovering'
  | 'deploying'
  | 'running'
  | 'suspended';

/** How a status is coloured; never the only carrier of meaning. */
export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'idle';

/** Launches that nobody refused yet may take this long before they count as waiting. */
export const WAITING_GRACE_MS = 5_000;

const PRESENTATION: Readonly<Record<ServiceStatus, { label: string; tone: Tone; rank: number }>> = {
  delayed: { label: 'Delayed', tone: 'bad', rank: 0 },
  waiting: { label: 'Waiting', tone: 'warn', rank: 1 },
  recovering: { label: 'Recovering', tone: 'warn', rank: 2 },
  deploying: { label: 'Deploying', tone: 'busy', rank: 3 },
  deleting: { label: 'Deleting', tone: 'busy', rank: 4 },
  running: { label: 'Running', tone: 'good', rank: 5 },
  suspended: { label: 'Suspended', tone: 'idle', rank: 6 },
};

export function statusLabel(status: ServiceStatus): string {
  return PRESENTATION[status].label;
}

export function statusTone(status: ServiceStatus): Tone {
  return PRESENTATION[status].tone;
}

/** Worst first: the order of folders and of the dashboard. */
export function statusRank(status: ServiceStatus): number {
  return PRESENTATION[status].rank;
}

export interface StatusInputs {
  readonly queueEntry: QueueEntry | undefined;
  readonly deployments: readonly Deployment[];
  /** Wall clock, epoch milliseconds. */
  readonly nowMs: number;
}

/** Decides the status of one app. */
export function deriveStatus(app: App, inputs: StatusInputs): ServiceStatus {
  const { queueEntry, deployments, nowMs } = inputs;
  const own = deployments.filter((deployment) => deployment.affectedApps.includes(app.id));
  if (own.some((deployment) => isStopping(deployment, app.id))) return 'deleting';
  if (queueEntry !== undefined && isDelayed(queueEntry)) return 'delayed';
  if (queueEntry !== undefined && isWaiting(queueEntry, nowMs)) return 'waiting';
  if (own.length > 0 || (app.deployments?.length ?? 0) > 0) return 'deploying';
  const running = app.tasksRunning ?? 0;
  const staged = app.tasksStaged ?? 0;
  if (app.instances === 0 && running + staged === 0) return 'suspended';
  if (running < app.instances) return 'recovering';
  return 'running';
}

/** True while the backoff after failures holds launches back. */
export function isDelayed(entry: QueueEntry): boolean {
  return !entry.delay.overdue && entry.delay.timeLeftSeconds > 0;
}

/** True when offers were refused, or nothing suitable came for longer than the grace. */
export function isWaiting(entry: QueueEntry, nowMs: number): boolean {
  if (entry.count <= 0) return false;
  if ((entry.explanation?.reasons.length ?? 0) > 0) return true;
  const rejects = entry.processedOffersSummary?.rejectSummaryLastOffers ?? [];
  if (rejects.some((reject) => reject.declined > 0)) return true;
  if (entry.since === undefined) return false;
  const sinceMs = Date.parse(entry.since);
  return Number.isFinite(sinceMs) && nowMs - sinceMs > WAITING_GRACE_MS;
}

function isStopping(deployment: Deployment, appId: string): boolean {
  return deployment.currentActions.some(
    (action) => action.app === appId && action.action === 'StopApplication',
  );
}

export type HealthVerdict = 'healthy' | 'unhealthy' | 'unknown' | 'none';

/** Instances of an app by health, as the originals' health bar counts them. */
export interface HealthCounts {
  readonly healthy: number;
  readonly unhealthy: number;
  /** Running, but no check has answered, or there is no check. */
  readonly unknown: number;
  readonly staged: number;
  readonly overCapacity: number;
  readonly unscheduled: number;
}

export function healthCounts(app: App): HealthCounts {
  const running = app.tasksRunning ?? 0;
  const staged = launchedStaged(app);
  const healthy = app.tasksHealthy ?? 0;
  const unhealthy = app.tasksUnhealthy ?? 0;
  return {
    healthy,
    unhealthy,
    unknown: Math.max(0, running - healthy - unhealthy),
    staged,
    overCapacity: Math.max(0, running + staged - app.instances),
    unscheduled: Math.max(0, app.instances - running - staged),
  };
}

/** The server's count of staged instances has those in it that still wait for an offer: left out here. */
function launchedStaged(app: App): number {
  const staged = app.tasksStaged ?? 0;
  if (app.tasks === undefined) return staged;
  const launched = app.tasks.filter(
    (task) =>
      (task.state === 'TASK_STAGING' || task.state === 'TASK_STARTING') &&
      task.slaveId !== undefined,
  );
  return Math.min(staged, launched.length);
}

export function hasHealthChecks(app: App): boolean {
  return (app.healthChecks?.length ?? 0) > 0;
}

/** One verdict for filters and the dashboard: any unhealthy instance makes the service unhealthy. */
export function healthVerdict(app: App): HealthVerdict {
  const counts = healthCounts(app);
  if (counts.unhealthy > 0) return 'unhealthy';
  if (!hasHealthChecks(app)) return 'none';
  return counts.healthy > 0 && counts.unknown === 0 ? 'healthy' : 'unknown';
}

/** Step progress of the app's running deployment as text, or undefined when none runs. */
export function deploymentProgress(
  appId: string,
  deployments: readonly Deployment[],
): { readonly step: number; readonly total: number; readonly id: string } | undefined {
  const own = deployments.find((deployment) => deployment.affectedApps.includes(appId));
  if (own === undefined) return undefined;
  return { id: own.id, step: Math.max(1, own.currentStep), total: Math.max(1, own.totalSteps) };
}
