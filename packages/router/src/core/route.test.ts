import { describe, expect, test } from 'vitest';
import { agent, framework, ports, task } from '../testing/cluster.ts';
import { ClusterView, type ViewEvent } from './cluster-view.ts';
import { decideRoute, type Route } from './route.ts';

const options = {
  marathonUrl: 'http://127.0.0.1:8080',
  mesosDnsUrl: 'http://127.0.0.1:8123',
  hasAuthorities: false,
};

const labels = (name: string, over: Record<string, string> = {}) => ({
  labelled: {
    DCOS_SERVICE_NAME: name,
    DCOS_SERVICE_SCHEME: 'http',
    DCOS_SERVICE_PORT_INDEX: '0',
    ...over,
  },
  ...ports(31000, 31001),
});

function clusterView(): ClusterView {
  const view = new ClusterView({ agentsSpeakTls: false });
  view.apply({
    kind: 'snapshot',
    masterUrl: 'http://10.0.0.1:5050',
    state: {
      get_agents: { agents: [agent('m-S0', 5051), agent('m-S1', 5052)] },
      get_frameworks: {
        frameworks: [
          framework('f-0', 'marathon', 'http://10.0.0.9:8080'),
          framework('f-1', 'spark', 'http://10.0.0.2:4040/'),
          framework('f-2', 'spark', 'http://10.0.0.3:4040/base/'),
          framework('f-3', 'b.a', 'http://10.0.0.4:1'),
          framework('f-4', 'looked', ''),
          framework('f-5', 'nopage'),
          framework('f-6', 'odd', 'not a url'),
        ],
      },
      get_tasks: {
        tasks: [
          task('app.1', 'm-S0', labels('jenkins')),
          task(
            'app.2',
            'm-S0',
            labels('dev/api', { DCOS_SERVICE_PORT_INDEX: '1', DCOS_SERVICE_SCHEME: 'https' }),
          ),
          task('app.3', 'm-S0', labels('kept', { DCOS_SERVICE_REWRITE_REQUEST_URLS: 'false' })),
          task('app.4', 'm-S0', labels('far', { DCOS_SERVICE_PORT_INDEX: '7' })),
          task('app.5', 'm-S0', { ...labels('staging'), state: 'TASK_STAGING' }),
          task('other', 'm-S0', { ...labels('foreign'), framework_id: { value: 'f-1' } }),
        ],
        completed_tasks: [task('done.x-1', 'm-S1', { state: 'TASK_FINISHED' })],
      },
    },
  });
  return view;
}

/** What a master that has just begun to lead says: its registry holds these agents, and it has heard of none. */
function newLeader(recovered: readonly string[]): ViewEvent {
  return {
    kind: 'snapshot',
    masterUrl: 'http://10.0.0.2:5050',
    state: {
      get_agents: {
        recovered_agents: recovered.map((id) => ({ id: { value: id }, hostname: 'x' })),
      },
      get_frameworks: { frameworks: [framework('f-0', 'marathon')] },
    },
  };
}

const decide = (target: string, view = clusterView()): Route =>
  decideRoute({ method: 'GET', target }, view, options);

/** `origin + target` of a proxied route, or what happens instead. */
function outcome(target: string): string {
  const route = decide(target);
  if (route.kind === 'proxy') return `${route.origin}${route.target}`;
  if (route.kind === 'redirect') return `${route.status} ${route.location}`;
  if (route.kind === 'fail') return String(route.status);
  if (route.kind === 'document') return route.name;
  return route.kind;
}

describe('routes', () => {
  test.each([
    ['/', 'ui'],
    ['/services/detail/x', 'ui'],
    ['/mesos', '301 mesos/'],
    ['/mesos/', 'http://10.0.0.1:5050/'],
    ['/mesos/master/state?a=b', 'http://10.0.0.1:5050/master/state?a=b'],
    ['/mesos/api/v1', 'http://10.0.0.1:5050/api/v1'],
    ['/cache/master/state', 'http://10.0.0.1:5050/master/state'],
    ['/system/v1/incidents?since=0', 'http://10.0.0.1:5050/system/v1/incidents?since=0'],
    ['/mesos_dns', '301 mesos_dns/'],
    ['/mesos_dns/v1/hosts/a.mesos', 'http://127.0.0.1:8123/v1/hosts/a.mesos'],
    ['/marathon?x=1', '307 /marathon/?x=1'],
    ['/marathon/v2/apps?x=1', 'http://127.0.0.1:8080/v2/apps?x=1'],
    ['/service/marathon', '301 marathon/'],
    ['/service/marathon/', '302 /services'],
    ['/service/marathon/ui/', '302 /services'],
    ['/marathon/ui/#/apps', '302 /services'],
    ['/service/marathon/uint', 'http://127.0.0.1:8080/uint'],
    ['/service/marathon/v2/apps//a%2Fb', 'http://127.0.0.1:8080/v2/apps//a%2Fb'],
    ['/service/marathon//v2/apps', 'http://127.0.0.1:8080/v2/apps'],
    ['//mesos//master/state?a=//b', 'http://10.0.0.1:5050/master/state?a=//b'],
    ['//mesos_dns//v1/version', 'http://127.0.0.1:8123/v1/version'],
    ['/agent/m-S0//state', 'http://127.0.0.1:5051/state'],
    ['//example.com/', 'ui'],
    ['/service/', '404'],
    ['/slave/m-S0', 'http://127.0.0.1:5051/'],
    ['/agent/m-S1/files/browse?path=%2F', 'http://127.0.0.1:5052/files/browse?path=%2F'],
    ['/agent/nobody/state', '404'],
    [
      '/system/v1/agent/m-S0/logs/v2/task/app.1/file/stdout',
      'http://127.0.0.1:5051/system/v1/logs/v2/task/app.1/file/stdout',
    ],
    ['/system/v1/agent/m-S0/logs/v2/component', '501'],
    ['/system/v1/agent/m-S0/metrics/v0/node', '501'],
    ['/system/v1/agent/m-S0/dcos-metadata/dcos-version.json', 'version'],
    ['/system/v1/agent/m-S0/anything', '404'],
    [
      '/system/v1/logs/v2/task/app.1/file/stdout?skip=-1',
      'http://127.0.0.1:5051/system/v1/logs/v2/task/app.1/file/stdout?skip=-1',
    ],
    [
      '/system/v1/logs/v2/task/done.x-1/file/stderr',
      'http://127.0.0.1:5052/system/v1/logs/v2/task/done.x-1/file/stderr',
    ],
    [
      '/system/v1/logs/v2/task/done/file/stderr',
      'http://127.0.0.1:5052/system/v1/logs/v2/task/done/file/stderr',
    ],
    ['/system/v1/logs/v2/task/none/file/stdout', '404'],
    ['/system/v1/logs/v2/component', '501'],
    ['/system/v1/leader/mesos/logs', '501'],
    ['/system/health/v1/units', 'health'],
    ['/dcos-metadata/dcos-version.json', 'version'],
    ['/dcos-metadata/ui-config.json', 'uiConfig'],
    ['/metadata', 'metadata'],
    ['/pkgpanda/active.buildinfo.full.json', 'empty'],
    ['/acs/api/v1/auth/providers', 'empty'],
    ['/acs/api/v1/users', '501'],
    ['/cluster/v1/links', 'links'],
    ['/net/v1/nodes', 'netNodes'],
    ['/package/search', '501'],
    ['/capabilities', '501'],
    ['/service/metronome/v1/jobs', '501'],
    ['/exhibitor/', '501'],
  ])('%s goes to %s', (target, expected) => {
    expect(outcome(target)).toBe(expected);
  });
});

describe('services', () => {
  test.each([
    ['/service/jenkins/job/x?y', 'http://127.0.0.1:31000/job/x?y'],
    ['/service/dev/api/', 'https://127.0.0.1:31001/'],
    ['/service/dev/api', 'https://127.0.0.1:31001/'],
    ['/service/kept/x', 'http://127.0.0.1:31000/service/kept/x'],
    ['/service/far/', '404'],
    ['/service/staging/', '404'],
    ['/service/foreign/', '404'],
    ['/service/spark/jobs/', 'http://10.0.0.3:4040/base/jobs/'],
    ['/service/f-1/jobs', 'http://10.0.0.2:4040/jobs'],
    ['/service/a/b/page', 'http://10.0.0.4:1/page'],
    ['/service/looked/x', 'lookUp'],
    ['/service/nopage/', '404'],
    ['/service/odd/', '503'],
    ['/service/1/2/3/4/5/6/7/8/9/10/jenkins/', '404'],
  ])('%s goes to %s', (target, expected) => {
    expect(outcome(target)).toBe(expected);
  });

  test('Marathon is found as a framework when its address is not given', () => {
    const route = decideRoute({ method: 'GET', target: '/service/marathon/ping' }, clusterView(), {
      marathonUrl: undefined,
      mesosDnsUrl: undefined,
      hasAuthorities: false,
    });
    expect(route).toMatchObject({ kind: 'proxy', origin: 'http://10.0.0.9:8080', target: '/ping' });
  });

  test('an app without the labels is told which ones it needs', () => {
    expect(decide('/service/webserver/')).toMatchObject({
      status: 404,
      problem: expect.stringContaining('DCOS_SERVICE_NAME'),
    });
  });

  test('a service follows its task', () => {
    const view = clusterView();
    view.apply({
      kind: 'taskUpdated',
      frameworkId: { value: 'f-0' },
      status: { task_id: { value: 'app.1' }, state: 'TASK_FAILED' },
      state: 'TASK_FAILED',
    });
    expect(decide('/service/jenkins/', view)).toMatchObject({ kind: 'fail', status: 404 });
    expect(decide('/system/v1/logs/v2/task/app.1/file/stdout', view)).toMatchObject({
      kind: 'proxy',
    });
  });
});

test.each([
  '/mesos/state',
  '/agent/m-S0/',
  '/service/spark/',
  '/system/v1/logs/v2/task/t/file/stdout',
  '/system/v1/incidents',
])('%s waits for the first snapshot', (target) => {
  expect(decide(target, new ClusterView({ agentsSpeakTls: false }))).toMatchObject({
    kind: 'fail',
    status: 503,
  });
});

test.each([
  ['/service/marathon/ping', true],
  ['/service/spark/', false],
])('of %s a leader is followed where it has leaders: %s', (target, followsLeader) => {
  const found = { ...options, marathonUrl: undefined };
  expect(decideRoute({ method: 'GET', target }, clusterView(), found)).toMatchObject({
    kind: 'proxy',
    followsLeader,
  });
});

test('the authorities are given out where there are any', () => {
  const target = { method: 'GET', target: '/ca/dcos-ca.crt' };
  const known = { ...options, hasAuthorities: true };
  expect(decideRoute(target, clusterView(), known)).toEqual({
    kind: 'document',
    name: 'authorities',
  });
  expect(decideRoute(target, clusterView(), options)).toMatchObject({ kind: 'fail', status: 501 });
});

describe('another master leads', () => {
  test('services stay while it waits for the agents of its registry, and go when they are not there any more', () => {
    const view = clusterView();
    view.apply(newLeader(['m-S0']));
    expect(decide('/service/jenkins/', view)).toMatchObject({ origin: 'http://127.0.0.1:31000' });
    expect(decide('/agent/m-S0/', view).kind).toBe('proxy');
    expect(decide('/agent/m-S1/', view)).toMatchObject({ status: 404 });
    view.apply({ kind: 'agentAdded', agent: agent('m-S0', 5051) });
    expect(decide('/service/kept/', view).kind).toBe('proxy');
    view.apply({ kind: 'taskAdded', task: task('app.1', 'm-S0', labels('jenkins')) });
    view.apply({ kind: 'heartbeat' });
    expect(decide('/service/jenkins/', view)).toMatchObject({ origin: 'http://127.0.0.1:31000' });
    expect(decide('/service/kept/', view)).toMatchObject({ status: 404 });
  });

  test('nothing stays of an agent that its registry does not hold', () => {
    const view = clusterView();
    view.apply(newLeader([]));
    expect(decide('/service/jenkins/', view)).toMatchObject({ status: 404 });
  });
});
