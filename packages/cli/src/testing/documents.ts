/**
 * Documents in the shapes that Mesos and Marathon send, small enough to read.
 */

import type { JsonObject } from '@dcos/base';

const agentId = '4f2a-S0';
const frameworkId = '4f2a-0000';

/** A task of the master's state document. */
export function taskDocument(id: string, state = 'TASK_RUNNING'): JsonObject {
  return {
    id,
    name: 'webserver',
    framework_id: frameworkId,
    executor_id: '',
    slave_id: agentId,
    state,
    resources: { cpus: 0.5, mem: 32, disk: 0, gpus: 0, ports: '[31005-31005]' },
    role: '*',
    statuses: [
      {
        state,
        timestamp: 1_790_000_000.5,
        container_status: { container_id: { value: 'c0ffee' }, network_infos: [] },
      },
    ],
  };
}

/** `/mesos/master/state` of a cluster with one agent and one framework. */
export const stateDocument: JsonObject = {
  version: '1.12.0',
  id: '4f2a',
  pid: 'master@127.0.0.1:5050',
  leader: 'master@127.0.0.1:5050',
  hostname: '127.0.0.1',
  cluster: 'box',
  slaves: [
    {
      id: agentId,
      hostname: 'agent-1',
      port: 5051,
      pid: 'slave(1)@127.0.0.1:5051',
      attributes: { public_ip: 'true' },
      resources: { cpus: 4, mem: 4096, disk: 8192, gpus: 0, ports: '[31000-32000]' },
      active: true,
      deactivated: false,
      version: '1.12.0',
      domain: { fault_domain: { region: { name: 'local' }, zone: { name: 'box' } } },
    },
  ],
  frameworks: [
    {
      id: frameworkId,
      name: 'marathon',
      user: 'root',
      active: true,
      connected: true,
      hostname: '127.0.0.1',
      used_resources: { cpus: 1, mem: 64, disk: 0, gpus: 0 },
      tasks: [
        taskDocument('webserver.instance-1._app.1'),
        taskDocument('webserver.instance-2._app.1'),
      ],
      completed_tasks: [taskDocument('webserver.instance-0._app.1', 'TASK_FAILED')],
    },
    {
      id: '4f2a-0001',
      name: 'idle',
      user: 'root',
      active: false,
      hostname: '127.0.0.1',
      used_resources: { cpus: 0, mem: 0, disk: 0, gpus: 0 },
      tasks: [],
      completed_tasks: [],
    },
  ],
  completed_frameworks: [],
};

/** An app as `/v2/apps` lists it. */
export const webserverApp: JsonObject = {
  id: '/webserver',
  cmd: 'python3 -m http.server $PORT0 --bind 127.0.0.1',
  cpus: 0.5,
  mem: 32,
  instances: 2,
  tasksStaged: 0,
  tasksRunning: 1,
  tasksHealthy: 0,
  tasksUnhealthy: 0,
  healthChecks: [],
  constraints: [['hostname', 'UNIQUE']],
  acceptedResourceRoles: ['slave_public'],
  deployments: [{ id: '6a9c1e7a-0000-4000-8000-000000000001' }],
  role: '*',
};

/** A deployment of that app. */
export const webserverDeployment: JsonObject = {
  id: '6a9c1e7a-0000-4000-8000-000000000001',
  version: '2026-11-20T14:00:00.000Z',
  affectedApps: ['/webserver'],
  affectedPods: [],
  steps: [{ actions: [{ action: 'ScaleApplication', app: '/webserver' }] }],
  currentActions: [{ action: 'ScaleApplication', app: '/webserver', readinessCheckResults: [] }],
  currentStep: 1,
  totalSteps: 1,
};

/** The launch queue while its second instance waits. */
export const webserverQueueItem: JsonObject = {
  app: webserverApp,
  count: 1,
  role: '*',
  since: '2026-11-20T14:00:01.000Z',
  delay: { timeLeftSeconds: 0, overdue: true },
  processedOffersSummary: {
    processedOffersCount: 4,
    unusedOffersCount: 4,
    lastUnusedOfferAt: '2026-11-20T14:00:09.000Z',
    rejectSummaryLastOffers: [
      { reason: 'UnfulfilledRole', declined: 0, processed: 4 },
      { reason: 'UnfulfilledConstraint', declined: 4, processed: 4 },
      { reason: 'InsufficientCpus', declined: 0, processed: 0 },
    ],
    rejectSummaryLaunchAttempt: [],
  },
  lastUnusedOffers: [
    {
      offer: { id: 'o1', hostname: 'agent-1', agentId },
      reason: ['UnfulfilledConstraint'],
      timestamp: '2026-11-20T14:00:09.000Z',
    },
  ],
  explanation: {
    summary: '1 instance waits: hostname UNIQUE turned down 4 of 4 offers',
    offersProcessed: 4,
    reasons: [
      { reason: 'UnfulfilledConstraint', what: 'hostname UNIQUE', declined: 4, processed: 4 },
    ],
  },
};
