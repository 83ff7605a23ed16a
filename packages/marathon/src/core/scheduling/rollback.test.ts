import { describe, expect, test } from 'vitest';
import type { Reply } from './effects.ts';
import { SchedulerWorld, type TestAgent } from './testing/scheduler-world.ts';

const A: TestAgent = { id: 'S0', hostname: 'a', cpus: 32 };
const APP = { cmd: 'serve', cpus: 0.1, mem: 32 };
const ORIGIN = { clientIp: '', uri: '' };

function deploymentOf(reply: Reply): string {
  return (reply.body as { readonly deploymentId: string }).deploymentId;
}

function world(): SchedulerWorld {
  const made = new SchedulerWorld({ drainMs: 0 });
  made.subscribe();
  return made;
}

function putGroup(at: SchedulerWorld, groupId: string, body: object): Reply {
  return at.command({
    kind: 'updateGroup',
    groupId,
    body: JSON.stringify(body),
    force: true,
    dryRun: false,
    origin: ORIGIN,
  });
}

function settle(at: SchedulerWorld): void {
  for (let round = 0; round < 20 && at.state.deployments.size > 0; round++) {
    at.offer(A);
    at.runAll();
    at.endKilled();
    at.advance(100);
  }
  expect(at.state.deployments.size).toBe(0);
}

describe('taking a deployment back', () => {
  test('brings a removed group back with the dependencies that it had', () => {
    const at = world();
    const shop = {
      groups: [
        { id: 'db', apps: [{ id: 'sql', ...APP }] },
        { id: 'web', dependencies: ['/shop/db'], apps: [{ id: 'front', ...APP }] },
      ],
    };
    putGroup(at, '/shop', shop);
    settle(at);
    const removed = at.command({
      kind: 'deleteGroup',
      groupId: '/shop/web',
      force: false,
      origin: ORIGIN,
    });
    expect(at.cancel(deploymentOf(removed)).statusCode).toBe(200);
    const group = at.state.history.root.groups.get('/shop')?.groups.get('/shop/web');
    expect(group?.dependencies).toEqual(['/shop/db']);
    expect(at.state.history.app('/shop/web/front')).toBeDefined();
    settle(at);
    at.restart();
    at.subscribe();
    expect(
      at.state.history.root.groups.get('/shop')?.groups.get('/shop/web')?.dependencies,
    ).toEqual(['/shop/db']);
  });

  test('takes a group away that the deployment made, unless others use it', () => {
    const at = world();
    const made = putGroup(at, '/team', { apps: [{ id: 'one', ...APP }] });
    at.create({ id: '/team/two', ...APP });
    at.cancel(deploymentOf(made));
    expect(at.state.history.app('/team/one')).toBeUndefined();
    expect(at.state.history.app('/team/two')).toBeDefined();
  });

  test('gives no service port a second time', () => {
    const at = world();
    at.create({ id: '/a', ...APP });
    settle(at);
    const removed = at.remove('/a');
    at.create({ id: '/b', ...APP });
    expect(at.cancel(deploymentOf(removed)).statusCode).toBe(200);
    const ports = ['/a', '/b'].map((id) => at.state.history.app(id)?.portDefinitions[0]?.port);
    expect(new Set(ports).size).toBe(2);
  });

  test('is refused when a group has taken the path of the app', () => {
    const at = world();
    at.create({ id: '/a', ...APP });
    settle(at);
    const removed = at.remove('/a');
    expect(at.create({ id: '/a/b', ...APP }).statusCode).toBe(201);
    const before = at.state.history.root;
    expect(at.cancel(deploymentOf(removed)).statusCode).toBe(422);
    expect(at.state.history.root).toBe(before);
  });
});
