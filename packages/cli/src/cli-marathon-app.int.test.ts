/**
 * Changes through `dcos marathon app`, as a process against a stub: output, errors and exit codes to the byte.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCliScene } from './testing/cli-scene.ts';
import type { CliScene } from './testing/cli-scene.ts';
import { webserverApp } from './testing/documents.ts';
import type { StubRoutes } from './testing/stub-cluster.ts';

let scene: CliScene;

beforeEach(async () => {
  scene = await createCliScene();
});

afterEach(() => scene.end());

const marathon = '/service/marathon/v2';

const present: StubRoutes = {
  [`GET ${marathon}/apps/webserver`]: { json: { app: webserverApp } },
};

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

  test('says which fields have no effect', async () => {
    await scene.attach({
      [`GET ${marathon}/apps/webserver`]: absent,
      [`POST ${marathon}/apps/`]: { status: 201, json: { deployments: [{ id: 'd-1' }] } },
    });
    const input = '{"id":"webserver","cmd":"sleep 100","instance":3}';
    expect(await scene.dcos('marathon app add', { input })).toEqual({
      code: 0,
      stdout: 'Created deployment d-1\n',
      stderr: '"instance" is no field of an app and has no effect. Did you mean "instances"?\n',
    });
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
    const cluster = await scene.attach(present);
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
      ...present,
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
    const cluster = await scene.attach(present);
    expect(await scene.dcos('marathon app update webserver instnces=3')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Error: "instnces" is not a known property. Did you mean "instances"?\n',
    });
    expect(cluster.requests).toEqual([]);
  });

  test('start refuses a running app', async () => {
    await scene.attach(present);
    expect(await scene.dcos('marathon app start webserver 3')).toMatchObject({
      code: 1,
      stderr:
        'Error: the app "/webserver" is started already, with 2 instances. ' +
        'Scale it with "dcos marathon app update /webserver instances=3".\n',
    });
  });

  test('a locked app names the deployment that locks it', async () => {
    await scene.attach({
      ...present,
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
