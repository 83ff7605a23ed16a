/** Requests as no client should send them: wrong in one to three places, broken, of a wrong type or path. */

import fc from 'fast-check';

export interface ArbitraryRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
  readonly contentType: string;
}

/** Bytes of a body that the tests' server takes; some requests have more. */
export const TEST_BODY_BYTES_MAX = 64 * 1024;

const APP = {
  id: '/shop/front',
  cmd: 'exec serve',
  instances: 1,
  cpus: 0.1,
  mem: 32,
  disk: 0,
  user: 'www',
  env: { REGION: 'eu', PASSWORD: { secret: 'password' } },
  labels: { team: 'shop' },
  constraints: [['hostname', 'UNIQUE']],
  acceptedResourceRoles: ['*'],
  container: {
    type: 'DOCKER',
    docker: {
      image: 'python:3',
      network: 'BRIDGE',
      portMappings: [{ containerPort: 80, hostPort: 0 }],
      parameters: [{ key: 'hostname', value: 'x' }],
    },
    volumes: [{ containerPath: '/data', hostPath: '/tmp', mode: 'RO' }],
  },
  networks: [{ mode: 'container/bridge' }],
  portDefinitions: [{ port: 0, name: 'http', protocol: 'tcp', labels: {} }],
  fetch: [{ uri: 'file:///tmp/a.tgz', extract: true }],
  healthChecks: [{ protocol: 'HTTP', path: '/', portIndex: 0, intervalSeconds: 10 }],
  check: { http: { portIndex: 0, path: '/' } },
  readinessChecks: [{ name: 'ready', portName: 'http', httpStatusCodesForReady: [200] }],
  dependencies: ['/shop/db'],
  upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
  unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
  resourceLimits: { cpus: 1, mem: 'unlimited' },
  residency: { taskLostBehavior: 'WAIT_FOREVER' },
  killSelection: 'YOUNGEST_FIRST',
  backoffSeconds: 1,
  backoffFactor: 1.15,
  maxLaunchDelaySeconds: 300,
  version: '2020-01-01T00:00:00.000Z',
};
const GROUP = {
  id: '/shop',
  apps: [{ id: 'front', cmd: 'serve' }],
  groups: [{ id: 'inner', apps: [], dependencies: ['/shop'] }],
  dependencies: ['/other'],
  scaleBy: 2,
  version: '2020-01-01T00:00:00.000Z',
  enforceRole: false,
};

type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };

/** Texts of JSON values that are wrong in most places; numbers are small or absurd, never merely large. */
const LITERALS = [
  'null',
  'true',
  '0',
  '-1',
  '1.5',
  '1e308',
  '1e999',
  '-0',
  '9007199254740993',
  '4294967296',
  '""',
  '"x"',
  '"/"',
  '"../.."',
  '"\\u0000"',
  '"\\ud800"',
  '"grün😀"',
  '"NaN"',
  '"1"',
  '"//cmd"',
  '[]',
  '[[]]',
  '[null]',
  '[""]',
  '{}',
  '{"a":{}}',
  '{"__proto__":{"x":1}}',
  '{"constructor":1}',
  '"("',
  '"[a-z"',
  '"GROUP_BY"',
  '"2020-01-01T00:00:00.000Z"',
  '"1970-01-01T00:00:00.000Z"',
  `"${'a'.repeat(3000)}"`,
];
const literal = fc.constantFrom(...LITERALS);
const MARK = '@@';

interface Place {
  readonly holder: { [key: string]: Plain } | Plain[];
  readonly key: string;
}

function placesIn(value: Plain, places: Place[] = []): Place[] {
  if (value === null || typeof value !== 'object') return places;
  for (const key of Object.keys(value)) {
    places.push({ holder: value, key });
    const member = (value as { [key: string]: Plain })[key];
    placesIn(member ?? null, places);
  }
  return places;
}

/** Some fields of a template, one to three places in it replaced. */
function mutated(template: object): fc.Arbitrary<string> {
  return fc
    .record({
      keep: fc.subarray(Object.keys(template)),
      changes: fc.array(fc.tuple(fc.nat(), literal), { minLength: 0, maxLength: 3 }),
    })
    .map(({ keep, changes }) => {
      const kept = new Set([...keep, 'id', 'cmd']);
      const entries = Object.entries(structuredClone(template)).filter(([key]) => kept.has(key));
      const value = Object.fromEntries(entries);
      const texts: string[] = [];
      for (const [choice, text] of changes) {
        const places = placesIn(value);
        const place = places[choice % Math.max(1, places.length)];
        if (place === undefined) continue;
        (place.holder as { [key: string]: Plain })[place.key] = `${MARK}${texts.push(text) - 1}`;
      }
      return JSON.stringify(value).replaceAll(
        new RegExp(`"${MARK}(\\d+)"`, 'g'),
        (_match, index: string) => texts[Number(index)] ?? 'null',
      );
    });
}

const BROKEN = [
  '',
  ' ',
  '{',
  '[',
  'null',
  'NaN',
  '[1,]',
  '{"id":"/a","id":"/b","cmd":"sleep 1"}',
  '\uFEFF{}',
  '"text"',
  '7',
  '[[[]]]',
  '{"ids":7}',
  '{"ids":["x"]}',
  '{"ids":[null]}',
  '{"id":"/a"',
  '\u0000',
  `${'['.repeat(5000)}${']'.repeat(5000)}`,
  `${'{"groups":[{"id":"a",'.repeat(500)}"apps":[]${'}]'.repeat(500)}}`,
  `{"id":"/a","env":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`,
  `{"id":"/a","cmd":"${'x'.repeat(TEST_BODY_BYTES_MAX)}"}`,
];
const broken = fc.constantFrom(...BROKEN);

const app = mutated(APP);
const group = mutated(GROUP);
const body = fc.oneof(
  { weight: 5, arbitrary: app },
  { weight: 2, arbitrary: group },
  { weight: 1, arbitrary: app.map((text) => `[${text}]`) },
  { weight: 2, arbitrary: broken },
);
const PATHS = [
  '/v2/apps',
  '/v2/apps/',
  '/v2/apps/base',
  '/v2/apps//base',
  '/v2/apps/shop/front',
  '/v2/apps/%00',
  '/v2/apps/%zz',
  '/v2/apps/..',
  '/v2/apps/%2e%2e%2f',
  '/v2/apps/base/restart',
  '/v2/apps/a%20b',
  '/v2/apps/base/tasks',
  '/v2/apps/base/tasks/x',
  '/v2/apps/*',
  '/v2/apps/base/versions/x',
  '/v2/apps/*/tasks',
  '/v2/apps/__proto__',
  '/v2/apps/BASE',
  '/v2/groups',
  '/v2/groups/',
  '/v2/groups/shop',
  '/v2/groups/base',
  '/v2/groups//',
  '/v2/groups/shop/versions/x',
  '/v2/queue',
  '/v2/groups/versions',
  '/v2/groups/shop/apps',
  '/v2/groups/%F0%9F%98%80',
  '/v2/queue/base/delay',
  '/v2/queue//delay',
  '/v2/tasks',
  '/v2/tasks/delete',
  '/v2/deployments',
  '/v2/deployments/x',
  '/v2/deployments/',
  '/v2/info',
  '/v2/plugins/x/y',
  '/v2/events',
  '/ping',
  '/metrics',
  '/nothing',
  '/logging',
  '/v2/apps/base::status',
  '/v2/artifacts',
  `/v2/apps/${'a/'.repeat(600)}a`,
];
/** Where bodies are read: most requests should get that far. */
const WRITING_PATHS = ['/v2/apps', '/v2/apps/base', '/v2/groups', '/v2/groups/shop'];
const path = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...WRITING_PATHS) },
  { weight: 2, arbitrary: fc.constantFrom(...PATHS) },
);
const QUERIES = [
  '',
  '',
  '',
  '?force=true',
  '?force',
  '?force=maybe',
  '?scale=true',
  '?wipe=true',
  '?scale&wipe',
  '?partialUpdate=false',
  '?dryRun=true',
  '?embed=apps.tasks&embed=x',
  '?label=a==b',
  '?label=(((',
  '?label=%00',
  '?id=%ZZ',
  '?cmd[]=1',
  '?status=running',
  '?host=%F0%9F',
  '?embed=lastUnusedOffers',
];
const query = fc.constantFrom(...QUERIES);
const CONTENT_TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  'application/xml',
  'multipart/form-data',
  'application/x-www-form-urlencoded',
  'nonsense',
  '',
];
const contentType = fc.oneof(
  { weight: 4, arbitrary: fc.constant('application/json') },
  { weight: 1, arbitrary: fc.constantFrom(...CONTENT_TYPES) },
);
/** A request, mostly wrong in some way. */
export const arbitraryRequest: fc.Arbitrary<ArbitraryRequest> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'POST', 'PUT', 'PUT', 'PATCH', 'DELETE', 'HEAD'),
  path,
  query,
  body,
  contentType,
});
