/**
 * `dcos task`, `dcos node` and `dcos service` as processes against a stub.
 */

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCliScene } from './testing/cli-scene.ts';
import type { CliScene } from './testing/cli-scene.ts';
import { stateDocument, taskDocument } from './testing/documents.ts';
import type { StubRoutes } from './testing/stub-cluster.ts';

let scene: CliScene;

beforeEach(async () => {
  scene = await createCliScene();
});

afterEach(() => scene.end());

const state: StubRoutes = { 'GET /mesos/master/state': { json: stateDocument } };
const first = 'webserver.instance-1._app.1';
const second = 'webserver.instance-2._app.1';
const logOf = (task: string, file = 'stdout'): string =>
  `GET /system/v1/logs/v2/task/${task}/file/${file}`;

describe('task list', () => {
  test('as a table, as identifiers, filtered', async () => {
    await scene.attach(state);
    expect(await scene.dcos('task list')).toEqual({
      code: 0,
      stderr: '',
      stdout:
        '    NAME      HOST    USER     STATE                  ID               AGENT ID  REGION  ZONE\n' +
        `  webserver  agent-1  root  TASK_RUNNING  ${first}  4f2a-S0   local   box\n` +
        `  webserver  agent-1  root  TASK_RUNNING  ${second}  4f2a-S0   local   box\n`,
    });
    expect((await scene.dcos('task list -q instance-2')).stdout).toBe(`${second}\n`);
    expect((await scene.dcos('task list -q *-1._app.*')).stdout).toBe(`${first}\n`);
    expect((await scene.dcos('task list -q --completed')).stdout).toBe(
      'webserver.instance-0._app.1\n',
    );
    expect((await scene.dcos('task list -q --all')).stdout.split('\n')).toHaveLength(4);
    expect((await scene.dcos('task list -q --agent-id other')).stdout).toBe('');
    expect(await scene.dcos('task list --all --completed')).toMatchObject({
      code: 1,
      stderr: 'Error: --all and --completed exclude each other\n',
    });
  });
});

describe('task log', () => {
  test('prints the end of a file as it is', async () => {
    const cluster = await scene.attach({ ...state, [logOf(first)]: { text: 'one\ntwo\n' } });
    expect(await scene.dcos(`task log ${first} --lines=2`)).toEqual({
      code: 0,
      stdout: 'one\ntwo\n',
      stderr: '',
    });
    expect(cluster.requests.at(-1)?.url).toMatch(/\?cursor=END&skip=-2$/);
    expect(cluster.requests.at(-1)?.headers.accept).toBe('text/plain');
  });

  test('puts headings above the logs of several tasks', async () => {
    await scene.attach({
      ...state,
      [logOf(first, 'stderr')]: { text: 'one\n' },
      [logOf(second, 'stderr')]: { status: 204 },
    });
    expect(await scene.dcos('task log webserver stderr')).toEqual({
      code: 0,
      stdout: `===> ${first} <===\none\n===> ${second} <===\n`,
      stderr: `No logs found for "${second}".\n`,
    });
  });

  test('points to standard error where standard output is empty', async () => {
    await scene.attach({ ...state, [logOf(first, 'stdout')]: { status: 204 } });
    expect(await scene.dcos(`task log ${first}`)).toEqual({
      code: 0,
      stdout: '',
      stderr:
        `No logs found for "${first}".\n` +
        `Standard error is a file of its own: "dcos task log ${first} stderr".\n`,
    });
  });

  test('says that only ended tasks match', async () => {
    await scene.attach(state);
    expect(await scene.dcos('task log instance-0')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'Error: no task found that matches "instance-0". ' +
        '1 completed ones do: use --completed or --all.\n',
    });
  });

  test('follows through a broken connection without losing or doubling a line', async () => {
    let connections = 0;
    const cluster = await scene.attach({
      ...state,
      [logOf(first)]: (_request, response) => {
        connections += 1;
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        if (connections === 1) {
          // One line arrives in two pieces, then the connection breaks.
          response.write(`${entry('line 1', '7')}data: {"fields":{"MESS`);
          response.write('AGE":"line 2"},"cursor":"14"}\n\n', () => response.destroy());
        } else response.write(`${entry('line 2', '14')}${entry('line 3', '21')}`);
        return undefined;
      },
    });
    const running = scene.home.start(['task', 'log', '--follow', first]);
    await running.printed('line 3');
    running.child.kill('SIGINT');
    expect(await running.result).toEqual({
      code: 0,
      stdout: 'line 1\nline 2\nline 3\n',
      stderr: '',
    });
    const urls = cluster.lines().filter((line) => line.includes('/logs/'));
    expect(urls.map((line) => line.split('?')[1])).toEqual(['cursor=END&skip=-10', 'cursor=14']);
  });

  test('ends when the task has ended and the server closes the stream', async () => {
    const ended = 'webserver.instance-0._app.1';
    await scene.attach({
      ...state,
      [logOf(ended)]: (request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(request.url.includes('END') ? entry('bye', '4') : '');
        return undefined;
      },
    });
    expect(await scene.dcos(`task log --follow --completed ${ended}`)).toMatchObject({
      code: 0,
      stdout: 'bye\n',
    });
  });

  test('a refusal ends following with its text', async () => {
    await scene.attach({ ...state, [logOf(first)]: { status: 404, text: 'no such file\n' } });
    const result = await scene.dcos(`task log --follow ${first}`);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(/^Error: GET .* answered HTTP 404: no such file\n$/);
  });
});

describe('files', () => {
  const sandbox = `/var/slaves/4f2a-S0/frameworks/4f2a-0000/executors/${first}/runs/c0ffee`;
  const file = (path: string, mode: string, size: number): Record<string, string | number> => ({
    path,
    mode,
    nlink: 1,
    uid: 'root',
    gid: 'root',
    size,
    mtime: 1_795_183_267,
  });
  const files: StubRoutes = {
    ...state,
    'GET /agent/4f2a-S0/files/debug': { json: { [`/slave${sandbox}`]: sandbox } },
    'GET /agent/4f2a-S0/files/browse': ({ url }) => {
      const path = new URL(url, 'http://stub').searchParams.get('path');
      if (path === sandbox) {
        return {
          json: [
            file(`${sandbox}/stdout`, '-rw-r--r--', 4),
            file(`${sandbox}/logs`, 'drwxr-xr-x', 4096),
          ],
        };
      }
      if (path === `${sandbox}/logs`) {
        return { json: [file(`${sandbox}/logs/a.log`, '-rw-r--r--', 3)] };
      }
      return { status: 404 };
    },
    'GET /agent/4f2a-S0/files/download': ({ url }) => ({
      text: url.endsWith('a.log') ? 'log' : 'out\n',
    }),
  };

  test('ls lists names, or everything', async () => {
    await scene.attach(files);
    expect(await scene.dcos(`task ls ${first}`)).toEqual({
      code: 0,
      stdout: 'logs\nstdout\n',
      stderr: '',
    });
    expect((await scene.dcos(`task ls --long ${first} logs`)).stdout).toBe(
      '     MODE     LINKS  UID   GID   SIZE      DATE      NAME\n' +
        '  -rw-r--r--      1  root  root     3  Nov 20 14:01  a.log\n',
    );
    expect(await scene.dcos(`task ls ${first} nope`)).toMatchObject({
      code: 1,
      stderr: 'Error: there is no "nope" in the sandbox\n',
    });
    expect(await scene.dcos('task ls webserver')).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: several tasks match "webserver":\n  ${first}\n  ${second}\n`,
    });
  });

  test('download copies everything, or what matches', async () => {
    await scene.attach(files);
    const target = join(scene.home.directory, 'out');
    await mkdir(target);
    expect(await scene.dcos(`task download ${first} --target-dir out`)).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(await readFile(join(target, 'stdout'), 'utf8')).toBe('out\n');
    expect(await readFile(join(target, 'logs', 'a.log'), 'utf8')).toBe('log');
    expect(await scene.dcos(`task download ${first} *.txt`)).toMatchObject({
      code: 1,
      stderr: 'Error: no file in the sandbox matches "*.txt"\n',
    });
  });
});

test('node list joins agents and masters', async () => {
  await scene.attach({
    ...state,
    'GET /mesos/master/state-summary': {
      json: { slaves: [{ id: '4f2a-S0', TASK_RUNNING: 2, framework_ids: ['4f2a-0000'] }] },
    },
    'GET /mesos_dns/v1/hosts/master.mesos': { json: [{ host: 'master.mesos.', ip: '127.0.0.1' }] },
  });
  expect(await scene.dcos('node list --field attributes.public_ip')).toEqual({
    code: 0,
    stderr: '',
    stdout:
      '    HOSTNAME        IP      PUBLIC IP(S)    ID          TYPE        STATUS  REGION  ZONE  ATTRIBUTES.PUBLIC_IP\n' +
      '  agent-1        127.0.0.1  N/A           4f2a-S0  agent (public)   ACTIVE  local   box   true\n' +
      '  master.mesos.  127.0.0.1  N/A           4f2a     master (leader)  N/A     N/A     N/A   N/A\n',
  });
  expect((await scene.dcos('node list --mesos-id')).stdout).toBe('4f2a-S0\n');
  const [agent] = JSON.parse((await scene.dcos('node list --json')).stdout) as unknown[];
  expect(agent).toMatchObject({ TASK_RUNNING: 2, type: 'agent (public)', status: 'ACTIVE' });
});

test('incident list shows what was lost, and asks for what is wanted', async () => {
  const incidents = [
    {
      id: '17',
      summary: 'Agent h is away: its connection broke. 1 task was affected: 1 TASK_LOST.',
      started_at: '2026-11-27T03:02:11.120Z',
      tasks_affected: 1,
    },
    {
      id: '4',
      summary: 'The master on h took over: another master led before.',
      started_at: '2026-11-26T21:00:00.000Z',
      outcome: 'DONE',
      tasks_affected: 0,
    },
  ];
  const cluster = await scene.attach({ 'GET /system/v1/incidents': { json: { incidents } } });
  expect(await scene.dcos('incident list --since 2026-11-26 --limit 2')).toEqual({
    code: 0,
    stderr: '',
    stdout:
      `        STARTED         STATE    TASKS${' '.repeat(31)}WHAT HAPPENED\n` +
      `  2026-11-27 03:02:11  GOING ON      1  ${incidents[0]?.summary}\n` +
      `  2026-11-26 21:00:00  DONE          0  ${incidents[1]?.summary}\n`,
  });
  expect(cluster.lines()).toEqual(['GET /system/v1/incidents?since=2026-11-26&limit=2']);
  expect((await scene.dcos('incident list -q')).stdout).toBe('17\n4\n');
  expect(JSON.parse((await scene.dcos('incident list --json')).stdout)).toEqual(incidents);
  expect((await scene.dcos('incident list --limit 501')).stderr).toBe(
    'Error: --limit must be a whole number from 1 to 500, not "501"\n',
  );
});

test('service list and shutdown', async () => {
  const cluster = await scene.attach({ ...state, 'POST /mesos/api/v1': { status: 200 } });
  expect((await scene.dcos('service list')).stdout).toBe(
    '    NAME      HOST     ACTIVE  TASKS  CPU  MEM   DISK     ID\n' +
      '  marathon  127.0.0.1  True        2  1.0  64.0   0.0  4f2a-0000\n',
  );
  expect((await scene.dcos('service list -q --inactive')).stdout).toBe('idle\nmarathon\n');
  expect(await scene.dcos('service shutdown 4f2a-0000', { input: 'no\n' })).toEqual({
    code: 1,
    stdout: 'Shut down "marathon" (4f2a-0000) and kill all of its tasks? [yes/no] ',
    stderr: 'Error: nothing was changed, since the question was not answered with yes\n',
  });
  expect(cluster.requests.some((request) => request.method === 'POST')).toBe(false);
  expect((await scene.dcos('service shutdown 4f2a-0000 --yes')).code).toBe(0);
  expect(cluster.requests.at(-1)?.body).toBe(
    '{"type":"TEARDOWN","teardown":{"framework_id":{"value":"4f2a-0000"}}}',
  );
  expect(await scene.dcos('service shutdown nope --yes')).toMatchObject({
    code: 1,
    stderr: 'Error: there is no service with the ID "nope"\n',
  });
});

test('a reader that goes away early is no error', async () => {
  const tasks = Array.from({ length: 2000 }, (_value, index) => taskDocument(`task-${index}`));
  await scene.attach({
    'GET /mesos/master/state': { json: { frameworks: [{ id: 'f', tasks }] } },
  });
  const running = scene.home.start(['task', 'list', '--json']);
  running.child.stdout.once('data', () => running.child.stdout.destroy());
  const result = await running.result;
  expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' });
});

test('a cluster without a leading master, and one that answers HTML', async () => {
  let reply: { status?: number; text: string } = { status: 503, text: 'No leader elected' };
  const cluster = await scene.attach({ 'GET /mesos/master/state': () => reply });
  expect(await scene.dcos('task list')).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'Error: the cluster has no leading Mesos master at the moment. Try again in a few seconds.\n',
  });
  reply = { text: '<html>' };
  expect(await scene.dcos('task list')).toMatchObject({
    code: 1,
    stderr: `Error: GET ${cluster.url}/mesos/master/state answered something that is no JSON. Is it a DC/OS cluster?\n`,
  });
});

function entry(message: string, cursor: string): string {
  return `id: ${cursor}\ndata: ${JSON.stringify({ fields: { MESSAGE: message }, cursor })}\n\n`;
}
