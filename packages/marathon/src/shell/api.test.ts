import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { request } from 'undici';
import { silentLogger } from '@dcos/base';
import { openMemoryStore, type Store } from '@dcos/store';
import { FakeMaster } from '../testing/fake-master.ts';
import { marathonConfigSchema } from './config.ts';
import { startMarathon, type RunningMarathon } from './start-marathon.ts';

const AGENTS = [
  { id: 'S0', hostname: '127.0.0.11', cpus: 4, mem: 4096, ports: [31_000, 31_099] as const },
  { id: 'S1', hostname: '127.0.0.12', cpus: 4, mem: 4096, ports: [31_100, 31_199] as const },
];
const SLEEP = { id: '/sleep', cmd: 'sleep 1000', cpus: 0.1, mem: 32 };

let store: Store;
let master: FakeMaster;
let marathon: RunningMarathon;

async function start(): Promise<RunningMarathon> {
  const config = marathonConfigSchema.parse({ httpPort: 0, drainMs: 0, settleMs: 0 });
  const started = await startMarathon(config, {
    logger: silentLogger,
    store,
    connect: master.connect,
  });
  await started.leading;
  return started;
}

beforeEach(async () => {
  store = openMemoryStore();
  master = new FakeMaster(AGENTS);
  marathon = await start();
});

afterEach(async () => {
  await marathon.close();
  await store.close();
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // The answers of an API under test have any shape: expectations say which.
  readonly body: never;
}

async function call(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await request(`${marathon.url}${path}`, {
    method: method as 'GET',
    ...(body === undefined
      ? {}
      : {
          headers: { 'content-type': 'application/json' },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
  });
  const text = await response.body.text();
  return {
    status: response.statusCode,
    headers: response.headers,
    body: (text === '' ? undefined : JSON.parse(text)) as never,
  };
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function settled(): Promise<void> {
  await until(
    'no deployment runs',
    async () => ((await call('GET', '/v2/deployments')).body as unknown[]).length === 0,
  );
}

describe('apps', () => {
  test('are created with 201, run, and are read with their tasks', async () => {
    const created = await call('POST', '/v2/apps', { ...SLEEP, instances: 2 });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ id: '/sleep', instances: 2, tasks: [], tasksRunning: 0 });
    expect(created.headers['marathon-deployment-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(created.headers.location).toBe('/v2/apps/sleep');
    await settled();
    const { body } = await call('GET', '/v2/apps//sleep');
    expect(body).toMatchObject({ app: { tasksRunning: 2, tasksStaged: 0, deployments: [] } });
    const { tasks } = (body as { app: { tasks: { id: string; state: string; ports: number[] }[] } })
      .app;
    expect(tasks).toHaveLength(2);
    expect(tasks[0]?.id).toMatch(/^sleep\.instance-[0-9a-f-]{36}\._app\.1$/);
    expect(tasks[0]).toMatchObject({ state: 'TASK_RUNNING', appId: '/sleep' });
    expect(tasks[0]?.ports[0]).toBeGreaterThanOrEqual(31_000);
  });

  test('are created through the address with a slash at its end', async () => {
    expect((await call('POST', '/v2/apps/', SLEEP)).status).toBe(201);
  });

  test('are scaled, suspended, restarted and deleted', async () => {
    await call('POST', '/v2/apps', SLEEP);
    await settled();
    const scaled = await call('PUT', '/v2/apps/sleep', { instances: 3 });
    expect(scaled.status).toBe(200);
    expect(Object.keys(scaled.body as object).sort()).toEqual(['deploymentId', 'version']);
    await settled();
    expect(master.tasks.size).toBe(3);
    const before = [...master.tasks.keys()];
    expect((await call('POST', '/v2/apps/sleep/restart')).status).toBe(200);
    await settled();
    expect(master.tasks.size).toBe(3);
    expect([...master.tasks.keys()].filter((id) => before.includes(id))).toEqual([]);
    await call('PUT', '/v2/apps/sleep', { instances: 0 });
    await settled();
    expect(master.tasks.size).toBe(0);
    expect((await call('DELETE', '/v2/apps/sleep')).status).toBe(200);
    await settled();
    expect((await call('GET', '/v2/apps/sleep')).status).toBe(404);
  });

  test('have versions, and go back to them', async () => {
    await call('POST', '/v2/apps', SLEEP);
    await settled();
    await call('PUT', '/v2/apps/sleep', { cmd: 'sleep 2000' });
    await settled();
    const { versions } = (await call('GET', '/v2/apps/sleep/versions')).body as {
      versions: string[];
    };
    expect(versions).toHaveLength(2);
    const first = await call('GET', `/v2/apps/sleep/versions/${versions[1]}`);
    expect(first.body).toMatchObject({ cmd: 'sleep 1000' });
    expect((await call('PUT', '/v2/apps/sleep', { version: versions[1] })).status).toBe(200);
    await settled();
    expect((await call('GET', '/v2/apps/sleep')).body).toMatchObject({
      app: { cmd: 'sleep 1000' },
    });
  });

  test('are filtered by id, command and labels', async () => {
    await call('POST', '/v2/apps', { ...SLEEP, labels: { tier: 'web' } });
    await call('POST', '/v2/apps', { ...SLEEP, id: '/other', cmd: 'true 1' });
    const ids = async (query: string): Promise<string[]> =>
      ((await call('GET', `/v2/apps?${query}`)).body as { apps: { id: string }[] }).apps.map(
        ({ id }) => id,
      );
    expect(await ids('id=SLE')).toEqual(['/sleep']);
    expect(await ids('cmd=true')).toEqual(['/other']);
    expect(await ids('label=tier%3D%3Dweb')).toEqual(['/sleep']);
    expect((await call('GET', '/v2/apps?label=%3D%3D')).status).toBe(422);
  });
});

describe('bad requests', () => {
  test('are refused with the status and place of the original, and change nothing', async () => {
    const notJson = await call('POST', '/v2/apps', '{');
    expect(notJson).toMatchObject({ status: 400, body: { message: 'Invalid JSON' } });
    expect((await call('POST', '/v2/apps', '')).status).toBe(400);
    const wrongType = await call('POST', '/v2/apps', { id: 5 });
    expect(wrongType.status).toBe(422);
    expect(wrongType.body).toMatchObject({
      details: [{ path: '/id', errors: ['error.expected.jsstring'] }],
    });
    expect((await call('POST', '/v2/apps', { id: '/a' })).status).toBe(422);
    expect((await call('GET', '/v2/apps')).body).toEqual({ apps: [] });
  });

  test('name what does not exist', async () => {
    expect(await call('GET', '/v2/apps/x')).toMatchObject({
      status: 404,
      body: { message: "App '/x' does not exist" },
    });
    expect((await call('DELETE', '/v2/apps/x')).status).toBe(404);
    expect((await call('PATCH', '/v2/apps/x', { instances: 1 })).status).toBe(404);
    expect((await call('GET', '/v2/nothing')).status).toBe(404);
    expect((await call('DELETE', '/v2/deployments/nope')).status).toBe(404);
    expect((await call('DELETE', '/v2/queue//x/delay')).status).toBe(404);
    expect((await call('DELETE', '/v2/apps/x/tasks/y')).status).toBe(404);
  });

  test('an id that is taken, and an app that is being deployed, are conflicts', async () => {
    master.runsTasks = false;
    const created = await call('POST', '/v2/apps', SLEEP);
    expect(await call('POST', '/v2/apps', SLEEP)).toMatchObject({
      status: 409,
      body: { message: 'An app with id [/sleep] already exists.' },
    });
    const locked = await call('PUT', '/v2/apps/sleep', { instances: 2 });
    expect(locked.status).toBe(409);
    expect(locked.body).toMatchObject({
      deployments: [{ id: created.headers['marathon-deployment-id'] }],
    });
    expect((await call('PUT', '/v2/apps/sleep?force=true', { instances: 2 })).status).toBe(200);
  });

  test('scale and wipe exclude each other', async () => {
    await call('POST', '/v2/apps', SLEEP);
    await settled();
    expect((await call('DELETE', '/v2/apps/sleep/tasks?scale=true&wipe=true')).status).toBe(400);
  });

  test('a body over the limit is refused', async () => {
    const config = marathonConfigSchema.parse({ httpPort: 0, bodyBytesMax: 1024 });
    const other = new FakeMaster(AGENTS);
    const otherStore = openMemoryStore();
    const small = await startMarathon(config, {
      logger: silentLogger,
      store: otherStore,
      connect: other.connect,
    });
    await small.leading;
    const response = await request(`${small.url}/v2/apps`, {
      method: 'POST',
      body: JSON.stringify({ id: 'x'.repeat(2000) }),
    });
    expect(response.statusCode).toBe(413);
    await response.body.dump();
    await small.close();
    await otherStore.close();
  });
});

describe('tasks', () => {
  test('that are killed are replaced; with scale they are not', async () => {
    await call('POST', '/v2/apps', { ...SLEEP, instances: 2 });
    await settled();
    const [first = ''] = master.tasks.keys();
    const killed = await call('DELETE', `/v2/apps/sleep/tasks/${first}`);
    expect(killed.body).toMatchObject({ task: { id: first } });
    await until('two run again', async () => master.tasks.size === 2 && !master.tasks.has(first));
    const [second = ''] = master.tasks.keys();
    const scaled = await call('POST', '/v2/tasks/delete?scale=true', { ids: [second] });
    expect(Object.keys(scaled.body as object).sort()).toEqual(['deploymentId', 'version']);
    await settled();
    expect(master.tasks.has(second)).toBe(false);
    expect((await call('GET', '/v2/apps/sleep')).body).toMatchObject({ app: { instances: 1 } });
    expect((await call('POST', '/v2/tasks/delete', { ids: ['no task id'] })).status).toBe(400);
  });

  test('are listed by state', async () => {
    await call('POST', '/v2/apps', SLEEP);
    await settled();
    const running = (await call('GET', '/v2/tasks?status=running')).body as { tasks: unknown[] };
    expect(running.tasks).toHaveLength(1);
    expect(running.tasks[0]).toMatchObject({ appId: '/sleep', servicePorts: [10_000] });
    expect((await call('GET', '/v2/tasks?status[]=staging')).body).toEqual({ tasks: [] });
  });
});

describe('the queue', () => {
  test('says which constraint turned the offers down', async () => {
    await call('POST', '/v2/apps', {
      ...SLEEP,
      instances: 3,
      constraints: [['hostname', 'UNIQUE']],
    });
    await until('two run', async () => master.tasks.size === 2);
    const { queue } = (await call('GET', '/v2/queue?embed=lastUnusedOffers')).body as {
      queue: unknown[];
    };
    expect(queue[0]).toMatchObject({
      count: 1,
      role: '*',
      delay: { timeLeftSeconds: 0, overdue: true },
      explanation: {
        reasons: [
          { reason: 'UnfulfilledConstraint', what: 'hostname UNIQUE', declined: 2, processed: 2 },
        ],
      },
      app: { id: '/sleep' },
      lastUnusedOffers: [
        { reason: ['UnfulfilledConstraint'] },
        { reason: ['UnfulfilledConstraint'] },
      ],
    });
  });

  test('says which resource fell short, and by how much', async () => {
    await call('POST', '/v2/apps', { ...SLEEP, cpus: 8 });
    await until('offers were looked at', async () => master.calls.includes('DECLINE'));
    const { queue } = (await call('GET', '/v2/queue')).body as {
      queue: { explanation: { summary: string; reasons: unknown[] } }[];
    };
    expect(queue[0]?.explanation.reasons).toEqual([
      {
        reason: 'InsufficientCpus',
        what: 'cpus: wanted 8, at most 4 offered',
        declined: 2,
        processed: 2,
      },
    ]);
    expect(queue[0]?.explanation.summary).toContain('cpus: wanted 8, at most 4 offered');
  });
});

describe('deployments', () => {
  test('are shown while they run and taken back by DELETE', async () => {
    await call('POST', '/v2/apps', SLEEP);
    await settled();
    master.runsTasks = false;
    const update = await call('PUT', '/v2/apps/sleep', { cmd: 'false && false' });
    const { deploymentId } = update.body as { deploymentId: string };
    const [shown] = (await call('GET', '/v2/deployments')).body as unknown[];
    expect(shown).toMatchObject({
      id: deploymentId,
      affectedApps: ['/sleep'],
      affectedPods: [],
      currentStep: 1,
      totalSteps: 1,
      currentActions: [{ action: 'RestartApplication', app: '/sleep', readinessCheckResults: [] }],
    });
    expect((await call('DELETE', `/v2/deployments/${deploymentId}`)).status).toBe(200);
    await settled();
    expect((await call('GET', '/v2/apps/sleep')).body).toMatchObject({
      app: { cmd: 'sleep 1000' },
    });
  });
});

describe('groups', () => {
  test('are created, read, scaled and deleted with their apps', async () => {
    const created = await call('POST', '/v2/groups', {
      id: '/shop',
      apps: [{ ...SLEEP, id: 'cart' }],
    });
    expect(created.status).toBe(201);
    await settled();
    expect((await call('GET', '/v2/groups/shop')).body).toMatchObject({
      id: '/shop',
      apps: [{ id: '/shop/cart' }],
      pods: [],
    });
    const dry = await call('PUT', '/v2/groups/shop?dryRun=true', { scaleBy: 3 });
    expect(dry.body).toEqual({
      steps: [{ actions: [{ action: 'ScaleApplication', app: '/shop/cart' }] }],
    });
    expect((await call('PUT', '/v2/groups/shop', { scaleBy: 3 })).status).toBe(200);
    await settled();
    expect(master.tasks.size).toBe(3);
    expect((await call('DELETE', '/v2/groups/shop')).status).toBe(200);
    await settled();
    expect(master.tasks.size).toBe(0);
    expect((await call('GET', '/v2/groups/shop')).status).toBe(404);
  });
});

describe('the rest of the API', () => {
  test('answers what clients ask of it', async () => {
    expect(await (await request(`${marathon.url}/ping`)).body.text()).toBe('pong');
    expect((await call('GET', '/v2/info')).body).toMatchObject({
      name: 'marathon',
      elected: true,
      frameworkId: 'framework-1',
    });
    expect((await call('GET', '/v2/leader')).body).toEqual({
      leader: `127.0.0.1:${marathon.port}`,
    });
    expect((await call('GET', '/v2/pods')).body).toEqual([]);
    expect((await call('HEAD', '/v2/pods')).status).toBe(200);
    expect((await call('POST', '/v2/pods', {})).status).toBe(501);
    expect((await call('GET', '/v2/groups')).body).toMatchObject({ id: '/' });
    const metrics = (await call('GET', '/metrics')).body as { gauges: Record<string, unknown> };
    expect(metrics.gauges['marathon.apps.active.gauge']).toEqual({ value: 0 });
    expect((await call('GET', '/v2/apps')).headers['x-marathon-leader']).toBe(
      `http://127.0.0.1:${marathon.port}`,
    );
  });
});

describe('the event stream', () => {
  test('sends the events of the wanted types, and only to who accepts it', async () => {
    expect((await call('GET', '/v2/events')).status).toBe(405);
    const stream = await request(
      `${marathon.url}/v2/events?event_type=status_update_event&event_type=deployment_success`,
      {
        headers: { accept: 'text/event-stream' },
      },
    );
    await call('POST', '/v2/apps', SLEEP);
    let text = '';
    for await (const chunk of stream.body) {
      text += String(chunk);
      if (text.includes('event: deployment_success')) break;
    }
    const types = text.split('\n').filter((line) => line.startsWith('event: '));
    expect(types).toEqual(['event: status_update_event', 'event: deployment_success']);
    const data = JSON.parse(
      text
        .split('\n')
        .find((line) => line.startsWith('data: '))
        ?.slice(6) ?? '',
    ) as object;
    expect(data).toMatchObject({
      eventType: 'status_update_event',
      taskStatus: 'TASK_RUNNING',
      appId: '/sleep',
    });
  });
});

describe('a scheduler that starts again', () => {
  test('finds its tasks and keeps its framework', async () => {
    await call('POST', '/v2/apps', { ...SLEEP, instances: 2 });
    await settled();
    const before = [...master.tasks.keys()];
    await marathon.close();
    marathon = await start();
    expect(master.frameworks).toEqual(['framework-1', 'framework-1']);
    await until('running', async () => {
      const { app } = (await call('GET', '/v2/apps/sleep')).body as {
        app: { tasksRunning: number };
      };
      return app.tasksRunning === 2;
    });
    expect([...master.tasks.keys()]).toEqual(before);
  });

  test('makes a new framework when the master has removed the old one', async () => {
    await call('POST', '/v2/apps', SLEEP);
    await settled();
    master.removeFramework();
    await until('it runs again', async () => master.tasks.size === 1);
    expect(master.frameworks).toEqual(['framework-1', 'framework-2']);
  });
});

describe('what is stored', () => {
  test('has room for every request that is accepted', async () => {
    const apps = Array.from({ length: 2500 }, (_, index) => ({
      ...SLEEP,
      id: `app-${index}`,
      instances: 0,
      env: { TEXT: 'x'.repeat(400) },
    }));
    expect((await call('PUT', '/v2/groups/large', { apps })).status).toBe(201);
    await settled();
    const longest = `/${'a/'.repeat(199)}a`;
    expect((await call('POST', '/v2/apps', { ...SLEEP, id: longest })).status).toBe(201);
    await until('the longest id runs', async () => {
      const { app } = (await call('GET', `/v2/apps${longest}`)).body as {
        readonly app: { readonly tasksRunning: number };
      };
      return app.tasksRunning === 1;
    });
    await settled();
    const env = { TEXT: '\u20ac'.repeat(130_000) };
    expect((await call('POST', '/v2/apps', { ...SLEEP, id: '/wide', env })).status).toBe(201);
    expect(
      (await call('PUT', '/v2/apps/wide?force=true', { env: { ...env, MORE: 'x' } })).status,
    ).toBe(200);
    const huge = { TEXT: 'x'.repeat(140_000) };
    expect((await call('POST', '/v2/apps', { ...SLEEP, id: '/huge', env: huge })).status).toBe(422);
    expect((await call('GET', '/v2/apps/huge')).status).toBe(404);
    await marathon.close();
    marathon = await start();
    expect((await call('GET', '/v2/apps/large/app-2499')).status).toBe(200);
  });
});
