/** The state at a start: empty, or put together from what was stored. */

import type { Instant, Random } from '@dcos/base';
import { formatTimestamp } from '../model/index.ts';
import { AppHistory } from './app-history.ts';
import { InstanceTable } from './instance-table.ts';
import {
  planOf,
  type DeploymentChange,
  type DeploymentHeader,
  type StoredRecord,
} from './records.ts';
import { rolesInUse } from './roles.ts';
import type { SchedulingSettings } from './settings.ts';
import type { MarathonState } from './state.ts';
import { Timers } from './timers.ts';

export interface RestoreInput {
  readonly settings: SchedulingSettings;
  readonly random: Random;
  readonly now: Instant;
  readonly records: Iterable<StoredRecord>;
}

/** Makes the state. Nothing is launched or stopped before the first subscription. */
export function restoreMarathon(input: RestoreInput): MarathonState {
  const { settings, random, now } = input;
  const state: MarathonState = {
    settings,
    random,
    history: new AppHistory({
      versionsPerAppMax: settings.versionsPerAppMax,
      version: formatTimestamp(now),
    }),
    instances: new InstanceTable(),
    deployments: new Map(),
    deploymentByApp: new Map(),
    delays: new Map(),
    waiting: new Map(),
    health: new Map(),
    readiness: new Map(),
    failures: new Map(),
    kills: new Map(),
    killsWaiting: new Set(),
    timers: new Timers(),
    revive: { wanted: new Set(), lastAt: Number.NEGATIVE_INFINITY, suppressed: new Set() },
    reconciliation: { pending: new Set(), attempt: 0 },
    counters: {
      offersProcessed: 0,
      offersUsed: 0,
      offersDeclined: 0,
      tasksLaunched: 0,
      revives: 0,
      suppresses: 0,
      deployments: 0,
      deploymentsDismissed: 0,
      statusUpdates: new Map(),
    },
    rolesChanged: false,
    subscribedRoles: [],
    frameworkId: undefined,
    connected: false,
    masterRegion: undefined,
    wakeAt: undefined,
  };
  const deployments: StoredDeployments = { headers: [], changes: new Map() };
  for (const record of input.records) restoreRecord(state, record, deployments);
  state.history.assembleStored();
  restoreDeployments(state, deployments);
  state.subscribedRoles = rolesInUse(state);
  return state;
}

interface StoredDeployments {
  readonly headers: DeploymentHeader[];
  /** Deployment id → what it does to its apps. */
  readonly changes: Map<string, DeploymentChange[]>;
}

function restoreDeployments(state: MarathonState, { headers, changes }: StoredDeployments): void {
  for (const header of headers) {
    const plan = planOf(header, changes.get(header.id) ?? []);
    const deployment = { plan, step: -1, finished: new Set<string>() };
    state.deployments.set(plan.id, deployment);
    for (const appId of plan.changes.keys()) state.deploymentByApp.set(appId, deployment);
  }
}

function restoreRecord(
  state: MarathonState,
  record: StoredRecord,
  deployments: StoredDeployments,
): void {
  switch (record.kind) {
    case 'framework':
      state.frameworkId = record.frameworkId;
      return;
    case 'app':
      state.history.restoreApp(record.id, record.version, record.app);
      return;
    case 'group':
      state.history.restoreGroup(record.id, record.version, record.group);
      return;
    case 'instance':
      state.instances.put(record.instance);
      return;
    case 'deployment':
      deployments.headers.push(record.header);
      return;
    case 'deploymentChange': {
      const { change } = record;
      const changes = deployments.changes.get(change.deployment) ?? [];
      changes.push(change);
      deployments.changes.set(change.deployment, changes);
      return;
    }
    case 'failure':
      state.failures.set(record.failure.appId, record.failure);
      return;
    default:
  }
}
