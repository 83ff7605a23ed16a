/** Rows and sentences made of documents of the cluster, odd ones included. */

import { describe, expect, test } from 'vitest';
import type { JsonObject } from '@dcos/base';
import {
  stateDocument,
  taskDocument,
  webserverApp,
  webserverQueueItem,
} from '../testing/documents.ts';
import { describeFailure } from './http-failure.ts';
import { appRows, requireDefinition, versionBefore } from './marathon-apps.ts';
import { summaryRows, waitingSentence, waitingSentences } from './marathon-queue.ts';
import { groupRows } from './marathon-tasks.ts';
import { nodeDocuments, nodeRows } from './mesos-nodes.ts';
import { selectServices } from './mesos-services.ts';
import { selectOneTask, selectTasks } from './mesos-tasks.ts';
import { joinSandboxPath, parseListing, sandboxPath } from './sandbox.ts';

describe('describeFailure', () => {
  const reply = { status: 500, method: 'GET', url: 'http://c/service/marathon/v2/apps', body: '' };

  test.each([
    [{ status: 401 }, 'authentication is required. Run "dcos auth login" and try again.'],
    [
      { status: 403, body: '{"message":"limit 100"}' },
      'you are not authorized to do this: limit 100',
    ],
    [
      { status: 400, body: '{"message":"Invalid JSON","details":"line 1"}' },
      'Invalid JSON\n  line 1',
    ],
    [
      { status: 422, body: '{"message":"m","details":[{"path":"/a","errors":["x","y"]},"z",7]}' },
      'm\n  /a: x, y\n  z',
    ],
    [{ status: 409, body: '{"message":"exists"}' }, 'exists'],
    [{ status: 409, body: '{"message":"m","deployments":[]}' }, 'm'],
    [{ body: '<html>gone</html>' }, 'GET http://c/service/marathon/v2/apps answered HTTP 500'],
    [{ body: ' broken \n' }, 'GET http://c/service/marathon/v2/apps answered HTTP 500: broken'],
    [{ body: 'null' }, 'GET http://c/service/marathon/v2/apps answered HTTP 500'],
  ])('%j', (change, text) => {
    expect(describeFailure({ ...reply, ...change })).toBe(text);
  });

  test('503 of Mesos means that nobody leads', () => {
    const text = describeFailure({ ...reply, status: 503, url: 'http://c/mesos/master/state' });
    expect(text).toContain('no leading Mesos master');
  });
});

describe('apps', () => {
  test('a row of an app with nothing but an id', () => {
    expect(appRows({ apps: [{ id: '/a' }], deployments: [], queue: [] })).toEqual([
      ['/a', 'N/A', 'N/A', '0/0', '---', '---', 'False', 'mesos', 'N/A', ''],
    ]);
  });

  test('health, container and command of an app with health checks', () => {
    const app = {
      ...webserverApp,
      cmd: null,
      args: ['serve', '-p', '80'],
      container: { type: 'DOCKER' },
      healthChecks: [{ protocol: 'HTTP' }],
      tasksHealthy: 1,
      deployments: [],
    };
    expect(appRows({ apps: [app], deployments: [], queue: [] })[0]?.slice(4, 9)).toEqual([
      '1/1',
      '---',
      'False',
      'DOCKER',
      'serve -p 80',
    ]);
  });

  test('a queued pod among apps is no trouble', () => {
    const pod = { pod: { id: '/p', containers: [] }, delay: { overdue: true } };
    expect(appRows({ apps: [webserverApp], deployments: [], queue: [pod] })[0]?.[6]).toBe('False');
  });

  test('a definition needs an id', () => {
    expect(requireDefinition({ id: 'a', cmd: 'x' }, 'file')).toEqual({
      ok: true,
      value: { id: 'a', cmd: 'x' },
    });
    expect(requireDefinition({ id: 5 }, 'file')).toEqual({
      ok: false,
      error: '"id" in file must be a text',
    });
  });

  test('negative versions count back from the newest', () => {
    const versions = [
      '2026-01-01T00:00:00.000Z',
      '2026-03-01T00:00:00.000Z',
      '2026-02-01T00:00:00.000Z',
    ];
    expect(versionBefore(versions, -1)).toEqual({ ok: true, value: '2026-02-01T00:00:00.000Z' });
    expect(versionBefore(versions, -3).ok).toBe(false);
  });
});

describe('queue', () => {
  const { explanation: _explanation, ...plain } = webserverQueueItem;

  test('without an explanation of the server one is made from the counts', () => {
    expect(waitingSentence(plain)).toBe(
      '/webserver is waiting: constraints turned down 4 of 4 offers',
    );
    expect(waitingSentence({ ...plain, processedOffersSummary: {} })).toBe(
      '/webserver is waiting: no offer has arrived yet',
    );
  });

  test('what is delayed after failures does not wait for offers', () => {
    expect(
      waitingSentence({ ...plain, delay: { overdue: false, timeLeftSeconds: 5 } }),
    ).toBeUndefined();
    expect(waitingSentences([plain, plain])).toHaveLength(1);
  });

  test('ports that are asked for, and those that may be any', () => {
    const portsOf = (app: JsonObject): string | undefined =>
      summaryRows({ app }).find(([heading]) => heading === 'PORTS')?.[1];
    const portDefinitions = [{ port: 8080 }, { port: 0 }];
    expect(portsOf({ portDefinitions })).toBe('any, any');
    expect(portsOf({ portDefinitions, requirePorts: true })).toBe('8080, any');
    expect(portsOf({ container: { portMappings: [{ containerPort: 80, hostPort: 8000 }] } })).toBe(
      '8000',
    );
    expect(portsOf({})).toBe('---');
  });

  test('counts of a launch attempt serve when the last offers have none', () => {
    const rows = summaryRows({
      ...plain,
      processedOffersSummary: {
        rejectSummaryLastOffers: [{ reason: 'InsufficientCpus', declined: 0, processed: 0 }],
        rejectSummaryLaunchAttempt: [{ reason: 'InsufficientCpus', declined: 1, processed: 3 }],
      },
    });
    expect(rows.find(([heading]) => heading === 'CPUS')).toEqual([
      'CPUS',
      '0.5',
      '2 / 3',
      '66.67%',
    ]);
  });
});

describe('tasks', () => {
  test('an exact id wins over a longer one that contains it', () => {
    const state = {
      frameworks: [{ id: 'f', tasks: [taskDocument('a.1'), taskDocument('a.10')] }],
    };
    expect(selectTasks(state, { scope: 'active', filter: 'a.1' })).toHaveLength(2);
    expect(selectOneTask(state, { scope: 'active', filter: 'a.1' })).toMatchObject({
      ok: true,
      value: { id: 'a.1' },
    });
    expect(selectOneTask(state, { scope: 'active', filter: 'a.' }).ok).toBe(false);
  });

  test('tasks of frameworks that ended, and tasks of unknown agents', () => {
    const state = {
      completed_frameworks: [{ id: 'f', completed_tasks: [taskDocument('x', 'TASK_KILLED')] }],
    };
    expect(selectTasks(state, { scope: 'all' })).toMatchObject([
      { id: 'x', host: 'N/A', user: 'N/A', completed: true },
    ]);
    expect(selectTasks(state, { scope: 'active' })).toEqual([]);
    expect(selectTasks({}, { scope: 'all' })).toEqual([]);
  });
});

describe('sandbox', () => {
  const [task] = selectTasks(stateDocument, { scope: 'active', filter: 'instance-1' });
  if (task === undefined) throw new Error('the state holds that task');
  const runs = `/frameworks/4f2a-0000/executors/${task.id}/runs`;

  test('is the run of the container, or the newest one', () => {
    const offered = {
      [`/v${runs}/old`]: '/real/old',
      [`/v${runs}/c0ffee`]: '/real/new',
      [`${runs}/latest`]: '/real/latest',
    };
    expect(sandboxPath(offered, task)).toEqual({ ok: true, value: '/real/new' });
    expect(sandboxPath({ [`${runs}/latest`]: '/real/latest' }, task)).toEqual({
      ok: true,
      value: '/real/latest',
    });
    expect(sandboxPath({}, task).ok).toBe(false);
  });

  test('of a nested container is that of its outermost parent; a task without statuses has the newest', () => {
    const nested = { value: 'inner', parent: { value: 'middle', parent: { value: 'outer' } } };
    const document = {
      ...task.document,
      statuses: [{}, { container_status: { container_id: nested } }],
    };
    expect(sandboxPath({ [`${runs}/outer`]: '/o' }, { ...task, document })).toEqual({
      ok: true,
      value: '/o',
    });
    const bare = { ...task, document: { ...task.document, statuses: [] } };
    expect(sandboxPath({ [`${runs}/latest`]: '/l' }, bare)).toEqual({ ok: true, value: '/l' });
  });

  test('paths stay inside', () => {
    expect(joinSandboxPath('/s/', 'a/../../../etc')).toBe('/s/etc');
    expect(joinSandboxPath('/s', '/a/./b/')).toBe('/s/a/b');
    expect(joinSandboxPath('/s', '')).toBe('/s');
  });

  test('a listing drops entries that are no names', () => {
    expect(
      parseListing([{ path: '/s/b' }, { path: '/s/..' }, { path: '/s/a', mode: 'drwx' }, {}]),
    ).toMatchObject([
      { name: 'a', directory: true },
      { name: 'b', directory: false },
    ]);
  });
});

test('nodes without a process id, a summary or a place are listed all the same', () => {
  const nodes = nodeDocuments({
    state: {
      slaves: [
        { id: 's', hostname: 'h', drain_info: { state: 'DRAINING' } },
        { id: 'd', deactivated: true },
      ],
    },
    summary: {},
    network: [],
    masters: [{ host: 'master.mesos.', ip: '10.0.0.9' }],
  });
  expect(nodeRows(nodes, ['attributes.x']).map((row) => row.slice(1, 6))).toEqual([
    ['N/A', 'N/A', 'd', 'agent', 'DEACTIVATED'],
    ['N/A', 'N/A', 's', 'agent', 'DRAINING'],
    ['10.0.0.9', 'N/A', 'N/A', 'master (standby)', 'N/A'],
  ]);
});

test('groups count the apps below them', () => {
  const root = {
    id: '/',
    apps: [{}],
    groups: [{ id: '/a', apps: [{}], groups: [{ id: '/a/b', apps: [{}, {}] }] }],
  };
  expect(groupRows(root)).toEqual([
    ['/a', '3', 'False'],
    ['/a/b', '2', 'False'],
  ]);
});

test('services that are not connected are shown on request only', () => {
  const names = (inactive: boolean): unknown[] =>
    selectServices(stateDocument, { inactive, completed: true }).map((service) => service['name']);
  expect(names(false)).toEqual(['marathon']);
  expect(names(true)).toEqual(['idle', 'marathon']);
});
