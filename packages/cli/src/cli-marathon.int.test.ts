/**
 * `dcos marathon` as a process against a stub: output, errors and exit codes to the byte.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

describe('app add', () => {
  const definition = '{"id":"webserver","cmd":"sleep 100","cpus":0.1,"mem":32}';
  const absent = { status: 404, json: { message: "App '/webserver' does not exist" } };

  test('posts the definition of a file or of standard input and prints the deployment', async () => {
    const cluster = await scene.attach({
      [`GET ${marathon}/apps/webserver`]: absent,
      [`POST ${marathon}/apps/`]: {
        status: 201,
        json: { id: '/webserver', deployments: [{ id: 'd-1' }] },
      },
    });
    await writeFile(join(scene.home.directory, 'app.json'), definition);
    const expected = { code: 0, stdout: 'Created deployment d-1\n', stderr: '' };
    expect(await scene.dcos('marathon app add app.json')).toEqual(expected);
    expect(await scene.dcos('marathon app add', { input: definition })).toEqual(expected);
    expect(cluster.lines().slice(0, 2)).toEqual([
      `GET ${marathon}/apps/webserver`,
      `POST ${marathon}/apps/`,
    ]);
    expect(cluster.requests[1]?.body).toBe(definition);
  });

  test.each([
    [
      '{"id": "a",\n  "cpus": }',
      'Error: standard input is not valid JSON: line 2, column 11: expected a value, found "}"\n',
    ],
    ['[]', 'Error: standard input must hold one JSON object\n'],
    ['{"cmd":"x"}', 'Error: standard input has no "id"\n'],
    ['', 'Error: standard input is empty\n'],
  ])('refuses %j before anything is sent', async (input, stderr) => {
    const cluster = await scene.attach({});
    expect(await scene.dcos('marathon app add', { input })).toEqual({
      code: 1,
      stdout: '',
      stderr,
    });
    expect(cluster.requests).toEqual([]);
  });

  test('a file that is not there', async () => {
    await scene.attach({});
    expect(await scene.dcos('marathon app add nope.json')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Error: cannot read nope.json: there is no such file\n',
    });
  });

  test('shows the places that the server complains about', async () => {
    await scene.attach({
      [`GET ${marathon}/apps/webserver`]: absent,
      [`POST ${marathon}/apps/`]: {
        status: 422,
        json: {
          message: 'Object is not valid',
          details: [
            { path: '/constraints(0)', errors: ['unknown operator NOPE'] },
            { path: '/cpus', errors: ['error.min', 'error.expected.jsnumber'] },
          ],
        },
      },
    });
    expect(await scene.dcos('marathon app add', { input: definition })).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'Error: Object is not valid\n' +
        '  /constraints(0): unknown operator NOPE\n' +
        '  /cpus: error.min, error.expected.jsnumber\n',
    });
  });

  test('an app that exists is left alone', async () => {
    const cluster = await scene.attach(waitingApp);
    expect(await scene.dcos('marathon app add', { input: definition })).toMatchObject({
      code: 1,
      stderr:
        'Error: the app "/webserver" exists already. ' +
        'Change it with "dcos marathon app update /webserver".\n',
    });
    expect(cluster.requests.map((request) => request.method)).toEqual(['GET']);
  });
});

describe('changes of an app', () => {
  const changed = { json: { version: '2026-11-20T14:00:00.000Z', deploymentId: 'd-2' } };
  const created = { code: 0, stdout: 'Created deployment d-2\n', stderr: '' };

  test('update, stop, restart, remove and kill send what the original sends', async () => {
    const cluster = await scene.attach({
      ...waitingApp,
      [`PUT ${marathon}/apps/webserver`]: changed,
      [`POST ${marathon}/apps/webserver/restart`]: changed,
      [`DELETE ${marathon}/apps/webserver`]: changed,
      [`DELETE ${marathon}/apps/webserver/tasks`]: { json: { tasks: [{ id: 't-1' }] } },
    });
    expect(await scene.dcos('marathon app update webserver instances=3 cmd=true')).toEqual(created);
    expect(await scene.dcos('marathon app stop webserver --force')).toEqual(created);
    expect(await scene.dcos('marathon app restart webserver')).toEqual(created);
    expect(await scene.dcos('marathon app kill webserver --scale')).toMatchObject({ code: 0 });
    expect(await scene.dcos('marathon app remove webserver')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(await scene.dcos('marathon app kill webserver --host agent-1')).toEqual({
      code: 0,
      stdout: '[\n    {\n        "id": "t-1"\n    }\n]\n',
      stderr: '',
    });
    const writes = cluster.requests
      .filter((request) => request.method !== 'GET')
      .map((request) => `${request.method} ${request.url} ${request.body}`.trim());
    expect(writes).toEqual([
      `PUT ${marathon}/apps/webserver {"instances":3,"cmd":true}`,
      `PUT ${marathon}/apps/webserver?force=true {"instances":0}`,
      `POST ${marathon}/apps/webserver/restart {}`,
      `PUT ${marathon}/apps/webserver {"instances":0}`,
      `DELETE ${marathon}/apps/webserver`,
      `DELETE ${marathon}/apps/webserver/tasks?host=agent-1`,
    ]);
  });

  test('a misspelt property is refused', async () => {
    const cluster = await scene.attach(waitingApp);
    expect(await scene.dcos('marathon app update webserver instnces=3')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Error: "instnces" is not a known property. Did you mean "instances"?\n',
    });
    expect(cluster.requests).toEqual([]);
  });

  test('start refuses a running app', async () => {
    await scene.attach(waitingApp);
    expect(await scene.dcos('marathon app start webserver 3')).toMatchObject({
      code: 1,
      stderr:
        'Error: the app "/webserver" is started already, with 2 instances. ' +
        'Scale it with "dcos marathon app update /webserver instances=3".\n',
    });
  });

  test('a locked app names the deployment that locks it', async () => {
    await scene.attach({
      ...waitingApp,
      [`PUT ${marathon}/apps/webserver`]: {
        status: 409,
        json: { message: 'App is locked', deployments: [{ id: 'd-9' }] },
      },
    });
    expect(await scene.dcos('marathon app stop webserver')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'Error: changes are blocked by the running deployment d-9.\n' +
        'Wait for it ("dcos marathon deployment watch d-9"), undo it ' +
        '("dcos marathon deployment rollback d-9") or use --force.\n',
    });
  });

  test('an unknown app', async () => {
    await scene.attach({
      [`GET ${marathon}/apps/nope`]: {
        status: 404,
        json: { message: "App '/nope' does not exist" },
      },
    });
    for (const command of ['show', 'stop', 'restart', 'update']) {
      expect(
        await scene.dcos(`marathon app ${command} nope${command === 'update' ? ' cpus=1' : ''}`),
      ).toEqual({
        code: 1,
        stdout: '',
        stderr: "Error: App '/nope' does not exist\n",
      });
    }
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
