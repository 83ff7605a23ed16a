/** What viewers see who may not see everything: in every view, and in the operators' events. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { masterApi, type FrameworkInfo, type Task } from '@dcos/wire';
import { openStream, postJson, registerAgent, send } from '../testing/http-client.ts';
import { closeAfterTest, startTestMaster } from '../testing/running-master.ts';
import { frameworkInfo, resources } from '../testing/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'views-'));
const credentials = join(folder, 'credentials');
writeFileSync(credentials, 'ops top\nalice low\n');
afterAll(() => rmSync(folder, { recursive: true }));

const as = (principal: string, secret: string): { readonly authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${principal}:${secret}`).toString('base64')}`,
});
const OPS = as('ops', 'top');
const ALICE = as('alice', 'low');

/** Alice may see what is hers; everybody else may see everything. */
const onlyHers = (field: string, ...hers: readonly string[]): readonly object[] => [
  { principals: { values: ['alice'] }, [field]: { values: hers } },
  { principals: { values: ['alice'] }, [field]: { type: 'NONE' } },
];
const ACLS = {
  view_frameworks: onlyHers('users', 'alice', 'shared'),
  view_tasks: onlyHers('users', 'alice'),
  view_executors: onlyHers('users', 'alice'),
  view_roles: onlyHers('roles', 'alice', 'alice/%'),
  get_quotas: onlyHers('roles', 'alice'),
  view_flags: [{ principals: { values: ['alice'] }, flags: { type: 'NONE' } }],
};

function framework(id: string, user: string): FrameworkInfo {
  return frameworkInfo({ id: { value: id }, user, name: id, roles: [user] });
}

function task(id: string, frameworkId: string, role: string, user?: string): Task {
  return {
    name: id,
    task_id: { value: id },
    framework_id: { value: frameworkId },
    agent_id: { value: 'S7' },
    state: 'TASK_RUNNING',
    resources: resources({ cpus: 1 }).map((resource) => ({
      ...resource,
      allocation_info: { role },
    })),
    statuses: [{ task_id: { value: id }, state: 'TASK_RUNNING', timestamp: 1 }],
    ...(user !== undefined && { user }),
  };
}

const reserved = (role: string): object[] =>
  resources({ mem: 64 }).map((resource) => ({
    ...resource,
    reservations: [{ type: 'DYNAMIC', role }],
  }));

let url = '';
let agent: Awaited<ReturnType<typeof registerAgent>>;

beforeEach(async () => {
  const master = await startTestMaster({
    credentials,
    authenticateHttpReadonly: true,
    authenticateHttpReadwrite: true,
    acls: JSON.stringify(ACLS),
  });
  url = master.url;
  const executor = (id: string): object => ({
    executor_id: { value: id },
    command: { value: 'x' },
    resources: [],
  });
  agent = closeAfterTest(
    await registerAgent(url, {
      agent_info: { id: { value: 'S7' }, hostname: 'a', resources: resources({ cpus: 8 }) },
      total_resources: [...resources({ cpus: 8 }), ...reserved('alice/dev'), ...reserved('dan')],
      frameworks: [
        framework('hers', 'alice'),
        framework('his', 'dan'),
        framework('both', 'shared'),
      ],
      tasks: [
        task('her-task', 'hers', 'alice'),
        task('his-task', 'his', 'dan'),
        task('in-both-hers', 'both', 'shared', 'alice'),
        task('in-both-his', 'both', 'shared', 'dan'),
      ],
      executors: ['hers', 'his'].map((id) => ({
        framework_id: { value: id },
        executor_info: executor(`executor-${id}`),
      })),
    } as Parameters<typeof registerAgent>[1]),
  );
  for (const role of ['alice', 'dan']) {
    const limits = { cpus: { value: 8 } };
    const quota_configs = [{ role, limits }];
    const update = { type: 'UPDATE_QUOTA', update_quota: { quota_configs, force: true } };
    expect((await postJson(`${url}/api/v1`, update, OPS)).status).toBe(200);
    const weights = { weight_infos: [{ role, weight: 2 }] };
    const weight = { type: 'UPDATE_WEIGHTS', update_weights: weights };
    expect((await postJson(`${url}/api/v1`, weight, OPS)).status).toBe(200);
  }
});

/** The words of an answer that tell whose things are in it. */
function told(text: string): readonly string[] {
  const words = text.match(
    /"(her-task|his-task|in-both-hers|in-both-his|executor-hers|executor-his|hers|his|both|alice|alice\/dev|dan|shared)"/g,
  );
  return [...new Set((words ?? []).map((word) => word.slice(1, -1)))].toSorted();
}

const paths: readonly (readonly [path: string, alice: readonly string[]])[] = [
  [
    '/state',
    ['alice', 'alice/dev', 'both', 'executor-hers', 'her-task', 'hers', 'in-both-hers', 'shared'],
  ],
  ['/state-summary', ['alice/dev', 'both', 'hers']],
  ['/frameworks', ['alice', 'both', 'executor-hers', 'her-task', 'hers', 'in-both-hers', 'shared']],
  ['/tasks', ['alice', 'both', 'her-task', 'hers', 'in-both-hers', 'shared']],
  ['/tasks?task_id=his-task', []],
  ['/frameworks?framework_id=his', []],
  ['/slaves', ['alice', 'alice/dev']],
  ['/roles', ['alice', 'alice/dev', 'hers']],
  ['/weights', ['alice']],
  ['/quota', ['alice']],
];

test.each(paths)('%s shows to each what they may see', async (path, alice) => {
  const hers = await send(url + path, { headers: ALICE });
  expect(hers.status).toBe(200);
  expect(told(hers.text)).toEqual(alice);
  const all = await send(url + path, { headers: OPS });
  expect(told(all.text).length).toBeGreaterThan(alice.length);
});

const calls: readonly (readonly [type: masterApi.Call_Type, alice: readonly string[]])[] = [
  [
    'GET_STATE',
    ['alice', 'alice/dev', 'both', 'executor-hers', 'her-task', 'hers', 'in-both-hers', 'shared'],
  ],
  ['GET_FRAMEWORKS', ['alice', 'both', 'hers', 'shared']],
  ['GET_TASKS', ['alice', 'both', 'her-task', 'hers', 'in-both-hers', 'shared']],
  ['GET_EXECUTORS', ['executor-hers']],
  ['GET_AGENTS', ['alice', 'alice/dev']],
  ['GET_ROLES', ['alice', 'alice/dev', 'hers']],
  ['GET_WEIGHTS', ['alice']],
  ['GET_QUOTA', ['alice']],
];

test.each(calls)('%s shows to each what they may see', async (type, alice) => {
  const hers = await postJson(`${url}/api/v1`, { type }, ALICE);
  expect(hers.status).toBe(200);
  expect(told(hers.text)).toEqual(alice);
  expect(told((await postJson(`${url}/api/v1`, { type }, OPS)).text).length).toBeGreaterThan(
    alice.length,
  );
});

test('settings are left out for those who may not see them', async () => {
  const keys = async (headers: typeof OPS): Promise<readonly string[]> =>
    Object.keys(JSON.parse((await send(`${url}/state`, { headers })).text) as object);
  expect(await keys(OPS)).toEqual(expect.arrayContaining(['flags', 'cluster']));
  expect(await keys(ALICE)).not.toEqual(expect.arrayContaining(['flags']));
  expect(await keys(ALICE)).not.toEqual(expect.arrayContaining(['cluster']));
  expect((await send(`${url}/flags`, { headers: ALICE })).status).toBe(403);
});

describe('events', () => {
  const open = async (headers: typeof OPS, last?: string): Promise<Stream> => {
    const stream = await openStream(`${url}/api/v1`, JSON.stringify({ type: 'SUBSCRIBE' }), {
      type: masterApi.EventType,
      encoding: 'json',
      headers: { ...headers, ...(last !== undefined && { 'Mesos-Last-Event-Sequence': last }) },
    });
    return closeAfterTest(stream);
  };
  type Stream = Awaited<ReturnType<typeof openStream<masterApi.Event>>>;

  function update(framework_id: string, task_id: string): void {
    agent.send({
      type: 'STATUS_UPDATE',
      status_update: {
        framework_id: { value: framework_id },
        latest_state: 'TASK_FINISHED',
        status: {
          task_id: { value: task_id },
          agent_id: { value: 'S7' },
          state: 'TASK_FINISHED',
          uuid: new Uint8Array(16).fill(task_id.length),
          timestamp: 2,
        },
      },
    });
  }

  const finished = (stream: Stream): readonly (string | undefined)[] =>
    stream.events.all.flatMap((event) =>
      event.type === 'TASK_UPDATED' ? [event.task_updated?.status.task_id.value] : [],
    );

  test('reach those who may see what they tell, also those who come back', async () => {
    const [ops, alice] = [await open(OPS, '0'), await open(ALICE, '0')];
    const snapshot = await alice.events.find('SUBSCRIBED', ({ type }) => type === 'SUBSCRIBED');
    expect(told(JSON.stringify(snapshot))).not.toContain('his-task');
    update('his', 'his-task');
    update('both', 'in-both-his');
    update('hers', 'her-task');
    const isHers = (event: masterApi.Event): boolean =>
      event.task_updated?.status.task_id.value === 'her-task';
    await Promise.all([ops, alice].map(async ({ events }) => await events.find('hers', isHers)));
    expect(finished(ops)).toEqual(['his-task', 'in-both-his', 'her-task']);
    expect(finished(alice)).toEqual(['her-task']);
    const position = String(alice.headers['mesos-event-sequence']);
    const again = await open(ALICE, position);
    await again.events.find('hers', isHers);
    expect(again.headers['mesos-event-stream-resumed']).toBe('true');
    expect(finished(again)).toEqual(['her-task']);
  });

  test('tell of an agent without the resources of others', async () => {
    const [ops, alice] = [await open(OPS), await open(ALICE)];
    closeAfterTest(
      await registerAgent(url, {
        agent_info: { hostname: 'b', resources: resources({ cpus: 1 }) },
        total_resources: [...resources({ cpus: 1 }), ...reserved('alice'), ...reserved('dan')],
      } as Parameters<typeof registerAgent>[1]),
    );
    const rolesIn = async ({ events }: Stream): Promise<readonly string[]> => {
      const event = await events.find('b', ({ type }) => type === 'AGENT_ADDED');
      return told(JSON.stringify(event));
    };
    expect(await rolesIn(ops)).toEqual(['alice', 'dan']);
    expect(await rolesIn(alice)).toEqual(['alice']);
  });
});
