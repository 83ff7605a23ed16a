import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, expect, test } from 'vitest';
import { scheduler, type agentProtocol } from '@dcos/wire';
import { connectAgent, openStream, postJson, send, type Answer } from '../testing/http-client.ts';
import { closeAfterTest, startTestMaster } from '../testing/running-master.ts';
import { frameworkInfo } from '../testing/world.ts';
import type { MasterConfig } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'access-'));
const credentials = join(folder, 'credentials');
writeFileSync(credentials, 'ops top\nguest low\n');
afterAll(() => rmSync(folder, { recursive: true }));

const as = (principal: string, secret: string): { readonly authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${principal}:${secret}`).toString('base64')}`,
});
const OPS = as('ops', 'top');
const GUEST = as('guest', 'low');
const LOCKED: MasterConfig = {
  credentials,
  authenticateHttpFrameworks: true,
  authenticateHttpReadonly: true,
  authenticateHttpReadwrite: true,
};

const OPEN = ['/health', '/version', '/redirect', '/master/health'];
const READONLY = [
  '/state',
  '/master/state',
  '/st%61te',
  '/metrics',
  '/flags',
  '/api/v1/explain',
  '/system/v1/incidents',
];
const READWRITE = ['/weights', '/quota', '/logging/toggle', '/api/v1', '/master/teardown'];

test('every realm demands its log-in, and only open routes do not', async () => {
  const { url } = await startTestMaster(LOCKED);
  const realmAt = async (path: string): Promise<string | undefined> => {
    const { status, headers, text } = await send(url + path);
    expect([status, text], path).toEqual([401, '']);
    return headers['www-authenticate'];
  };
  for (const path of OPEN) expect((await send(url + path)).status, path).not.toBe(401);
  for (const path of READONLY)
    expect(await realmAt(path)).toBe('Basic realm="mesos-master-readonly"');
  for (const path of READWRITE)
    expect(await realmAt(path)).toBe('Basic realm="mesos-master-readwrite"');
  expect(await realmAt('/api/v1/scheduler')).toBe('Basic realm="mesos-master-scheduler"');
  expect((await send(`${url}/state`, { headers: as('ops', 'wrong') })).status).toBe(401);
  expect((await send(`${url}/state`, { headers: OPS })).status).toBe(200);
});

test('tokens log in as credentials do', async () => {
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const tokenPublicKeys = join(folder, 'keys.pem');
  writeFileSync(tokenPublicKeys, key.publicKey.export({ type: 'spki', format: 'pem' }));
  const token = await new SignJWT({ uid: 'ops' })
    .setProtectedHeader({ alg: 'RS256' })
    .sign(key.privateKey);
  const both = await startTestMaster({ ...LOCKED, tokenPublicKeys });
  const only = await startTestMaster({ tokenPublicKeys, authenticateHttpReadonly: true });
  for (const authorization of [`Bearer ${token}`, `token=${token}`]) {
    for (const { url } of [both, only])
      expect((await send(`${url}/state`, { headers: { authorization } })).status).toBe(200);
  }
  expect((await send(`${both.url}/state`, { headers: OPS })).status).toBe(200);
  expect((await send(`${only.url}/state`, { headers: OPS })).status).toBe(401);
  const challenge = async (url: string): Promise<unknown> =>
    (await send(`${url}/state`)).headers['www-authenticate'];
  expect(await challenge(both.url)).toBe(
    'Basic realm="mesos-master-readonly", Bearer realm="mesos-master-readonly"',
  );
  expect(await challenge(only.url)).toBe('Bearer realm="mesos-master-readonly"');
});

test('a realm that is not switched on asks nobody', async () => {
  const { url } = await startTestMaster({ credentials, authenticateHttpReadwrite: true });
  expect((await send(`${url}/state`)).status).toBe(200);
  expect((await send(`${url}/weights`)).status).toBe(401);
});

test.each<[string, MasterConfig]>([
  ['CREDENTIALS_MISSING', { authenticateHttpReadonly: true }],
  ['CREDENTIALS_MISSING', { authenticateAgents: true }],
  ['TOKEN_KEYS_UNREADABLE', { tokenPublicKeys: join(folder, 'nowhere') }],
  ['TOKEN_KEYS_INVALID', { tokenPublicKeys: credentials }],
  ['TOKEN_SECRET_UNREADABLE', { tokenSecret: join(folder, 'nowhere') }],
  ['TOKEN_SECRET_INVALID', { tokenSecret: credentials }],
  ['CREDENTIALS_UNREADABLE', { credentials: join(folder, 'nowhere') }],
  ['ACLS_UNREADABLE', { acls: join(folder, 'nowhere') }],
  ['ACLS_INVALID', { acls: '{"run_task":[]}' }],
  ['FIREWALL_RULES_UNREADABLE', { firewallRules: join(folder, 'nowhere') }],
  ['FIREWALL_RULES_INVALID', { firewallRules: '{"disabled":{}}' }],
  ['FIREWALL_RULES_INVALID', { firewallRules: '{"disabled_endpoints":{"paths":["state"]}}' }],
])('%s keeps the master from starting', async (code, config) => {
  await expect(startTestMaster(config)).rejects.toMatchObject({ code });
});

test('a disabled endpoint answers nobody, however its path is spelled', async () => {
  const { url } = await startTestMaster({
    firewallRules: '{"disabled_endpoints":{"paths":["/master/teardown","/state"]}}',
  });
  for (const path of ['/teardown', '/master/teardown', '/state', '/st%61te', '/master/state']) {
    const { status, text } = await send(url + path);
    expect([status, text], path).toMatchObject([
      403,
      expect.stringMatching(/^Endpoint '.*' is disabled$/),
    ]);
  }
  expect((await send(`${url}/state-summary`)).status).toBe(200);
});

const REGISTER: agentProtocol.ToMaster = {
  type: 'REGISTER',
  register: {
    protocol: 1,
    version: '1',
    ip: '127.0.0.1',
    capabilities: [],
    agent_info: { hostname: 'h' },
  },
};

const MUST_LOG_IN: MasterConfig = { credentials, authenticateAgents: true };
const ONLY_OPS = JSON.stringify({
  register_agents: [
    { principals: { values: ['ops'] }, agents: { type: 'ANY' } },
    { principals: { type: 'ANY' }, agents: { type: 'NONE' } },
  ],
});

test.each<[string, MasterConfig, Readonly<Record<string, string>>, string | undefined]>([
  ['nobody has to say who they are', {}, {}, undefined],
  ['logs in', MUST_LOG_IN, OPS, undefined],
  ['is allowed', { ...MUST_LOG_IN, acls: ONLY_OPS }, OPS, undefined],
  ['is not allowed', { ...MUST_LOG_IN, acls: ONLY_OPS }, GUEST, "as principal 'guest'"],
  ['is unknown where rules are for names', { acls: ONLY_OPS }, OPS, 'without a principal'],
  ['is unknown to strict lists', { acls: '{"permissive":false}' }, {}, 'without a principal'],
])('an agent registers or is told why not: %s', async (_says, config, headers, who) => {
  const { url } = await startTestMaster(config);
  const agent = closeAfterTest(await connectAgent(url, headers));
  agent.send(REGISTER);
  const answer = await agent.frames.find('an answer', () => true);
  expect(answer.rejected).toEqual(
    who && { message: `Not authorized to register agents ${who}`, shutdown: false },
  );
  expect(answer.type).toBe(who === undefined ? 'REGISTERED' : 'REJECTED');
});

test('an agent that does not log in gets 401 before the upgrade', async () => {
  const { url } = await startTestMaster(MUST_LOG_IN);
  for (const headers of [{}, as('ops', 'wrong')])
    await expect(connectAgent(url, headers)).rejects.toThrow('Unexpected server response: 401');
});

function subscription(principal?: string): scheduler.Call {
  const info = frameworkInfo();
  return {
    type: 'SUBSCRIBE',
    subscribe: { framework_info: { ...info, ...(principal !== undefined && { principal }) } },
  };
}

test('a framework gets the principal that it logged in as, and no one else may speak for it', async () => {
  const { url } = await startTestMaster(LOCKED);
  const path = `${url}/api/v1/scheduler`;
  const refused = await postJson(path, subscription('other'), OPS);
  expect([refused.status, refused.text]).toEqual([
    400,
    "Authenticated principal 'ops' does not match principal 'other' set in FrameworkInfo",
  ]);
  const stream = await openStream(path, JSON.stringify(subscription()), {
    type: scheduler.EventType,
    encoding: 'json',
    headers: OPS,
  });
  closeAfterTest(stream);
  const { subscribed } = await stream.events.find('SUBSCRIBED', (e) => e.type === 'SUBSCRIBED');
  const state = await send(`${url}/frameworks`, { headers: OPS });
  expect(JSON.parse(state.text)).toMatchObject({ frameworks: [{ principal: 'ops' }] });
  const call = { type: 'REVIVE', framework_id: subscribed?.framework_id };
  const revive = (who: typeof OPS): Promise<Answer> =>
    postJson(path, call, { ...who, 'mesos-stream-id': String(stream.headers['mesos-stream-id']) });
  expect((await revive(GUEST)).status).toBe(400);
  expect((await revive(OPS)).status).toBe(202);
});

const NOTHING_FOR_GUEST = { principals: { values: ['guest'] } };
const NONE = { type: 'NONE' };

const refusals: readonly [list: string, field: string, path: string, body?: unknown][] = [
  ['view_frameworks', 'users', '/api/v1/explain?role=dev'],
  ['view_roles', 'roles', '/api/v1/expl%61in?role=dev'],
  ['view_tasks', 'users', '/system/v1/incidents'],
  ['view_flags', 'flags', '/flags'],
  ['get_maintenance_schedules', 'machines', '/maintenance/schedule'],
  ['get_maintenance_statuses', 'machines', '/maintenance/status'],
  ['access_mesos_logs', 'logs', '/files/read?path=/master/log'],
  ['get_endpoints', 'paths', '/metrics/snapshot'],
  ['get_endpoints', 'paths', '/logging/toggle'],
  ['view_flags', 'flags', '/api/v1', { type: 'GET_FLAGS' }],
  ['access_mesos_logs', 'logs', '/api/v1', { type: 'LIST_FILES', list_files: { path: '/' } }],
  [
    'set_log_level',
    'level',
    '/api/v1',
    { type: 'SET_LOGGING_LEVEL', set_logging_level: { level: 0, duration: { nanoseconds: 1 } } },
  ],
  [
    'update_weights',
    'roles',
    '/api/v1',
    { type: 'UPDATE_WEIGHTS', update_weights: { weight_infos: [{ role: 'dev', weight: 2 }] } },
  ],
];

test.each(refusals)(
  '%s refuses guests, not others (%s, %s %j)',
  async (list, field, path, body) => {
    const acls = JSON.stringify({ [list]: [{ ...NOTHING_FOR_GUEST, [field]: NONE }] });
    const { url } = await startTestMaster({ ...LOCKED, acls });
    const ask = (headers: typeof OPS): Promise<Answer> =>
      body === undefined ? send(url + path, { headers }) : postJson(url + path, body, headers);
    const refused = await ask(GUEST);
    expect([refused.status, refused.text]).toEqual([
      403,
      expect.stringMatching(/^Not authorized to [a-z ]+( '.+')?$/),
    ]);
    // There is no role to explain, which only those are told who may ask.
    expect((await ask(OPS)).status).toBe(path.includes('role=dev') ? 404 : 200);
  },
);

test('an explanation is refused when a single user is hidden', async () => {
  const hidden = [{ principals: NONE, users: { values: ['root'] } }];
  const { url } = await startTestMaster({ acls: JSON.stringify({ view_tasks: hidden }) });
  expect((await send(`${url}/api/v1/explain`)).status).toBe(403);
  expect((await send(`${url}/state`)).status).toBe(200);
});

test('roles, teardown and agents that are gone are asked for in the core', async () => {
  const acls = JSON.stringify({
    register_frameworks: [{ principals: { values: ['guest'] }, roles: NONE }],
    teardown_frameworks: [{ ...NOTHING_FOR_GUEST, framework_principals: NONE }],
    mark_agents_gone: [{ ...NOTHING_FOR_GUEST, agents: NONE }],
  });
  const { url } = await startTestMaster({ ...LOCKED, acls });
  const path = `${url}/api/v1/scheduler`;
  const open = async (who: typeof OPS): Promise<readonly scheduler.Event[]> => {
    const stream = await openStream(path, JSON.stringify(subscription()), {
      type: scheduler.EventType,
      encoding: 'json',
      headers: who,
    });
    closeAfterTest(stream);
    return [await stream.events.find('the first event', () => true)];
  };
  expect(await open(GUEST)).toMatchObject([
    {
      type: 'ERROR',
      error: { message: expect.stringMatching(/^Not authorized to use roles '\{ /) as string },
    },
  ]);
  const [first] = await open(OPS);
  const framework_id = first?.subscribed?.framework_id;
  const teardown = { type: 'TEARDOWN', teardown: { framework_id } };
  const gone = { type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: 'a' } } };
  const refused: readonly [object, string][] = [
    [teardown, 'Not authorized to teardown framework'],
    [gone, 'Not authorized to mark agent gone'],
  ];
  for (const [call, text] of refused)
    expect(await postJson(`${url}/api/v1`, call, GUEST)).toMatchObject({ status: 403, text });
  expect((await postJson(`${url}/api/v1`, gone, OPS)).status).toBe(404);
  expect((await postJson(`${url}/api/v1`, teardown, OPS)).status).toBe(200);
});
