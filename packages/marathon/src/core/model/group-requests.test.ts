import { describe, expect, test } from 'vitest';
import type { JsonObject } from '@dcos/base';
import type { RootGroup } from './app-definition.ts';
import { appToJson, groupToJson } from './app-json.ts';
import { createGroup, deleteGroup, patchGroup, updateGroup } from './group-requests.ts';
import { allApps, findApp, findGroup } from './group.ts';
import {
  contextAt,
  detailsOf,
  EMPTY,
  FIRST,
  problemOf,
  SECOND,
  THIRD,
  treeOf,
  valueOf,
} from './testing/fixtures.ts';
import type { ModelSettings } from './settings.ts';

function put(
  root: RootGroup,
  id: string,
  update: JsonObject,
  settings: Partial<ModelSettings> = {},
) {
  const versions = { rootAt: (version: string) => (version === FIRST ? root : undefined) };
  return updateGroup(
    root,
    { id, body: JSON.stringify(update) },
    contextAt(SECOND, settings, versions),
  );
}

function post(root: RootGroup, id: string, update: JsonObject) {
  return createGroup(root, { id, body: JSON.stringify(update) }, contextAt(SECOND));
}

const app = (id: string, more: JsonObject = {}): JsonObject => ({ id, cmd: 'sleep 1', ...more });
const idsOf = (root: RootGroup): readonly string[] => allApps(root).map(({ id }) => id);

describe('creation', () => {
  test('of a tree with relative and absolute ids', () => {
    const { root, groupId } = valueOf(
      post(treeOf(app('/base/dns')), '/', {
        id: '/shop',
        apps: [app('/shop/web')],
        groups: [
          { id: 'data', apps: [app('db'), app('./cache')], dependencies: ['/base'] },
          { id: '/shop/x' },
        ],
      }),
    );
    expect(groupId).toBe('/shop');
    expect(idsOf(root)).toEqual(['/base/dns', '/shop/web', '/shop/data/cache', '/shop/data/db']);
    expect(findGroup(root, '/shop/data')).toMatchObject({
      dependencies: ['/base'],
      version: SECOND,
    });
    expect(findGroup(root, '/shop/x')?.apps.size).toBe(0);
  });

  test('of what exists is refused', () => {
    const root = treeOf({ id: '/shop/web' });
    expect(problemOf(post(root, '/shop', {}))).toEqual({
      status: 409,
      body: { message: 'Group /shop is already created. Use PUT to change this group.' },
    });
    expect(problemOf(post(root, '/', { id: '/shop' })).status).toBe(409);
    expect(problemOf(post(root, '/shop', { id: 'web' }))).toEqual({
      status: 409,
      body: { message: 'An app with the path /shop/web already exists.' },
    });
  });

  test('with an id in the path: the one in the body is relative to it', () => {
    expect(valueOf(post(EMPTY, '/shop', { id: 'eu' })).groupId).toBe('/shop/eu');
    expect(valueOf(post(EMPTY, '/shop', {})).groupId).toBe('/shop');
  });

  test('new top-level groups get what the operator decided, unless they say', () => {
    const enforced = { newGroupEnforceRole: true };
    expect(findGroup(valueOf(put(EMPTY, '/a', {}, enforced)).root, '/a')?.enforceRole).toBe(true);
    const update = { enforceRole: false, apps: [app('x')] };
    const { root } = valueOf(put(EMPTY, '/a', update, enforced));
    expect(findGroup(root, '/a')?.enforceRole).toBe(false);
    expect(findApp(root, '/a/x')?.role).toBe('*');
    const nested = valueOf(
      put(EMPTY, '/', {
        groups: [{ id: 'b', enforceRole: true, groups: [{ id: 'c', apps: [app('y')] }] }],
      }),
    );
    expect(findApp(nested.root, '/b/c/y')?.role).toBe('b');
  });
});

describe('updates', () => {
  const before = treeOf(app('/shop/web'), app('/shop/db'), app('/shop/eu/web'), app('/other'));

  test('replace the lists that they name and leave the others', () => {
    const { root, isCreated } = valueOf(
      put(before, '/shop', { apps: [app('web', { instances: 2 })] }),
    );
    expect(isCreated).toBe(false);
    expect(idsOf(root)).toEqual(['/other', '/shop/web', '/shop/eu/web']);
    expect(findApp(root, '/shop/web')).toMatchObject({ instances: 2, version: SECOND });
    expect(findApp(root, '/shop/eu/web')).toBe(findApp(before, '/shop/eu/web'));
    expect(idsOf(valueOf(put(before, '/shop', { groups: [] })).root)).toEqual([
      '/other',
      '/shop/db',
      '/shop/web',
    ]);
    expect(idsOf(valueOf(put(before, '/shop', { apps: [] })).root)).toEqual([
      '/other',
      '/shop/eu/web',
    ]);
  });

  test('with the same content change nothing but versions of groups', () => {
    const shop = findGroup(before, '/shop');
    const body = shop === undefined ? {} : groupToJson(shop, { app: appToJson, groups: true });
    const { version: _version, groups: _groups, ...same } = body;
    const { root } = valueOf(put(before, '/shop', same));
    expect(allApps(root)).toEqual(allApps(before));
    for (const one of allApps(root)) expect(one).toBe(findApp(before, one.id));
  });

  test('keep dependencies that they do not name', () => {
    const first = valueOf(put(before, '/shop', { dependencies: ['/other'] })).root;
    const second = valueOf(put(first, '/shop', { apps: [] })).root;
    expect(findGroup(second, '/shop')?.dependencies).toEqual(['/other']);
    expect(
      findGroup(valueOf(put(second, '/shop', { dependencies: [] })).root, '/shop')?.dependencies,
    ).toEqual([]);
  });

  test('make what is missing on the way', () => {
    const { root, isCreated } = valueOf(put(before, '/a/b/c', { apps: [app('x')] }));
    expect(isCreated).toBe(true);
    expect(idsOf(root)).toContain('/a/b/c/x');
    expect(findGroup(root, '/a')?.enforceRole).toBe(false);
  });

  test('multiply instances', () => {
    const three = treeOf(app('/a/x', { instances: 3 }), app('/a/b/y', { instances: 1 }), app('/z'));
    const { root } = valueOf(put(three, '/a', { scaleBy: 1.5 }));
    expect(allApps(root).map(({ id, instances }) => [id, instances])).toEqual([
      ['/z', 1],
      ['/a/x', 5],
      ['/a/b/y', 2],
    ]);
    expect(findApp(root, '/a/x')?.versionInfo).toEqual({
      lastScalingAt: SECOND,
      lastConfigChangeAt: FIRST,
    });
    expect(
      allApps(valueOf(put(three, '/', { scaleBy: 0 })).root).map(({ instances }) => instances),
    ).toEqual([0, 0, 0]);
    const ten = treeOf(app('/a/x', { instances: 100 }));
    expect(findApp(valueOf(put(ten, '/a', { scaleBy: 1.1 })).root, '/a/x')?.instances).toBe(110);
  });

  test('multiply no instances beyond the bound of an app, at any depth', () => {
    const deep = treeOf(app('/a/b/y', { instances: 10 }));
    expect(problemOf(put(deep, '/a', { scaleBy: 1e300 }))).toMatchObject({
      status: 422,
      body: { message: 'scaleBy gives /a/b/y more than 100000 instances' },
    });
  });

  test('go back to a version of the root', () => {
    const now = valueOf(put(before, '/shop', { apps: [] })).root;
    const context = contextAt(
      THIRD,
      {},
      { rootAt: (version) => (version === FIRST ? before : undefined) },
    );
    const body = JSON.stringify({ version: FIRST });
    const { root } = valueOf(updateGroup(now, { id: '/shop', body }, context));
    expect(idsOf(root)).toEqual(idsOf(before));
    expect(findApp(root, '/shop/web')?.version).toBe(THIRD);
    const unknown = updateGroup(
      now,
      { id: '/shop', body: JSON.stringify({ version: SECOND }) },
      context,
    );
    expect(problemOf(unknown)).toMatchObject({
      status: 422,
      body: { message: `Version ${SECOND} is not available.` },
    });
  });

  test.each<[string, JsonObject, string]>([
    ['/shop', { scaleBy: 2, apps: [] }, '/'],
    ['/shop', { version: FIRST, dependencies: [] }, '/'],
    ['/shop', { apps: [app('/other')] }, '/apps(0)/id'],
    ['/shop', { apps: [app('eu/x')] }, '/apps(0)/id'],
    ['/shop', { apps: [app('x'), app('/shop/x')] }, '/apps(1)/id'],
    ['/shop', { groups: [{ id: '/x' }] }, '/groups(0)/id'],
    [
      '/shop',
      { groups: [{ id: 'eu', apps: [app('web'), app('../db')] }] },
      '/groups(0)/apps(1)/id',
    ],
    ['/shop', { groups: [{ id: 'eu', scaleBy: 2 }] }, '/groups(0)'],
    ['/shop', { apps: [app('x', { args: ['a'] })] }, '/apps(0)'],
    ['/shop', { apps: [app('x', { role: 'y' })] }, '/apps(0)/role'],
    ['/shop', { groups: [{ id: 'web' }], apps: [app('web')] }, '/'],
    ['/shop', { dependencies: ['/nowhere'] }, '/dependencies'],
    ['/shop/eu', { enforceRole: true }, '/enforceRole'],
    ['/', { enforceRole: true }, '/enforceRole'],
    ['/shop', { enforceRole: true, apps: [] }, '/enforceRole'],
    ['/shop/tasks', {}, '/id'],
  ])('PUT %s %j is refused at %s', (id, update, path) => {
    const result = put(before, id, update);
    expect(problemOf(result)).toMatchObject({
      status: 422,
      body: { message: 'Object is not valid' },
    });
    expect(Object.keys(detailsOf(result))).toEqual([path]);
  });

  test.each<[JsonObject, string, string]>([
    [{ apps: [{ cmd: 'sleep 1' }] }, '/apps(0)/id', 'error.path.missing'],
    [{ apps: [app('x', { cpus: 'a' })] }, '/apps(0)/cpus', 'error.expected.jsnumber'],
    [{ groups: [{ apps: [] }] }, '/groups(0)/id', 'error.path.missing'],
    [{ groups: [{ id: 5 }] }, '/groups(0)/id', 'error.expected.jsstring'],
    [{ groups: {} }, '/groups', 'error.expected.jsarray'],
    [{ scaleBy: -1 }, '/scaleBy', 'error.min'],
    [{ dependencies: ['A'] }, '/dependencies(0)', 'error.pattern'],
  ])('%j is wrong at %s', (update, path, token) => {
    const result = put(before, '/shop', update);
    expect(problemOf(result).body.message).toBe('Invalid JSON');
    expect(detailsOf(result)).toEqual({ [path]: [token] });
  });

  test('groups within groups have a bound', () => {
    let nested: JsonObject = { id: 'x' };
    for (let depth = 0; depth < 64; depth++) nested = { id: 'x', groups: [nested] };
    expect(put(EMPTY, '/', nested).ok).toBe(true);
    expect(put(EMPTY, '/', { groups: [nested] }).ok).toBe(false);
  });

  test('groups depend on groups, without cycles', () => {
    const groups = (dependencies: readonly string[]): JsonObject => ({
      groups: [
        { id: 'a', apps: [app('x')], dependencies: ['/b'] },
        { id: 'b', apps: [app('y')], dependencies },
      ],
    });
    expect(put(EMPTY, '/', groups([])).ok).toBe(true);
    expect(detailsOf(put(EMPTY, '/', groups(['a'])))).toEqual({
      '/': ['Dependency graph has cyclic dependencies.'],
    });
  });
});

describe('enforcement of roles', () => {
  const before = treeOf(app('/shop/web'));
  const patch = (id: string, body: JsonObject) =>
    patchGroup(before, { id, body: JSON.stringify(body) }, contextAt(SECOND));

  test('is switched without touching apps', () => {
    const { root } = valueOf(patch('/shop', { enforceRole: true }));
    expect(findGroup(root, '/shop')?.enforceRole).toBe(true);
    expect(findApp(root, '/shop/web')).toBe(findApp(before, '/shop/web'));
  });

  test('lets apps keep the role that they have, and gives new ones that of the group', () => {
    const { root } = valueOf(patch('/shop', { enforceRole: true }));
    const update = { apps: [app('web', { role: '*', instances: 3 }), app('new')] };
    const next = valueOf(put(root, '/shop', update)).root;
    expect(findApp(next, '/shop/web')?.role).toBe('*');
    expect(findApp(next, '/shop/new')?.role).toBe('shop');
    const other = put(root, '/shop', { apps: [app('new', { role: '*' })] });
    expect(detailsOf(other)).toEqual({ '/apps(0)/role': ['got *, expected one of: [shop]'] });
  });

  test('is for top-level groups that exist', () => {
    expect(problemOf(patch('/x', { enforceRole: true })).status).toBe(404);
    expect(Object.keys(detailsOf(patch('/', { enforceRole: true })))).toEqual(['/enforceRole']);
    expect(detailsOf(patch('/shop', {}))).toEqual({ '/enforceRole': ['error.path.missing'] });
  });
});

describe('removal', () => {
  const before = treeOf(app('/shop/web'), app('/shop/eu/web'), app('/other'));

  test('of a group with its content', () => {
    expect(idsOf(valueOf(deleteGroup(before, '/shop', contextAt(SECOND))).root)).toEqual([
      '/other',
    ]);
    expect(problemOf(deleteGroup(before, '/x', contextAt(SECOND)))).toEqual({
      status: 404,
      body: { message: "Group '/x' does not exist" },
    });
  });

  test('of the root empties it', () => {
    const { root } = valueOf(deleteGroup(before, '/', contextAt(SECOND)));
    expect(root).toEqual({ ...EMPTY, version: SECOND });
  });
});
