import { describe, expect, test } from 'vitest';
import { findApp, findGroup } from '../model/index.ts';
import { readRecord } from './records.ts';
import { SchedulerWorld } from './testing/scheduler-world.ts';

const APP = { cmd: 'sleep 1', cpus: 0.1 };
const ORIGIN = { clientIp: '', uri: '' };

function world(settings = {}): SchedulerWorld {
  const made = new SchedulerWorld(settings);
  made.subscribe();
  return made;
}

describe('the stored state', () => {
  test('gives the same root group after a restart', () => {
    const made = world();
    made.create({ ...APP, id: '/a' });
    made.now += 10;
    made.create({ ...APP, id: '/shop/cart', labels: { x: 'y' } });
    made.now += 10;
    const group = { id: '/empty', dependencies: ['/shop'] };
    made.command({
      kind: 'createGroup',
      groupId: '/',
      body: JSON.stringify(group),
      force: true,
      origin: ORIGIN,
    });
    made.now += 10;
    made.remove('/a');
    const before = made.state.history.root;
    made.restart();
    const after = made.state.history.root;
    expect(after.version).toBe(before.version);
    expect(findApp(after, '/a')).toBeUndefined();
    expect(findApp(after, '/shop/cart')).toEqual(findApp(before, '/shop/cart'));
    expect(findGroup(after, '/empty')?.dependencies).toEqual(['/shop']);
    expect(findGroup(after, '/shop')?.enforceRole).toBe(false);
  });

  test('has a root for each version', () => {
    const made = world();
    made.create({ ...APP, id: '/a' });
    const first = made.state.history.root.version;
    made.update('/a', { cmd: 'sleep 2' }, true);
    made.remove('/a');
    made.restart();
    const { history } = made.state;
    expect(history.rootVersions()).toContain(first);
    const past = history.rootAt(first);
    expect(past === undefined ? undefined : findApp(past, '/a')?.cmd).toBe('sleep 1');
    expect(findApp(history.root, '/a')).toBeUndefined();
    expect(history.rootAt('2000-01-01T00:00:00.000Z')).toBeUndefined();
  });

  test('keeps so many versions of an app, and those that instances run', () => {
    const made = world({ versionsPerAppMax: 3 });
    made.create({ ...APP, id: '/a' });
    made.offer({ id: 'S0', hostname: 'h' });
    made.runAll();
    const running = made.instances()[0]?.version ?? '';
    for (let change = 0; change < 6; change++)
      made.update('/a', { instances: 2 + (change % 2) }, true);
    expect(made.state.history.versionsOf('/a')).toHaveLength(4);
    expect(made.state.history.appAt('/a', running)).toBeDefined();
    const stored = [...made.store.keys()].filter((key) => key.startsWith('marathon/app/'));
    expect(stored).toHaveLength(4);
  });

  test('has keys with as many segments as they say, whatever the id', () => {
    const made = world();
    made.create({ ...APP, id: '/a/b.c/d' });
    const key = [...made.store.keys()].find((one) => one.startsWith('marathon/app/')) ?? '';
    expect(key.split('/')).toHaveLength(4);
    expect(readRecord(key, made.store.get(key) ?? null)).toMatchObject({
      kind: 'app',
      id: '/a/b.c/d',
    });
  });

  test('leaves records of other kinds alone', () => {
    expect(readRecord('marathon/unheard-of/x', {})).toBeUndefined();
    expect(readRecord('elsewhere', {})).toBeUndefined();
  });
});

describe('limits', () => {
  test('more apps than allowed are refused', () => {
    const made = world({ appsMax: 1 });
    expect(made.create({ ...APP, id: '/a' }).statusCode).toBe(201);
    expect(made.create({ ...APP, id: '/b' }).statusCode).toBe(422);
    expect(made.update('/a', { instances: 2 }, true).statusCode).toBe(200);
  });

  test('more deployments at once than allowed are refused', () => {
    const made = world({ runningDeploymentsMax: 1 });
    made.create({ ...APP, id: '/a' });
    expect(made.create({ ...APP, id: '/b' })).toMatchObject({ statusCode: 403 });
  });
});
