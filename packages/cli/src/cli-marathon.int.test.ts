/**
 * `dcos marathon` as a process against a stub: output, errors and exit codes to the byte.
 */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCliScene } from './testing/cli-scene.ts';
import type { CliScene } from './testing/cli-scene.ts';
import { webserverApp, webserverDeployment, webserverQueueItem } from './testing/documents.ts';
import type { StubRoutes } from './testing/stub-cluster.ts';

let scene: CliScene;

beforeEach(async () => {
  scene = await createCliScene();
});

afterEach(() => scene.end());

const marathon = '/service/marathon/v2';
const notice = '/webserver: 1 instance waits: hostname UNIQUE turned down 4 of 4 offers\n';

const waitingApp: StubRoutes = {
  [`GET ${marathon}/apps`]: { json: { apps: [webserverApp] } },
  [`GET ${marathon}/apps/webserver`]: { json: { app: webserverApp } },
  [`GET ${marathon}/deployments`]: { json: [webserverDeployment] },
  [`GET ${marathon}/queue`]: { json: { queue: [webserverQueueItem] } },
};

describe('an app that waits', () => {
  test('app list shows it and says why', async () => {
    await scene.attach(waitingApp);
    expect(await scene.dcos('marathon app list')).toEqual({
      code: 0,
      stdout:
        '      ID      MEM  CPUS  TASKS  HEALTH  DEPLOYMENT  WAITING  CONTAINER               CMD                ROLE\n' +
        '  /webserver  32   0.5   1/2    ---     scale       True     mesos      python3 -m http.server $POR...  *\n',
      stderr: notice,
    });
    expect(await scene.dcos('marathon app list -q')).toEqual({
      code: 0,
      stdout: '/webserver\n',
      stderr: '',
    });
    const json = await scene.dcos('marathon app list --json');
    expect(json.stdout).toBe(`${JSON.stringify([webserverApp], undefined, 4)}\n`);
    expect(json.stderr).toBe('');
  });

  test('app show and debug say which constraint turned down how many offers', async () => {
    await scene.attach(waitingApp);
    expect(await scene.dcos('marathon app show webserver')).toEqual({
      code: 0,
      stdout: `${JSON.stringify(webserverApp, undefined, 4)}\n`,
      stderr: notice,
    });
    expect(await scene.dcos('marathon debug summary /webserver')).toEqual({
      code: 0,
      stdout:
        '   RESOURCE         REQUESTED        MATCHED  PERCENTAGE\n' +
        '  ROLE         [slave_public]        4 / 4    100.00%\n' +
        '  CONSTRAINTS  [[hostname, UNIQUE]]  0 / 4    0.00%\n' +
        '  CPUS         0.5                   0 / 0    ---\n' +
        '  MEM          32                    0 / 0    ---\n' +
        '  DISK         0                     0 / 0    ---\n' +
        '  PORTS        ---                   0 / 0    ---\n',
      stderr: notice,
    });
    expect(await scene.dcos('marathon debug details /webserver')).toEqual({
      code: 0,
      stdout:
        '  HOSTNAME  ROLE  CONSTRAINTS  CPUS  MEM  DISK  PORTS  SCARCE          RECEIVED\n' +
        '  agent-1   ok    -            ok    ok   ok    ok     ok      2026-11-20T14:00:09.000Z\n',
      stderr: notice,
    });
    expect(await scene.dcos('marathon debug list')).toEqual({
      code: 0,
      stdout:
        '      ID               SINCE            INSTANCES TO LAUNCH  WAITING  PROCESSED OFFERS  ' +
        'UNUSED OFFERS     LAST UNUSED OFFER      LAST USED OFFER\n' +
        '  /webserver  2026-11-20T14:00:01.000Z                    1  True                    4  ' +
        '            4  2026-11-20T14:00:09.000Z  ---\n',
      stderr: notice,
    });
    expect(await scene.dcos('marathon debug summary /other')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Error: "/other" is not waiting: the launch queue does not hold it\n',
    });
  });
});

describe('deployments', () => {
  const id = '6a9c1e7a-0000-4000-8000-000000000001';

  test('list, and an error when there is none', async () => {
    let deployments = [webserverDeployment];
    await scene.attach({ [`GET ${marathon}/deployments`]: () => ({ json: deployments }) });
    expect(await scene.dcos('marathon deployment list')).toEqual({
      code: 0,
      stderr: '',
      stdout:
        '   APP      POD  ACTION  PROGRESS                   ID\n' +
        `/webserver  -    scale   0/1       ${id}\n`,
    });
    deployments = [];
    expect(await scene.dcos('marathon deployment list')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Error: there are no deployments\n',
    });
    expect(await scene.dcos('marathon deployment list --json')).toEqual({
      code: 0,
      stdout: '[]\n',
      stderr: '',
    });
  });

  test('watch ends when the deployment is gone; rollback prints the new one', async () => {
    let looks = 0;
    await scene.attach({
      [`GET ${marathon}/deployments`]: () => {
        looks += 1;
        return { json: looks < 3 ? [webserverDeployment] : [] };
      },
      [`DELETE ${marathon}/deployments/${id}`]: { json: { version: 'v', deploymentId: 'd-3' } },
    });
    const watched = await scene.dcos(`marathon deployment watch ${id} --interval 0.1`);
    expect(watched.code).toBe(0);
    expect(watched.stdout.match(/Deployment update time: /g)).toHaveLength(2);
    expect(await scene.dcos(`marathon deployment rollback ${id}`)).toEqual({
      code: 0,
      stdout: '{\n  "version": "v",\n  "deploymentId": "d-3"\n}\n',
      stderr: '',
    });
  });
});

test('ping asks once for each master', async () => {
  const cluster = await scene.attach({
    'GET /mesos_dns/v1/hosts/master.mesos': { json: [{ host: 'master.mesos.', ip: '127.0.0.1' }] },
    'GET /service/marathon/ping': { text: 'pong' },
  });
  expect((await scene.dcos('marathon ping')).stdout).toBe('Marathon ping response[1x]: "pong"\n');
  expect(cluster.requests).toHaveLength(2);
});

test('task list, kill of an unknown task, and delay reset', async () => {
  await scene.attach({
    [`GET ${marathon}/tasks`]: {
      json: {
        tasks: [
          {
            id: 'webserver.instance-1._app.1',
            appId: '/webserver',
            host: 'agent-1',
            state: 'TASK_RUNNING',
            startedAt: '2026-11-20T14:00:02.000Z',
            healthCheckResults: [],
            role: '*',
          },
        ],
      },
    },
    [`POST ${marathon}/tasks/delete`]: { json: { tasks: [] } },
    [`DELETE ${marathon}/queue/webserver/delay`]: { status: 204 },
  });
  expect((await scene.dcos('marathon task list')).stdout).toBe(
    '   APP      HEALTHY          STARTED            HOST                ID               ROLE\n' +
      '/webserver  True     2026-11-20T14:00:02.000Z  agent-1  webserver.instance-1._app.1  *\n',
  );
  expect(await scene.dcos('marathon task kill t-9')).toMatchObject({
    code: 1,
    stderr: 'Error: no task was killed: none has the ID t-9\n',
  });
  expect((await scene.dcos('marathon delay reset webserver')).stdout).toBe(
    'Reset delay for service /webserver\n',
  );
});

test('versions of an app, counted back from the newest', async () => {
  const versions = ['2026-11-20T14:02:00.000Z', '2026-11-20T14:01:00.000Z'];
  const cluster = await scene.attach({
    [`GET ${marathon}/apps/webserver/versions`]: { json: { versions } },
    [`GET ${marathon}/apps/webserver/versions/${encodeURIComponent(versions[1] ?? '')}`]: {
      json: { id: '/webserver', version: versions[1] ?? '' },
    },
  });
  expect((await scene.dcos('marathon app version list webserver --max-count=1')).stdout).toBe(
    `[\n  "${versions[0]}"\n]\n`,
  );
  const old = await scene.dcos('marathon app show webserver --app-version=-1');
  expect(JSON.parse(old.stdout)).toEqual({ id: '/webserver', version: versions[1] });
  expect(await scene.dcos('marathon app show webserver --app-version=-2')).toMatchObject({
    code: 1,
    stderr: 'Error: there are only 2 versions, -2 goes back too far\n',
  });
  expect(cluster.requests).toHaveLength(4);
});

test('groups are listed, added, scaled and removed', async () => {
  const created = { json: { version: 'v', deploymentId: 'd-5' } };
  const cluster = await scene.attach({
    [`GET ${marathon}/groups`]: {
      json: {
        id: '/',
        apps: [],
        groups: [{ id: '/shop', apps: [{ id: '/shop/db' }], groups: [] }],
      },
    },
    [`GET ${marathon}/groups/shop`]: { json: { id: '/shop' } },
    [`PUT ${marathon}/groups/shop`]: created,
    [`POST ${marathon}/groups`]: { status: 201, ...created },
    [`DELETE ${marathon}/groups/shop`]: created,
    [`GET ${marathon}/groups/new`]: {
      status: 404,
      json: { message: "Group '/new' does not exist" },
    },
  });
  const line = { code: 0, stdout: 'Created deployment d-5\n', stderr: '' };
  expect((await scene.dcos('marathon group list')).stdout).toBe(
    ' ID    APPS  ENFORCE_ROLE\n/shop     1  False\n',
  );
  expect(await scene.dcos('marathon group scale shop 1.5')).toEqual(line);
  expect(await scene.dcos('marathon group add', { input: '{"id":"new","apps":[]}' })).toEqual(line);
  expect(await scene.dcos('marathon group add --id shop', { input: '{}' })).toMatchObject({
    code: 1,
    stderr: 'Error: the group "/shop" exists already\n',
  });
  expect(await scene.dcos('marathon group remove shop --force')).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  const writes = cluster.requests.filter((request) => request.method !== 'GET');
  expect(
    writes.map((request) => `${request.method} ${request.url} ${request.body}`.trim()),
  ).toEqual([
    `PUT ${marathon}/groups/shop {"scaleBy":1.5}`,
    `POST ${marathon}/groups {"id":"new","apps":[]}`,
    `DELETE ${marathon}/groups/shop?force=true`,
  ]);
});
