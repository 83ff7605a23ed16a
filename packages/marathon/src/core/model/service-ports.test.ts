import { describe, expect, test } from 'vitest';
import type { JsonObject } from '@dcos/base';
import { createApp, updateApp } from './app-requests.ts';
import { findApp } from './group.ts';
import { servicePortsOf } from './service-ports.ts';
import type { RootGroup } from './app-definition.ts';
import { contextAt, EMPTY, FIRST, problemOf, SECOND, treeOf, valueOf } from './testing/fixtures.ts';

function portsOf(root: RootGroup, id: string): readonly number[] {
  const app = findApp(root, id);
  return app === undefined ? [] : servicePortsOf(app);
}

function update(root: RootGroup, fields: JsonObject): RootGroup {
  const request = { id: '/a', body: JSON.stringify(fields), partial: true, mayCreate: false };
  return valueOf(updateApp(root, request, contextAt(SECOND))).root;
}

describe('service ports', () => {
  test('are the lowest unused ones, in the order of the ports', () => {
    const root = treeOf(
      { id: '/a', ports: [0, 10_001, 0] },
      { id: '/b' },
      {
        id: '/c',
        networks: [{ mode: 'container/bridge' }],
        container: { type: 'MESOS', portMappings: [{}, {}] },
      },
    );
    expect(portsOf(root, '/a')).toEqual([10_000, 10_001, 10_002]);
    expect(portsOf(root, '/b')).toEqual([10_003]);
    expect(portsOf(root, '/c')).toEqual([10_004, 10_005]);
  });

  test('stay with the app that had them', () => {
    const root = treeOf({ id: '/b' }, { id: '/a', ports: [0, 0] });
    expect(portsOf(root, '/a')).toEqual([10_001, 10_002]);
    expect(portsOf(update(root, { portDefinitions: [{}, {}, {}] }), '/a')).toEqual([
      10_001, 10_002, 10_003,
    ]);
    expect(
      portsOf(update(root, { portDefinitions: [{ port: 0 }, { port: 10_001 }] }), '/a'),
    ).toEqual([10_002, 10_001]);
    expect(portsOf(update(root, { networks: [{ mode: 'container/bridge' }] }), '/a')).toEqual([
      10_001,
    ]);
  });

  test('an update without ports leaves them, and is no change of configuration', () => {
    const root = treeOf({ id: '/a' });
    const body = JSON.stringify({ portDefinitions: [{ port: 0, name: 'default' }], instances: 2 });
    const request = { id: '/a', body, partial: true, mayCreate: false };
    const { app } = valueOf(updateApp(root, request, contextAt(SECOND)));
    expect(app.versionInfo.lastConfigChangeAt).toBe(FIRST);
  });

  test('that are used up are an error of ours, and nothing changes', () => {
    const range = { localPortMin: 10, localPortMax: 11 };
    const two = valueOf(
      createApp(EMPTY, '{"id":"/a","cmd":"sleep 1","ports":[0,0]}', contextAt(FIRST, range)),
    );
    expect(portsOf(two.root, '/a')).toEqual([10, 11]);
    const third = createApp(two.root, '{"id":"/b","cmd":"sleep 1"}', contextAt(SECOND, range));
    expect(problemOf(third)).toMatchObject({ status: 500 });
    expect(findApp(two.root, '/b')).toBeUndefined();
  });
});
