/**
 * The same requests as were recorded with the original, sent to ours: same status, same content type, same
 * text of errors, same keys and JSON types. Every difference is in a list here, with its reason.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { present, silentLogger } from '@dcos/base';
import {
  recordedEvents,
  recordings,
  recordingsFacility,
  shapeDifferences,
  type Recording,
} from '@dcos/testkit';
import { openMemoryStore } from '@dcos/store';
import { masterApi, scheduler, toJson, type TaskInfo } from '@dcos/wire';
import {
  registerAgent,
  openStream,
  postJson,
  send,
  type Answer,
  type EventStream,
  type FakeAgent,
} from '../testing/http-client.ts';
import { frameworkInfo, resources, uuidOf } from '../testing/world.ts';
import { startMaster, type RunningMaster } from './start-master.ts';

/** Keys of the original that ours has not, by design. */
const IGNORED: ReadonlySet<string> = new Set([
  // The version control data of a build; ours is not built from a checkout.
  'git_sha',
  'git_branch',
  'get_version.version_info.git_sha',
  'get_version.version_info.git_branch',
  // Our log goes to the standard error stream.
  'log_dir',
  // Settings differ by nature; `flags` is compared as text to text.
  'flags',
  'get_flags.flags[].name',
  // Metrics are compared by name in a test of their own.
  'get_metrics.metrics[].name',
]);

/** Recorded exchanges that ours answers otherwise, each with its reason. */
const NOT_REPLAYED: ReadonlyMap<string, string> = new Map([
  ['130-master-get-help', 'a list of routes as HTML: the documentation is in the project'],
  ['142-master-get-profiler-start', 'a profiler inside the process: not built in'],
]);

interface Scene {
  readonly master: RunningMaster;
  readonly agent?: FakeAgent & { readonly id: string };
  readonly framework?: EventStream<scheduler.Event> & {
    readonly id: string;
    readonly streamId: string;
  };
  readonly operator?: EventStream<masterApi.Event>;
}

const closers: (() => Promise<void> | void)[] = [];
const scenes = new Map<string, Scene>();

async function startScene(): Promise<RunningMaster> {
  const master = await startMaster(
    { port: 0, hostname: 'localhost', cluster: 'reference' },
    {
      logger: silentLogger,
      store: openMemoryStore(),
    },
  );
  closers.push(() => master.close());
  return master;
}

async function addAgent(master: RunningMaster): Promise<FakeAgent & { readonly id: string }> {
  return await registerAgent(master.url, {
    agent_info: {
      hostname: 'localhost',
      port: 5051,
      resources: [
        ...resources({ cpus: 4, mem: 4096, ports: [31_000, 32_000] }),
        { name: 'disk', type: 'SCALAR', scalar: { value: 8192 } },
      ],
      attributes: [
        { name: 'rack', type: 'TEXT', text: { value: 'r1' } },
        { name: 'zone', type: 'TEXT', text: { value: 'z1' } },
      ],
    },
  });
}

async function addFramework(
  master: RunningMaster,
  multiRole: boolean,
): Promise<Required<Scene>['framework']> {
  const capabilities = [{ type: 'RESERVATION_REFINEMENT' }, { type: 'PARTITION_AWARE' }] as const;
  const info = multiRole
    ? frameworkInfo({
        webui_url: 'http://127.0.0.1:1/',
        labels: { labels: [{ key: 'k', value: 'v' }] },
      })
    : { user: 'root', name: 'mesos-execute instance', role: '*', capabilities };
  const call = { type: 'SUBSCRIBE', subscribe: { framework_info: info } };
  const stream = await openStream(`${master.url}/api/v1/scheduler`, JSON.stringify(call), {
    type: scheduler.EventType,
    encoding: 'json',
  });
  closers.push(() => stream.close());
  const event = await stream.events.find('SUBSCRIBED', ({ type }) => type === 'SUBSCRIBED');
  return {
    ...stream,
    id: present(event.subscribed, 'subscribed').framework_id.value,
    streamId: String(stream.headers['mesos-stream-id']),
  };
}

function call(scene: Required<Pick<Scene, 'master' | 'framework'>>, body: object): Promise<Answer> {
  const { master, framework } = scene;
  return postJson(
    `${master.url}/api/v1/scheduler`,
    { framework_id: { value: framework.id }, ...body },
    { 'mesos-stream-id': framework.streamId },
  );
}

const SLEEPER: Omit<TaskInfo, 'agent_id'> = {
  name: 'sleeper',
  task_id: { value: 'sleeper' },
  resources: resources({ cpus: 0.5, mem: 64 }),
  command: { value: 'sleep 1000' },
  health_check: { type: 'COMMAND', command: { command: 'x', value: 'true' } as never },
};

async function runTask(
  scene: Required<Omit<Scene, 'operator'>>,
  id: string,
  states: readonly ['TASK_RUNNING' | 'TASK_FINISHED', ...('TASK_RUNNING' | 'TASK_FINISHED')[]],
): Promise<void> {
  const { framework, agent } = scene;
  const seen = framework.events.all.length;
  void seen;
  await call(scene, { type: 'REVIVE' });
  const used = new Set<string>();
  const offers = await framework.events.find('OFFERS', (event) => {
    const offer = event.offers?.offers?.[0]?.id.value;
    if (offer === undefined || used.has(offer) || spent.has(offer)) return false;
    spent.add(offer);
    return true;
  });
  const { health_check: _check, ...plain } = SLEEPER;
  const task = { ...plain, name: id, task_id: { value: id }, agent_id: { value: agent.id } };
  await call(scene, {
    type: 'ACCEPT',
    accept: {
      offer_ids: [present(offers.offers?.offers?.[0], 'an offer').id],
      operations: [{ type: 'LAUNCH', launch: { task_infos: [task] } }],
      filters: { refuse_seconds: 600 },
    },
  });
  await agent.frames.find('RUN_TASK', ({ run_task }) => run_task?.task.task_id.value === id);
  for (const [index, state] of (['TASK_STARTING', ...states] as const).entries()) {
    agent.send({
      type: 'STATUS_UPDATE',
      status_update: {
        framework_id: { value: framework.id },
        latest_state: state,
        status: {
          task_id: { value: id },
          state,
          source: 'SOURCE_EXECUTOR',
          ...(state === 'TASK_FINISHED' && { message: 'Command exited with status 0' }),
          agent_id: { value: agent.id },
          executor_id: { value: id },
          timestamp: 1_795_178_476.9,
          uuid: uuidOf(index + 1),
          container_status: {
            container_id: { value: 'c' },
            network_infos: [{ ip_addresses: [{ protocol: 'IPv4', ip_address: '127.0.0.1' }] }],
            executor_pid: 87,
          },
        },
      },
    });
    await framework.events.find(
      state,
      ({ update }) => update?.status.state === state && update.status.task_id.value === id,
    );
    await call(scene, {
      type: 'ACKNOWLEDGE',
      acknowledge: {
        agent_id: { value: agent.id },
        task_id: { value: id },
        uuid: Buffer.from(uuidOf(index + 1)).toString('base64'),
      },
    });
  }
}

/** Offers that a test has used. */
const spent = new Set<string>();

beforeAll(async () => {
  scenes.set('no-agent', { master: await startScene() });
  const idle = await startScene();
  scenes.set('idle', { master: idle, agent: await addAgent(idle) });
  const running = await startScene();
  const scene = {
    master: running,
    agent: await addAgent(running),
    framework: await addFramework(running, false),
  };
  await runTask(scene, 'sleeper', ['TASK_RUNNING']);
  scenes.set('running', scene);
  const errors = await startScene();
  scenes.set('errors', {
    master: errors,
    agent: await addAgent(errors),
    framework: await addFramework(errors, true),
  });
});

afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function sceneOf(folder: string): Scene {
  return present(scenes.get(folder), `the scene ${folder}`);
}

/** Sends what was recorded; ids of framework and stream become ours where the recording had its own. */
async function replay(scene: Scene, recording: Recording): Promise<Answer> {
  const { framework } = scene;
  const replaced = (text: string): string =>
    framework === undefined
      ? text
      : text
          .replaceAll('a844b7a8-6ac7-4bf4-a4c0-9fdc37ce4d49-0000', framework.id)
          .replaceAll('6d79dad8-9887-45e0-afc3-59f83909a03e', framework.streamId)
          .replaceAll('4942deb9-82f7-4acb-8996-8132235c03b6', framework.streamId);
  const headers = Object.fromEntries(
    Object.entries(recording.headers)
      .filter(([name]) => !['host', 'content-length', 'connection'].includes(name))
      .map(([name, value]) => [name, replaced(value)]),
  );
  const body = recording.method === 'GET' ? {} : { body: replaced(recording.body) };
  return send(scene.master.url + recording.path, { method: recording.method, headers, ...body });
}

/** Folders of recorded documents and the scene that they were recorded in. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  'snapshots/0-no-agent': 'no-agent',
  'snapshots/1-idle/master-v0': 'idle',
  'snapshots/1-idle/master-v1': 'idle',
  'snapshots/2-running/master-v0': 'running',
  'snapshots/2-running/master-v1': 'running',
};

describe(`documents${recordingsFacility.note}`, () => {
  for (const [folder, scene] of Object.entries(DOCUMENTS)) {
    const cases = recordings(folder).filter(
      ({ name }) =>
        !name.includes('metrics') && !name.startsWith('GET_METRICS') && !NOT_REPLAYED.has(name),
    );
    test.each(cases)(`${folder}: $name`, async (recording) => {
      const answer = await replay(sceneOf(scene), recording);
      expect(answer.status).toBe(recording.status);
      expect(answer.headers['content-type']).toBe(recording.contentType);
      if (recording.contentType !== 'application/json') return;
      expect(
        shapeDifferences(JSON.parse(recording.answer), JSON.parse(answer.text), IGNORED),
      ).toEqual([]);
    });
  }
});

/** Recorded texts that end in the words of a JSON parser: ours says the same in other words. */
const PARSER_PREFIXES = [
  'Failed to parse body into JSON: ',
  'Failed to convert JSON into Call protobuf: ',
  "Failed to parse update weights request JSON '{': ",
];
/** A charset on a known media type is accepted by ours, which is what its sender expects. */
const LENIENT = new Set(['38-content-type-with-charset']);

/** Exchanges that need no state of their own, of folders whose others are replayed elsewhere. */
const STATELESS =
  /^(49-UPDATE_FRAMEWORK-immutable|5[34]-ACK.*|0[468]-weights.*|10[68]-.*unknown|1[124][0-9]-master.*|13[0-9]-master.*|1(26|28)-master.*|190-master-redirect|98-.*)$/;

describe(`errors${recordingsFacility.note}`, () => {
  const cases = [
    ...recordings('scheduler/9-errors'),
    ...[
      ...recordings('scheduler/1-basic'),
      ...recordings('operator-writes/v0'),
      ...recordings('operator-writes/v1'),
    ].filter(({ name }) => STATELESS.test(name)),
  ].filter(({ name }) => name !== '50-call-after-teardown' && !NOT_REPLAYED.has(name));
  test.each(cases)('$name', async (recording) => {
    const scene = sceneOf('errors');
    const answer = await replay(scene, recording);
    if (LENIENT.has(recording.name)) {
      expect(answer.status).toBe(202);
      return;
    }
    expect(answer.status).toBe(recording.status);
    expect(answer.headers['content-type']).toBe(recording.contentType);
    expect(answer.headers['allow']).toBe(recording.answerHeaders['allow']);
    if (recording.contentType?.startsWith('text/plain') !== true) return;
    const prefix = PARSER_PREFIXES.find((start) => recording.answer.startsWith(start));
    const framework = present(scene.framework, 'a framework').id;
    const expected = recording.answer.replaceAll(
      'a844b7a8-6ac7-4bf4-a4c0-9fdc37ce4d49-0000',
      framework,
    );
    if (prefix === undefined) expect(answer.text).toBe(expected);
    else expect(answer.text.startsWith(prefix)).toBe(true);
  });

  test('50-call-after-teardown', async () => {
    const master = await startScene();
    const framework = await addFramework(master, true);
    const torn = await call({ master, framework }, { type: 'TEARDOWN' });
    expect(torn.status).toBe(202);
    await framework.events.untilEnd();
    const [recording] = recordings('scheduler/9-errors').filter(
      ({ name }) => name === '50-call-after-teardown',
    );
    const answer = await replay({ master, framework }, present(recording, 'the recording'));
    expect([answer.status, answer.text]).toEqual([400, 'Framework cannot be found']);
  });

  test('weights are set and shown', async () => {
    const scene = sceneOf('errors');
    for (const recording of [
      ...recordings('operator-writes/v0'),
      ...recordings('operator-writes/v1'),
    ].filter(({ name }) => ['02-weights-put', '10-GET_WEIGHTS', '32-GET_ROLES'].includes(name))) {
      const answer = await replay(scene, recording);
      expect([recording.name, answer.status]).toEqual([recording.name, recording.status]);
      if (recording.contentType !== 'application/json') continue;
      expect(
        shapeDifferences(JSON.parse(recording.answer), JSON.parse(answer.text), IGNORED),
      ).toEqual([]);
    }
  });
});

describe('streams', () => {
  test('events of a scheduler and of an operator have the recorded shapes', async () => {
    const master = await startScene();
    const agent = await addAgent(master);
    const operator = await openStream(
      `${master.url}/api/v1`,
      JSON.stringify({ type: 'SUBSCRIBE' }),
      {
        type: masterApi.EventType,
        encoding: 'json',
      },
    );
    closers.push(() => operator.close());
    await operator.events.find('SUBSCRIBED', ({ type }) => type === 'SUBSCRIBED');
    const framework = await addFramework(master, true);
    await runTask({ master, agent, framework }, 'done', ['TASK_RUNNING', 'TASK_FINISHED']);
    await operator.events.find(
      'TASK_UPDATED',
      ({ task_updated }) => task_updated?.state === 'TASK_FINISHED',
    );
    expect(operator.events.all.slice(0, 3).map(({ type }) => type)).toEqual([
      'SUBSCRIBED',
      'HEARTBEAT',
      'FRAMEWORK_ADDED',
    ]);
    expect(framework.events.all.slice(0, 2).map(({ type }) => type)).toEqual([
      'SUBSCRIBED',
      'HEARTBEAT',
    ]);

    const own = framework.events.all.map((event) => toJson(scheduler.EventType, event)) as {
      type: string;
    }[];
    const optional = new Set([
      ...IGNORED,
      // Of health and other checks, which this task has not.
      ...['healthy', 'check_status', 'reason'].map((key) => `update.status.${key}`),
    ]);
    compareEvents(
      recordedEvents('scheduler/1-basic/00-SUBSCRIBE'),
      own,
      ['SUBSCRIBED', 'HEARTBEAT', 'OFFERS', 'UPDATE'],
      optional,
    );
    const seen = operator.events.all.map((event) => toJson(masterApi.EventType, event)) as {
      type: string;
    }[];
    const parts = ['labels', 'kill_policy', 'health_check', 'executor_id'];
    compareEvents(
      recordedEvents('operator-events/master-subscribe-scheduler-run'),
      seen,
      ['HEARTBEAT', 'FRAMEWORK_ADDED', 'TASK_ADDED', 'TASK_UPDATED'],
      new Set([
        ...IGNORED,
        ...parts.map((key) => `task_added.task.${key}`),
        ...['healthy', 'check_status', 'reason'].map((key) => `task_updated.status.${key}`),
        // The original writes the time of an end that has not come as zero here and nowhere else.
        'framework_added.framework.unregistered_time',
      ]),
    );
  });
});

function compareEvents(
  recorded: readonly { readonly type: string }[],
  ours: readonly { readonly type: string }[],
  types: readonly string[],
  ignored: ReadonlySet<string>,
): void {
  for (const type of types) {
    const of = (events: readonly { readonly type: string }[]): { readonly type: string } =>
      present(
        events.find((event) => event.type === type),
        type,
      );
    expect(shapeDifferences(of(recorded), of(ours), ignored)).toEqual([]);
  }
}
