import { describe, expect, test } from 'vitest';
import type { App, Deployment, QueueEntry } from '../api/types.ts';
import {
  deriveStatus,
  healthCounts,
  healthVerdict,
  statusRank,
  WAITING_GRACE_MS,
} from './service-status.ts';

const NOW = Date.parse('2026-11-20T14:00:00.000Z');

function app(change: Partial<App> = {}): App {
  return { id: '/web', instances: 2, cpus: 0.1, mem: 32, tasksRunning: 2, ...change };
}

function deployment(action: string): Deployment {
  return {
    id: 'd',
    version: '2026-11-20T13:59:00.000Z',
    affectedApps: ['/web'],
    steps: [{ actions: [{ action, app: '/web' }] }],
    currentActions: [{ action, app: '/web' }],
    currentStep: 1,
    totalSteps: 1,
  };
}

function entry(change: Partial<QueueEntry> = {}): QueueEntry {
  return { count: 1, delay: { timeLeftSeconds: 0, overdue: true }, ...change };
}

function status(given: {
  app?: App;
  queueEntry?: QueueEntry;
  deployments?: readonly Deployment[];
}): string {
  return deriveStatus(given.app ?? app(), {
    queueEntry: given.queueEntry,
    deployments: given.deployments ?? [],
    nowMs: NOW,
  });
}

describe('status of a service', () => {
  test('all instances run', () => {
    expect(status({})).toBe('running');
  });

  test('zero instances and none left is suspended; with some left it is not', () => {
    expect(status({ app: app({ instances: 0, tasksRunning: 0 }) })).toBe('suspended');
    expect(status({ app: app({ instances: 0, tasksRunning: 1 }) })).toBe('running');
  });

  test('too few instances without a deployment is recovering', () => {
    expect(status({ app: app({ tasksRunning: 1 }) })).toBe('recovering');
  });

  test('a deployment is deploying, one that stops the app is deleting', () => {
    expect(status({ deployments: [deployment('ScaleApplication')] })).toBe('deploying');
    expect(status({ deployments: [deployment('StopApplication')] })).toBe('deleting');
  });

  test("another app's deployment does not matter", () => {
    const other = { ...deployment('ScaleApplication'), affectedApps: ['/other'] };
    expect(status({ deployments: [other] })).toBe('running');
  });

  test('backoff is delayed, and outweighs the deployment', () => {
    const queueEntry = entry({ delay: { timeLeftSeconds: 12, overdue: false } });
    expect(status({ queueEntry, deployments: [deployment('ScaleApplication')] })).toBe('delayed');
  });

  test('refused offers are waiting at once', () => {
    const queueEntry = entry({
      processedOffersSummary: {
        processedOffersCount: 3,
        unusedOffersCount: 3,
        rejectSummaryLastOffers: [{ reason: 'InsufficientCpus', declined: 3, processed: 3 }],
      },
    });
    expect(status({ queueEntry, deployments: [deployment('ScaleApplication')] })).toBe('waiting');
  });

  test('a queue row without refusals is waiting only after the grace', () => {
    const since = (ageMs: number): QueueEntry =>
      entry({ since: new Date(NOW - ageMs).toISOString() });
    const deployments = [deployment('ScaleApplication')];
    expect(status({ queueEntry: since(WAITING_GRACE_MS - 1), deployments })).toBe('deploying');
    expect(status({ queueEntry: since(WAITING_GRACE_MS + 1), deployments })).toBe('waiting');
  });

  test('a queue row with nothing left to start is not waiting', () => {
    const queueEntry = entry({ count: 0, since: new Date(NOW - 60_000).toISOString() });
    expect(status({ queueEntry })).toBe('running');
  });
});

describe('health', () => {
  test('counts what runs, is staged, is missing and is too much', () => {
    const counts = healthCounts(
      app({ instances: 6, tasksRunning: 4, tasksStaged: 1, tasksHealthy: 2, tasksUnhealthy: 1 }),
    );
    expect(counts).toEqual({
      healthy: 2,
      unhealthy: 1,
      unknown: 1,
      staged: 1,
      overCapacity: 0,
      unscheduled: 1,
    });
    expect(healthCounts(app({ instances: 1 })).overCapacity).toBe(1);
  });

  test('an instance that waits for an offer is not scheduled, though the server counts it as staged', () => {
    const counts = healthCounts(app({ instances: 3, tasksRunning: 2, tasksStaged: 1, tasks: [] }));
    expect(counts).toMatchObject({ staged: 0, unscheduled: 1 });
  });

  test('one unhealthy instance makes the service unhealthy', () => {
    const checks = { healthChecks: [{}] };
    expect(healthVerdict(app({ ...checks, tasksHealthy: 1, tasksUnhealthy: 1 }))).toBe('unhealthy');
    expect(healthVerdict(app({ ...checks, tasksHealthy: 2 }))).toBe('healthy');
    expect(healthVerdict(app({ ...checks, tasksHealthy: 1 }))).toBe('unknown');
    expect(healthVerdict(app())).toBe('none');
  });
});

test('what is stuck ranks before what runs', () => {
  expect(statusRank('waiting')).toBeLessThan(statusRank('deploying'));
  expect(statusRank('running')).toBeLessThan(statusRank('suspended'));
});
