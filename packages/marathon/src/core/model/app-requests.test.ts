import { describe, expect, test } from 'vitest';
import type { JsonObject } from '@dcos/base';
import {
  createApp,
  deleteApp,
  restartApp,
  scaleApp,
  updateApp,
  updateApps,
  type AppVersions,
} from './app-requests.ts';
import { findApp, findGroup } from './group.ts';
import type { ModelSettings } from './settings.ts';
import {
  contextAt,
  create,
  created,
  detailsOf,
  EMPTY,
  FIRST,
  problemOf,
  SECOND,
  treeOf,
  valueOf,
} from './testing/fixtures.ts';

interface Options {
  readonly id?: string;
  readonly partial?: boolean;
  readonly mayCreate?: boolean;
  readonly settings?: Partial<ModelSettings>;
  readonly versions?: AppVersions;
}

function update(root: typeof EMPTY, fields: JsonObject, options: Options = {}) {
  const { id = '/app', partial = true, mayCreate = true } = options;
  const request = { id, body: JSON.stringify(fields), partial, mayCreate };
  return updateApp(root, request, contextAt(SECOND, options.settings, options.versions));
}

const DOCKER = { type: 'DOCKER', docker: { image: 'a' } };

describe('creation', () => {
  test('makes the groups around the app', () => {
    const root = treeOf({ id: '/shop/eu/web' });
    expect(findGroup(root, '/shop')?.enforceRole).toBe(false);
    expect(findGroup(root, '/shop/eu')).not.toHaveProperty('enforceRole');
    expect(findApp(root, '/shop/eu/web')?.id).toBe('/shop/eu/web');
    expect(EMPTY.groups.size).toBe(0);
  });

  test('of an app that exists is refused', () => {
    const root = treeOf({ id: '/app' });
    expect(problemOf(create({}, {}, root))).toEqual({
      status: 409,
      body: { message: 'An app with id [/app] already exists.' },
    });
  });

  test('of an app where a group is, or below an app, is refused', () => {
    expect(detailsOf(create({}, {}, treeOf({ id: '/app/web' })))).toHaveProperty(['/']);
    expect(detailsOf(create({ id: '/app/web' }, {}, treeOf({ id: '/app' })))).toHaveProperty(['/']);
  });

  test('a version in the body is ignored', () => {
    expect(created({ version: '2001-01-01T00:00:00.000Z' }).version).toBe(FIRST);
  });

  test.each<[string, boolean, string, readonly string[]]>([
    ['/web', false, '*', ['*']],
    ['/shop/web', false, '*', ['*', 'shop']],
    ['/shop/eu/web', true, 'shop', ['shop']],
  ])('roles of %s when groups enforce theirs: %s', (id, newGroupEnforceRole, role, allowed) => {
    const settings = { newGroupEnforceRole };
    expect(created({ id }, settings).role).toBe(role);
    for (const one of allowed) expect(created({ id, role: one }, settings).role).toBe(one);
    expect(create({ id, role: 'other' }, settings).ok).toBe(false);
  });
});

describe('updates', () => {
  const root = treeOf({
    id: '/app',
    instances: 3,
    env: { A: '1', B: '2' },
    executorResources: { cpus: 1 },
    resourceLimits: { mem: 'unlimited' },
  });

  test('replace what they name and keep the rest', () => {
    const { app, isCreated } = valueOf(update(root, { env: { C: '3' } }));
    expect(isCreated).toBe(false);
    expect(app).toMatchObject({ instances: 3, env: { C: '3' }, version: SECOND });
    expect(app.env).toEqual({ C: '3' });
  });

  test('do not keep executor resources and limits', () => {
    const { app } = valueOf(update(root, { instances: 3 }));
    expect(app).not.toHaveProperty('executorResources');
    expect(app).not.toHaveProperty('resourceLimits');
  });

  test('return to the defaults when they are not partial', () => {
    const { app } = valueOf(update(root, { cmd: 'sleep 2' }, { partial: false }));
    expect(app).toMatchObject({ cmd: 'sleep 2', instances: 1, env: {} });
  });

  test('make what is not there, unless they may not', () => {
    const made = valueOf(update(root, { cmd: 'sleep 1' }, { id: '/new/app' }));
    expect(made.isCreated).toBe(true);
    expect(made.app.versionInfo).toEqual({ lastScalingAt: SECOND, lastConfigChangeAt: SECOND });
    expect(problemOf(update(root, {}, { id: '/x', mayCreate: false }))).toEqual({
      status: 404,
      body: { message: "App '/x' does not exist" },
    });
  });

  test('the id in the URL counts', () => {
    expect(valueOf(update(root, { id: '/other', instances: 1 })).app.id).toBe('/app');
  });

  test('a command takes the place of arguments, and the other way round', () => {
    const withArguments = valueOf(update(root, { args: ['sleep', '1'] }));
    expect(withArguments.app).not.toHaveProperty('cmd');
    expect(withArguments.app.args).toEqual(['sleep', '1']);
    const withCommand = valueOf(update(withArguments.root, { cmd: 'sleep 2' })).app;
    expect(withCommand).toMatchObject({ cmd: 'sleep 2', args: [] });
  });

  test('a change of the network mode changes the kind of ports', () => {
    const bridge = valueOf(update(root, { networks: [{ mode: 'container/bridge' }] }));
    expect(bridge.app.portDefinitions).toEqual([]);
    expect(bridge.app.container?.portMappings).toMatchObject([{ servicePort: 10_000 }]);
    const host = valueOf(update(bridge.root, { networks: [{ mode: 'host' }] }));
    expect(host.app.container?.portMappings).toEqual([]);
    expect(host.app.portDefinitions).toMatchObject([{ port: 10_000 }]);
  });

  test('in the legacy notation change the network too', () => {
    const docker = { image: 'a', network: 'BRIDGE', portMappings: [{ containerPort: 80 }] };
    const { app } = valueOf(update(root, { container: { type: 'DOCKER', docker } }));
    expect(app.networks).toEqual([{ mode: 'container/bridge', labels: {} }]);
    expect(app.container?.portMappings).toMatchObject([{ containerPort: 80, hostPort: 0 }]);
  });

  test('a container replaces the former one wholly', () => {
    const portMappings = [{ containerPort: 80, servicePort: 10_005 }];
    const before = treeOf({
      id: '/app',
      networks: [{ mode: 'container/bridge' }],
      container: { ...DOCKER, portMappings },
    });
    const { app } = valueOf(update(before, { container: DOCKER }));
    expect(app.container?.portMappings).toMatchObject([{ containerPort: 0, servicePort: 10_005 }]);
  });

  test('are checked as a whole', () => {
    expect(Object.keys(detailsOf(update(root, { args: ['a'], cmd: 'sleep 1' })))).toEqual(['/']);
    const checked = treeOf({ id: '/app', healthChecks: [{}] });
    expect(Object.keys(detailsOf(update(checked, { portDefinitions: [] })))).toEqual([
      '/healthChecks(0)',
    ]);
  });
});

describe('versions', () => {
  const root = treeOf({ id: '/app', instances: 2 });
  const infoOf = (fields: JsonObject) => valueOf(update(root, fields)).app.versionInfo;

  test('of a change of configuration', () => {
    expect(infoOf({ cmd: 'sleep 2' })).toEqual({
      lastScalingAt: SECOND,
      lastConfigChangeAt: SECOND,
    });
    expect(infoOf({ cmd: 'sleep 2', instances: 5 }).lastConfigChangeAt).toBe(SECOND);
  });

  test('of scaling', () => {
    expect(infoOf({ instances: 5 })).toEqual({ lastScalingAt: SECOND, lastConfigChangeAt: FIRST });
    const { app } = valueOf(scaleApp(root, { id: '/app', instances: -1 }, contextAt(SECOND)));
    expect(app).toMatchObject({ instances: 0, version: SECOND });
  });

  test('of a change that needs no new instances', () => {
    const { app } = valueOf(update(root, { executorResources: {} }));
    expect(app.version).toBe(SECOND);
    expect(app.versionInfo).toEqual({ lastScalingAt: FIRST, lastConfigChangeAt: FIRST });
  });

  test('of a restart', () => {
    const { app } = valueOf(restartApp(root, '/app', contextAt(SECOND)));
    expect(app.version).toBe(SECOND);
    expect(app.versionInfo).toEqual({ lastScalingAt: FIRST, lastConfigChangeAt: SECOND });
    expect(problemOf(restartApp(root, '/x', contextAt(SECOND))).status).toBe(404);
  });

  test('of an update that changes nothing: the very same app', () => {
    const result = valueOf(update(root, { instances: 2, cmd: 'sleep 1' }));
    expect(result.app).toBe(findApp(root, '/app'));
    expect(result.root.version).toBe(SECOND);
  });

  test('only what changed has the new one', () => {
    const two = treeOf({ id: '/a' }, { id: '/b' });
    const { root: next } = valueOf(update(two, { instances: 2 }, { id: '/a' }));
    expect(findApp(next, '/b')).toBe(findApp(two, '/b'));
  });
});

describe('going back', () => {
  const root = treeOf({ id: '/app', cmd: 'sleep 9' });
  const former = created({ cmd: 'sleep 1', env: { OLD: 'yes' } });
  const versions = {
    appAt: (_id: string, version: string) => (version === FIRST ? former : undefined),
  };

  test('to a version', () => {
    const { app } = valueOf(update(root, { version: FIRST }, { versions }));
    expect(app).toMatchObject({ cmd: 'sleep 1', env: { OLD: 'yes' }, version: SECOND });
    expect(
      valueOf(update(root, { id: '/app', version: '2026-01-01T00:00:00Z' }, { versions })).app.cmd,
    ).toBe('sleep 1');
  });

  test('together with anything else is refused', () => {
    expect(detailsOf(update(root, { version: FIRST, instances: 1 }, { versions }))).toEqual({
      '/': ["The 'version' field may only be combined with the 'id' field."],
    });
  });

  test('to a version that is not there', () => {
    expect(problemOf(update(root, { version: SECOND }, { versions }))).toEqual({
      status: 404,
      body: { message: `App '/app' does not exist in version ${SECOND}` },
    });
    expect(problemOf(update(root, { version: 'before' }, { versions })).status).toBe(422);
    expect(problemOf(update(root, { version: FIRST }, { versions, id: '/x' })).status).toBe(404);
  });
});

describe('lists of updates', () => {
  const root = treeOf({ id: '/a' }, { id: '/b' });
  const options = { partial: true, mayCreate: true };
  const list = (...updates: readonly JsonObject[]) =>
    updateApps(root, { body: JSON.stringify(updates), ...options }, contextAt(SECOND));

  test('are carried out as one', () => {
    const next = valueOf(list({ id: '/a', instances: 2 }, { id: '/c', cmd: 'sleep 3' }));
    expect(findApp(next, '/a')).toMatchObject({ instances: 2, version: SECOND });
    expect(findApp(next, '/b')).toBe(findApp(root, '/b'));
    expect(findApp(next, '/c')?.portDefinitions).toMatchObject([{ port: 10_002 }]);
  });

  test('name the element that is wrong', () => {
    expect(detailsOf(list({ id: '/a' }, { cmd: 5 }))).toEqual({
      '(1)/cmd': ['error.expected.jsstring'],
      '(1)/id': ['error.path.missing'],
    });
    expect(Object.keys(detailsOf(list({ id: '/a' }, { id: '/b', cmd: 'x' })))).toEqual(['(1)/cmd']);
    expect(Object.keys(detailsOf(list({ id: '/a' }, { id: 'a' })))).toEqual(['(1)/id']);
  });

  test('are lists', () => {
    const result = updateApps(root, { body: '{}', ...options }, contextAt(SECOND));
    expect(detailsOf(result)).toEqual({ '/': ['error.expected.jsarray'] });
  });
});

describe('removal', () => {
  test('leaves the group', () => {
    const root = treeOf({ id: '/shop/web' });
    const next = valueOf(deleteApp(root, '/shop/web', contextAt(SECOND)));
    expect(findApp(next, '/shop/web')).toBeUndefined();
    expect(findGroup(next, '/shop')?.version).toBe(SECOND);
    expect(findApp(root, '/shop/web')).toBeDefined();
  });

  test('of what is not there', () => {
    expect(problemOf(deleteApp(EMPTY, '/x', contextAt(SECOND))).status).toBe(404);
  });

  test('of what something depends on is possible, and the dependent stays as it is', () => {
    const root = treeOf({ id: '/db' }, { id: '/web', dependencies: ['/db'] });
    const next = valueOf(deleteApp(root, '/db', contextAt(SECOND)));
    const scaled = updateApp(
      next,
      { id: '/web', body: '{"instances":4}', partial: true, mayCreate: false },
      contextAt(SECOND),
    );
    expect(scaled.ok).toBe(true);
  });
});

describe('dependencies', () => {
  test('must exist', () => {
    expect(detailsOf(create({ dependencies: ['/db'] }))).toEqual({
      '/dependencies': ['/app depends on /db, which does not exist'],
    });
  });

  test('are relative to the enclosing group, and may be groups', () => {
    const root = treeOf(
      { id: '/shop/db' },
      { id: '/base/dns' },
      { id: '/shop/web', dependencies: ['db', '../base'] },
    );
    expect(findApp(root, '/shop/web')?.dependencies).toEqual(['/shop/db', '/base']);
  });

  test('must have no cycle', () => {
    const cycle = { '/': ['Dependency graph has cyclic dependencies.'] };
    expect(detailsOf(create({ dependencies: ['/app'] }))).toEqual(cycle);
    const root = treeOf({ id: '/a' }, { id: '/b', dependencies: ['/a'] });
    expect(detailsOf(update(root, { dependencies: ['/b'] }, { id: '/a' }))).toEqual(cycle);
    const group = treeOf({ id: '/shop/db' }, { id: '/web', dependencies: ['/shop'] });
    const added = createApp(
      group,
      JSON.stringify({ id: '/shop/x', cmd: 'sleep 1', dependencies: ['/web'] }),
      contextAt(SECOND),
    );
    expect(detailsOf(added)).toEqual(cycle);
  });
});
