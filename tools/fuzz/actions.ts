/**
 * What the fuzzer does, one small thing at a time: calls of every type in both encodings, the older routes,
 * odd headers, bytes that are no HTTP, streams and agents that come, speak and go.
 */

import {
  masterApi,
  MEDIA_TYPES,
  scheduler,
  agentProtocol,
  type Encoding,
  type TaskInfo,
  type TaskState,
} from '@dcos/wire';
import { resources } from '../../packages/master/src/testing/world.ts';
import { exchange, exchangeRaw, type Sending } from './exchange.ts';
import { named, type Inputs } from './inputs.ts';
import type { Parties } from './parties.ts';

export interface Scene {
  readonly url: string;
  readonly inputs: Inputs;
  readonly parties: Parties;
  /** Takes down the status of an answer. */
  readonly answered: (what: string, status: number | undefined) => void;
}

type Action = (scene: Scene) => Promise<void> | void;

const ENCODINGS: readonly Encoding[] = ['json', 'protobuf'];
const ROUTES = [
  '/state',
  '/state.json',
  '/state-summary',
  '/slaves',
  '/frameworks',
  '/tasks',
  '/roles',
  '/health',
  '/version',
  '/flags',
  '/redirect',
  '/teardown',
  '/weights',
  '/quota',
  '/quota/web',
  '/metrics/snapshot',
  '/metrics',
  '/files/browse',
  '/files/read',
  '/files/download',
  '/files/debug',
  '/logging/toggle',
  '/maintenance/schedule',
  '/maintenance/status',
  '/machine/down',
  '/machine/up',
  '/reserve',
  '/unreserve',
  '/create-volumes',
  '/destroy-volumes',
  '/api/v1/explain',
  '/system/v1/incidents',
  '/api/v1',
  '/api/v1/scheduler',
  '/api/agent',
  '/no-such-route',
  '/%00',
  '/..',
];
const METHODS = ['GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'];
const MEDIA = [
  'application/json',
  'application/x-protobuf',
  'application/recordio',
  'application/json; charset=utf-8',
  'text/plain',
  'application/x-www-form-urlencoded',
  '*/*',
  'x',
  ';',
  'application/json;q=0',
];
const QUERIES = [
  '',
  '?limit=1',
  '?limit=-1',
  '?offset=99999999999999999999',
  '?order=asc',
  '?slave_id=@agent',
  '?framework_id=@framework',
  '?task_id=@task',
  '?path=/master/log&offset=0&length=5',
  '?level=9&duration=1secs',
  '?jsonp=f',
  '?a&b=%',
  '?timeout=x',
];
const BODIES = [
  '',
  '{}',
  '[]',
  'null',
  'frameworkId=@framework',
  'frameworkId=x',
  'slaveId=@agent&resources=[]',
  'slaveId=@agent&volumes=[{"name":"disk"}]',
  '[{"role":"web","weight":2}]',
  '[{"role":"web","weight":-1}]',
  '{"role":"web","guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":1}}]}',
  '[{"hostname":"host"}]',
  '{"windows":[{"machine_ids":[{"hostname":"host"}],"unavailability":{"start":{"nanoseconds":1}}}]}',
  '{"a":',
];
const BROKEN = [
  'GET / HTTP/1.1\r\n\r\n',
  'GET\r\n\r\n',
  'POST /api/v1 HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n',
  'POST /api/v1 HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  'POST /api/v1/scheduler HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
  'POST /api/v1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"type"',
  'GET /api/agent HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
  'GET /state HTTP/9.9\r\n\r\n',
  `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
  '\u0000\u0001\u0002',
  '\r\n\r\n',
  `GET /health HTTP/1.1\r\nhost: x\r\nx: ${'b'.repeat(70_000)}\r\n\r\n`,
];
const STATES: readonly TaskState[] = [
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
];

async function schedulerCall(scene: Scene): Promise<void> {
  const { inputs, parties } = scene;
  const framework = inputs.pickAny(parties.frameworks);
  const { type, call } = inputs.call('mesos.v1.scheduler.Call');
  const known = inputs.oneIn(10) ? call : { framework_id: { value: '@framework' }, ...call };
  await sendScheduler(scene, {
    type,
    call: named(known, parties.names(framework)),
  });
}

async function sendScheduler(
  { url, inputs, parties, answered }: Scene,
  { type, call }: { readonly type: string; readonly call: scheduler.Call },
): Promise<void> {
  const id = call.framework_id?.value;
  const framework = parties.frameworks.find((each) => parties.names(each).get('@framework') === id);
  const encoding = inputs.pick(ENCODINGS);
  const media = MEDIA_TYPES[encoding];
  const headers = {
    'content-type': media,
    accept: media,
    ...(framework !== undefined && !inputs.oneIn(20) && { 'mesos-stream-id': framework.streamId }),
  };
  const body = inputs.bytes(scheduler.CallType, call, encoding);
  const sending = { method: 'POST', path: '/api/v1/scheduler', headers, body };
  answered(`scheduler ${type}`, await exchange(url, sending));
}

/** Launches what is right in most respects on the last offer. */
async function launchTasks(scene: Scene): Promise<void> {
  const { inputs, parties } = scene;
  const names = parties.names(inputs.pickAny(parties.frameworks));
  const task: TaskInfo = {
    name: 'task',
    task_id: { value: `t${inputs.below(200)}` },
    agent_id: { value: '@agent' },
    resources: resources({ cpus: (inputs.below(2000) - 100) / 1000, mem: inputs.below(64) }),
    command: { value: 'true' },
    ...(inputs.oneIn(5) && inputs.message('mesos.v1.TaskInfo')),
  };
  const more = inputs.oneIn(3) ? [inputs.message('mesos.v1.Offer.Operation')] : [];
  const call = {
    framework_id: { value: '@framework' },
    type: 'ACCEPT',
    accept: {
      offer_ids: [{ value: '@offer' }],
      operations: [...more, { type: 'LAUNCH', launch: { task_infos: [task] } }],
      filters: { refuse_seconds: 0 },
    },
  };
  await sendScheduler(scene, { type: 'ACCEPT', call: named(call, names) as scheduler.Call });
}

async function operatorCall({ url, inputs, parties, answered }: Scene): Promise<void> {
  const { type, call } = inputs.call('mesos.v1.master.Call');
  const encoding = inputs.pick(ENCODINGS);
  const media = MEDIA_TYPES[encoding];
  const known = named(call, parties.names(inputs.pickAny(parties.frameworks)));
  const body = inputs.bytes(masterApi.CallType, known, encoding);
  const headers = { 'content-type': media, accept: media };
  answered(
    `operator ${type}`,
    await exchange(url, { method: 'POST', path: '/api/v1', headers, body }),
  );
}

async function anyRoute({ url, inputs, parties, answered }: Scene): Promise<void> {
  const names = parties.names(inputs.pickAny(parties.frameworks));
  const filled = (text: string): string =>
    text.replace(/@\w+/g, (placeholder) => names.get(placeholder) ?? placeholder);
  const prefix = inputs.pick(['', '', '/master']);
  const route = inputs.pick(ROUTES);
  const method = inputs.pick(METHODS);
  const headers: Record<string, string> = {};
  for (const name of ['content-type', 'accept', 'message-accept', 'message-content-type'])
    if (inputs.oneIn(3)) headers[name] = inputs.pick(MEDIA);
  if (inputs.oneIn(8)) headers['mesos-stream-id'] = 'x';
  if (inputs.oneIn(8)) headers['authorization'] = inputs.pick(['Basic !', 'Bearer x', 'x']);
  if (inputs.oneIn(8)) headers['accept-encoding'] = 'gzip';
  const sending: Sending = {
    method,
    // What a client cannot write into a path goes escaped.
    path: filled(prefix + route + inputs.pick(QUERIES)).replace(/[^\x21-\x7e]/g, '%00'),
    headers,
    ...(method !== 'GET' && method !== 'HEAD' && { body: filled(inputs.pick(BODIES)) }),
  };
  answered(`${method} ${prefix}${route}`, await exchange(url, sending));
}

async function brokenHttp({ url, inputs, answered }: Scene): Promise<void> {
  const bytes = inputs.damage(Buffer.from(inputs.pick(BROKEN), 'latin1'), 2);
  answered('broken HTTP', await exchangeRaw(url, bytes));
}

function agentSpeaks({ inputs, parties }: Scene): void {
  const agent = inputs.pickAny(parties.agents);
  if (agent === undefined) return;
  const launched = parties.lastFrame(agent, 'RUN_TASK')?.run_task;
  if (launched !== undefined && !inputs.oneIn(3)) {
    const { task, framework_info } = launched;
    const state = inputs.pick(STATES);
    const id = framework_info.id ?? { value: 'none' };
    const status = {
      task_id: task.task_id,
      state,
      uuid: new Uint8Array(16).fill(inputs.below(256)),
    };
    const status_update = { framework_id: id, status, latest_state: state };
    agent.send({ type: 'STATUS_UPDATE', status_update });
    return;
  }
  const frame = inputs.message('dcos.agent.ToMaster') as agentProtocol.ToMaster;
  const known = named(frame, parties.names(inputs.pickAny(parties.frameworks)));
  agent.sendRaw(inputs.bytes(agentProtocol.ToMasterType, known, 'protobuf'));
}

async function ensureParties({ parties }: Scene): Promise<void> {
  parties.tidy();
  if (parties.frameworks.length < 2) await parties.subscribe();
  if (parties.agents.length < 2) await parties.connectAgent();
}

/** How often which action is taken. */
const ACTIONS: readonly (readonly [weight: number, action: Action])[] = [
  [24, schedulerCall],
  [20, launchTasks],
  [20, operatorCall],
  [12, anyRoute],
  [4, brokenHttp],
  [14, agentSpeaks],
  [2, ({ parties }) => parties.subscribe()],
  [1, ({ inputs, parties }) => parties.subscribe(inputs.message('mesos.v1.FrameworkInfo'))],
  [1, ({ parties }) => parties.watch()],
  [1, ({ parties }) => parties.connectAgent()],
  [1, ({ parties }) => parties.drop()],
];
const WEIGHTS = ACTIONS.reduce((sum, [weight]) => sum + weight, 0);

/** Takes one action. Rejects when an answer that must come does not. */
export async function act(scene: Scene): Promise<void> {
  await ensureParties(scene);
  let at = scene.inputs.below(WEIGHTS);
  for (const [weight, action] of ACTIONS) {
    if (at < weight) return action(scene);
    at -= weight;
  }
}
