/** Clusters to look at: empty, busy with every state, large. */
import { FixtureCluster } from './fixture-cluster.ts';
import { hostname } from './fixture-names.ts';

/** Nothing runs. */
export function emptyCluster(): FixtureCluster {
  return new FixtureCluster(3);
}

/** As many apps of one instance, on a thousand nodes. */
export function largeCluster(apps: number): FixtureCluster {
  const cluster = new FixtureCluster(1_000);
  for (let index = 0; index < apps; index += 1) {
    cluster.add(`/app-${index}`, { instances: 1, cpus: 0.1, mem: 32, hasChecks: true });
  }
  return cluster;
}

/** Every state at once. */
export function busyCluster(): FixtureCluster {
  const cluster = new FixtureCluster(12);
  cluster.add('/shop/web', {
    instances: 12,
    cpus: 0.5,
    mem: 256,
    hasChecks: true,
    labels: { team: 'shop', tier: 'front' },
  });
  cluster.add('/shop/cart', {
    instances: 6,
    cpus: 0.3,
    mem: 384,
    hasChecks: true,
    labels: { team: 'shop' },
  });
  cluster.add('/shop/search/index', { instances: 3, cpus: 1, mem: 2048, hasChecks: true });
  cluster.add('/shop/search/api', { instances: 5, cpus: 0.4, mem: 512, hasChecks: true });
  cluster.add('/data/cassandra', {
    instances: 5,
    cpus: 1.5,
    mem: 4096,
    hasChecks: true,
    disk: 10240,
  });
  cluster.add('/data/kafka', { instances: 3, cpus: 1, mem: 2048, hasChecks: true, disk: 20480 });
  cluster.add('/data/spark/history', { instances: 1, cpus: 0.5, mem: 1024, hasChecks: false });
  cluster.add('/oinker', { instances: 3, cpus: 0.2, mem: 128, hasChecks: true });
  cluster.add('/marathon-lb', { instances: 2, cpus: 1, mem: 512, hasChecks: true });
  cluster.add('/reports', { instances: 0, cpus: 0.5, mem: 256, hasChecks: false });
  cluster.add('/webserver', {
    instances: 13,
    running: 12,
    cpus: 0.2,
    mem: 32,
    hasChecks: false,
    constraints: [['hostname', 'UNIQUE']],
  });
  cluster.add('/payments', {
    instances: 4,
    running: 3,
    unhealthy: 1,
    cpus: 0.3,
    mem: 256,
    hasChecks: true,
  });
  cluster.add('/importer', { instances: 2, running: 0, cpus: 0.2, mem: 128, hasChecks: false });
  cluster.add('/mailer', {
    instances: 8,
    running: 5,
    staged: 2,
    cpus: 0.2,
    mem: 128,
    hasChecks: true,
  });
  cluster.add('/training', {
    instances: 2,
    running: 0,
    cpus: 48,
    mem: 262144,
    hasChecks: false,
  });
  for (let number = 60; number >= 4; number -= 1) {
    cluster.incidents.add({
      kind: 'AGENT_LOST',
      node: number % 12,
      minutesAgo: number * 60,
      outcome: 'RETURNED',
      summary: `Agent ${hostname(number % 12)} was away for 1 min: its connection broke. It came back. No task was affected.`,
    });
  }
  cluster.incidents.add({
    kind: 'MASTER_ELECTED',
    node: 0,
    minutesAgo: 45,
    outcome: 'DONE',
    summary:
      'The master on node-01.dc1 took over: another master led before. 12 of 12 agents came back within 1 min.',
  });
  cluster.incidents.add({
    kind: 'FRAMEWORK_LOST',
    node: 1,
    minutesAgo: 30,
    outcome: 'REMOVED',
    summary:
      'Framework spark was away for 1 min: its connection broke. It was removed. No task was affected.',
  });
  cluster.incidents.add({
    kind: 'AGENT_LOST',
    node: 6,
    minutesAgo: 8,
    summary:
      'Agent node-07.dc1 is away: it did not answer 5 pings. 12 tasks were affected: 12 TASK_UNREACHABLE.',
    tasks: 12,
  });
  cluster.deployments = [
    {
      id: '1c2b6f0e-58a1-4f3a-9a53-0f8f4f5f9b11',
      version: new Date(Date.now() - 40_000).toISOString(),
      affectedApps: ['/mailer'],
      affectedPods: [],
      steps: [
        { actions: [{ action: 'StartApplication', app: '/mailer' }] },
        { actions: [{ action: 'ScaleApplication', app: '/mailer' }] },
      ],
      currentActions: [{ action: 'ScaleApplication', app: '/mailer', readinessCheckResults: [] }],
      currentStep: 2,
      totalSteps: 2,
    },
  ];
  return cluster;
}
