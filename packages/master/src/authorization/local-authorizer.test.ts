import { expect, test } from 'vitest';
import type { Action } from '../core/authorization.ts';
import { parseAcls } from './acls.ts';
import { createLocalAuthorizer } from './local-authorizer.ts';

const ANY = { type: 'ANY' };
const NONE = { type: 'NONE' };
const some = (...values: string[]): object => ({ values });

const run = (...rules: readonly [principals: object, users: object][]): object => ({
  run_tasks: rules.map(([principals, users]) => ({ principals, users })),
});
const reserve = (...roles: string[]): object => ({
  permissive: false,
  reserve_resources: [{ principals: ANY, roles: some(...roles) }],
});

interface Row {
  readonly says: string;
  readonly acls: object;
  readonly action?: Action;
  readonly principal?: string;
  readonly object?: string;
  readonly allowed: boolean;
}

const rows: readonly Row[] = [
  { says: 'no rule, permissive by default', acls: {}, principal: 'p', object: 'u', allowed: true },
  {
    says: 'no rule, strict',
    acls: { permissive: false },
    principal: 'p',
    object: 'u',
    allowed: false,
  },
  {
    says: 'a rule of another action',
    acls: { ...run([NONE, ANY]) },
    action: 'TEARDOWN_FRAMEWORK',
    allowed: true,
  },
  {
    says: 'no rule matches, strict',
    acls: { permissive: false, ...run([some('q'), ANY]) },
    principal: 'p',
    object: 'u',
    allowed: false,
  },
  {
    says: 'ANY allows a value',
    acls: { permissive: false, ...run([ANY, ANY]) },
    principal: 'p',
    object: 'u',
    allowed: true,
  },
  {
    says: 'SOME allows what it has',
    acls: { permissive: false, ...run([some('p'), some('u')]) },
    principal: 'p',
    object: 'u',
    allowed: true,
  },
  {
    says: 'SOME is the default type of an entity',
    acls: { permissive: false, ...run([{ type: 'SOME', values: ['p'] }, some('u')]) },
    principal: 'p',
    object: 'u',
    allowed: true,
  },
  {
    says: 'other objects of SOME are left to permissive',
    acls: run([some('p'), some('u')]),
    principal: 'p',
    object: 'v',
    allowed: true,
  },
  {
    says: 'NONE objects deny the listed subjects',
    acls: run([some('p'), NONE]),
    principal: 'p',
    object: 'u',
    allowed: false,
  },
  {
    says: 'NONE objects leave others alone',
    acls: run([some('p'), NONE]),
    principal: 'q',
    object: 'u',
    allowed: true,
  },
  {
    says: 'NONE subjects deny everybody',
    acls: run([NONE, some('u')]),
    principal: 'p',
    object: 'u',
    allowed: false,
  },
  {
    says: 'NONE subjects leave other objects alone',
    acls: run([NONE, some('u')]),
    principal: 'p',
    object: 'v',
    allowed: true,
  },
  {
    says: 'the first match denies',
    acls: run([some('p'), NONE], [ANY, ANY]),
    principal: 'p',
    object: 'u',
    allowed: false,
  },
  {
    says: 'the first match allows',
    acls: run([some('p'), some('u')], [ANY, NONE]),
    principal: 'p',
    object: 'u',
    allowed: true,
  },
  {
    says: 'a later match decides when the first does not match',
    acls: run([some('p'), some('u')], [ANY, NONE]),
    principal: 'p',
    object: 'v',
    allowed: false,
  },
  {
    says: 'any object matches NONE, which denies it',
    acls: run([ANY, NONE]),
    principal: 'p',
    allowed: false,
  },
  {
    says: 'any object does not match SOME',
    acls: { permissive: false, ...run([ANY, some('u')]) },
    principal: 'p',
    allowed: false,
  },
  {
    says: 'any object matches ANY',
    acls: { permissive: false, ...run([ANY, ANY]) },
    principal: 'p',
    allowed: true,
  },
  {
    says: 'somebody unknown matches ANY',
    acls: { permissive: false, ...run([ANY, ANY]) },
    object: 'u',
    allowed: true,
  },
  {
    says: 'somebody unknown does not match SOME',
    acls: { permissive: false, ...run([some('p'), ANY]) },
    object: 'u',
    allowed: false,
  },
  { says: 'somebody unknown matches NONE', acls: run([NONE, ANY]), object: 'u', allowed: false },
  {
    says: 'a pattern allows a child',
    acls: reserve('eng/%'),
    action: 'RESERVE_RESOURCES',
    principal: 'p',
    object: 'eng/a',
    allowed: true,
  },
  {
    says: 'a pattern allows a grandchild',
    acls: reserve('eng/%'),
    action: 'RESERVE_RESOURCES',
    principal: 'p',
    object: 'eng/a/b',
    allowed: true,
  },
  {
    says: 'a pattern excludes the role itself',
    acls: reserve('eng/%'),
    action: 'RESERVE_RESOURCES',
    principal: 'p',
    object: 'eng',
    allowed: false,
  },
  {
    says: 'a pattern excludes a longer name',
    acls: reserve('eng/%'),
    action: 'RESERVE_RESOURCES',
    principal: 'p',
    object: 'engine/a',
    allowed: false,
  },
  {
    says: 'a name beside a pattern',
    acls: reserve('eng/%', 'eng'),
    action: 'RESERVE_RESOURCES',
    principal: 'p',
    object: 'eng',
    allowed: true,
  },
  {
    says: 'users have no patterns',
    acls: { permissive: false, ...run([ANY, some('u/%')]) },
    principal: 'p',
    object: 'u/a',
    allowed: false,
  },
];

test.each(rows)('$says', ({ acls, action = 'RUN_TASK', principal, object, allowed }) => {
  const authorizer = createLocalAuthorizer(parseAcls(JSON.stringify(acls)));
  expect(authorizer.allows({ action, principal, object })).toBe(allowed);
});

test.each([
  ['{', /not JSON/],
  ['[]', /expecting a JSON object/],
  ['{"permissive":"no"}', /'permissive' must be/],
  ['{"run_task":[]}', /'run_task' is not a list/],
  ['{"access_sandbox":[]}', /'access_sandbox' is not a list/],
  [
    '{"access_sandboxes":[{"principals":{"type":"ANY"}}]}',
    /'access_sandboxes\[0\]\.users' must be/,
  ],
  ['{"prune_images":[{"principals":{"type":"ANY"},"images":{"values":["x"]}}]}', /ANY or NONE/],
  ['{"run_tasks":{}}', /'run_tasks' must be an array/],
  ['{"run_tasks":[{"principals":{"type":"ANY"}}]}', /'run_tasks\[0\]\.users' must be an object/],
  ['{"run_tasks":[{"principals":{"type":"ANY"},"user":{}}]}', /has 'user', expecting/],
  ['{"run_tasks":[{"principals":{"type":"ALL"},"users":{}}]}', /must be ANY, NONE or SOME/],
  ['{"run_tasks":[{"principals":{"values":[1]},"users":{}}]}', /array of strings/],
  ['{"run_tasks":[{"principals":{"value":["p"]},"users":{}}]}', /an unknown 'value'/],
  [
    '{"run_tasks":[{"principals":{"type":"ANY","values":["p"]},"users":{}}]}',
    /must have no values/,
  ],
  ['{"view_flags":[{"principals":{"type":"ANY"},"flags":{"values":["x"]}}]}', /ANY or NONE/],
])('refuses %s', (text, message) => {
  expect(() => parseAcls(text)).toThrow(message);
});

test('names the lists that only agents enforce', () => {
  const rule = { principals: ANY, users: some('root') };
  const text = JSON.stringify({
    access_sandboxes: [rule],
    run_tasks: [rule],
    launch_nested_containers_as_user: [rule],
  });
  const { ofAgents, rules } = parseAcls(text);
  expect(ofAgents).toEqual(['access_sandboxes', 'launch_nested_containers_as_user']);
  expect([...rules.keys()]).toEqual(['RUN_TASK']);
});
