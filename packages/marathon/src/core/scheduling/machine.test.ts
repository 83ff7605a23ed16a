import { describe, expect, test } from 'vitest';
import type { Effect } from './effects.ts';
import { SchedulerWorld, type TestAgent } from './testing/scheduler-world.ts';

const A: TestAgent = { id: 'S0', hostname: 'a' };
const B: TestAgent = { id: 'S1', hostname: 'b' };

const SLEEP = { id: '/sleep', cmd: 'sleep 1000', cpus: 0.5, mem: 32 };

function kinds(effects: readonly Effect[]): string[] {
  return effects.map(({ kind }) => kind);
}

describe('from a request to a running task', () => {
  test('an app is stored before the answer, revives, launches and is shown running', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    const reply = world.create(SLEEP);
    expect(reply.statusCode).toBe(201);
    const effects = world.effects.filter(
      ({ kind }) => kind === 'reply' || kind === 'persist' || kind === 'revive',
    );
    expect(kinds(effects).indexOf('persist')).toBeLessThan(kinds(effects).indexOf('reply'));
    expect(kinds(effects)).toContain('revive');
    const offered = world.offer(A);
    expect(kinds(offered).indexOf('persist')).toBeLessThan(kinds(offered).indexOf('accept'));
    expect(world.conditions('/sleep')).toEqual(['Provisioned']);
    world.runAll();
    expect(world.conditions('/sleep')).toEqual(['Running']);
    expect(world.state.deployments.size).toBe(0);
    expect(world.eventTypes()).toContain('deployment_success');
  });

  test('a status is acknowledged after its consequence is stored', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create(SLEEP);
    world.offer(A);
    const [instance] = world.instances();
    const effects = world.status(instance?.task?.id ?? '', 'TASK_RUNNING');
    expect(kinds(effects).indexOf('persist')).toBeGreaterThanOrEqual(0);
    expect(kinds(effects).indexOf('persist')).toBeLessThan(kinds(effects).indexOf('acknowledge'));
  });

  test('offers that nothing waits for are declined, and the role is suppressed', () => {
    const world = new SchedulerWorld();
    const effects = world.subscribe();
    expect(kinds(effects)).toContain('suppress');
    const declined = world.offer(A, B).find(({ kind }) => kind === 'decline');
    expect(declined).toMatchObject({ offerIds: ['O-1', 'O-2'], refuseSeconds: 120 });
  });

  test('instances spread over the offers of a batch and use each port once', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create({ ...SLEEP, instances: 12 });
    world.offer(A, B);
    const hosts = world.instances().map(({ placement }) => placement?.hostname);
    expect(hosts.filter((host) => host === 'a')).toHaveLength(6);
    expect(hosts.filter((host) => host === 'b')).toHaveLength(6);
    const ports = world
      .instances()
      .map(({ placement, task }) => `${placement?.hostname}:${task?.hostPorts[0]}`);
    expect(new Set(ports).size).toBe(12);
  });
});

describe('failures', () => {
  function running(app: object = {}): SchedulerWorld {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create({ ...SLEEP, ...app });
    world.offer(A);
    world.runAll();
    return world;
  }

  test('a failed instance is launched again after its delay, with the next attempt', () => {
    const world = running();
    const first = world.instances()[0]?.task?.id ?? '';
    world.status(first, 'TASK_FAILED', { message: 'exited with 1' });
    world.effects.length = 0;
    world.offer(A);
    expect(world.conditions('/sleep')).toEqual(['Failed']);
    world.advance(1000);
    expect(kinds(world.effects)).toContain('revive');
    world.offer(A);
    const [instance] = world.instances();
    expect(instance?.condition).toBe('Provisioned');
    expect(instance?.task?.id).toBe(first.replace(/1$/, '2'));
    expect(world.state.failures.get('/sleep')).toMatchObject({
      message: 'exited with 1',
      state: 'TASK_FAILED',
    });
  });

  test('a killed instance is launched again at once', () => {
    const world = running();
    world.effects.length = 0;
    world.now += 1000;
    world.status(world.instances()[0]?.task?.id ?? '', 'TASK_KILLED');
    expect(kinds(world.effects)).toContain('revive');
    world.offer(A);
    expect(world.conditions('/sleep')).toEqual(['Provisioned']);
  });

  test('an unknown running task is killed and acknowledged', () => {
    const world = running();
    const effects = world.status(
      'other.instance-00000000-0000-1000-8000-000000000000._app.1',
      'TASK_RUNNING',
      {
        agent_id: { value: 'S0' },
      },
    );
    expect(kinds(effects)).toEqual(expect.arrayContaining(['kill', 'acknowledge']));
  });

  test('an unreachable instance is replaced at once, and killed should it come back', () => {
    const world = running();
    const lost = world.instances()[0]?.task?.id ?? '';
    world.status(lost, 'TASK_UNREACHABLE', {}, false);
    expect(world.conditions('/sleep')).toEqual(['Scheduled']);
    world.offer(B);
    world.runAll();
    const effects = world.status(lost, 'TASK_RUNNING', { agent_id: { value: 'S0' } });
    expect(effects).toContainEqual({ kind: 'kill', taskId: lost, agentId: 'S0' });
  });

  test('unreachable instances that are waited for come back as they were', () => {
    const world = running({
      unreachableStrategy: { inactiveAfterSeconds: 60, expungeAfterSeconds: 120 },
    });
    const id = world.instances()[0]?.task?.id ?? '';
    world.status(id, 'TASK_UNREACHABLE', {}, false);
    expect(world.conditions('/sleep')).toEqual(['Unreachable']);
    world.advance(61_000);
    expect(world.conditions('/sleep')).toEqual(['Scheduled', 'UnreachableInactive']);
    world.status(id, 'TASK_RUNNING');
    expect(world.conditions('/sleep')).toEqual(['Running']);
  });

  test('a launch that is never confirmed is killed and repeated', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create(SLEEP);
    world.offer(A);
    world.advance(300_000);
    expect(world.killed).toHaveLength(1);
    world.status(world.killed[0] ?? '', 'TASK_UNKNOWN', {}, false);
    expect(world.instances()[0]?.condition).toBe('Unknown');
    world.offer(A);
    expect(world.conditions('/sleep')).toEqual(['Provisioned']);
  });
});

describe('a scheduler that starts again', () => {
  test('knows its tasks, restarts nothing, and asks for every one of them', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create({ ...SLEEP, instances: 2 });
    world.offer(A, B);
    world.runAll();
    const before = world.instances().map(({ task }) => task?.id);
    world.restart();
    expect(world.state.frameworkId).toBe('F');
    world.effects.length = 0;
    const effects = world.subscribe();
    expect(
      effects.find((effect) => effect.kind === 'reconcile' && effect.tasks.length === 2),
    ).toBeDefined();
    expect(world.instances().map(({ task }) => task?.id)).toEqual(before);
    expect(kinds(world.effects)).not.toContain('kill');
    expect(kinds(world.effects)).not.toContain('accept');
  });

  test('launches what was lost meanwhile without delay', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create(SLEEP);
    world.offer(A);
    world.runAll();
    world.tasks.clear();
    world.restart();
    world.subscribe();
    expect(world.conditions('/sleep')).toEqual(['Gone']);
    world.offer(A);
    expect(world.conditions('/sleep')).toEqual(['Provisioned']);
  });

  test('resumes a deployment where it stood', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create(SLEEP);
    world.restart();
    world.subscribe();
    expect(world.state.deployments.size).toBe(1);
    world.offer(A);
    world.runAll();
    expect(world.state.deployments.size).toBe(0);
  });
});

describe('when the master has removed the framework', () => {
  test('the id is forgotten and everything is launched anew', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create(SLEEP);
    world.offer(A);
    world.runAll();
    world.tasks.clear();
    world.send({ kind: 'frameworkRemoved' });
    expect(world.store.has('marathon/framework')).toBe(false);
    world.send({ kind: 'subscribed', frameworkId: 'G', master: 'm' });
    world.advance(1000);
    world.offer(A);
    expect(world.conditions('/sleep')).toEqual(['Provisioned']);
  });
});

test('an instance that is wiped is stored as such before the answer', () => {
  const world = new SchedulerWorld();
  world.subscribe();
  world.create(SLEEP);
  world.offer(A);
  world.runAll();
  const from = world.effects.length;
  world.command({
    kind: 'killTasks',
    of: { kind: 'app', appId: '/sleep' },
    scale: false,
    wipe: true,
    force: false,
    origin: { clientIp: '', uri: '' },
  });
  const order = kinds(world.effects.slice(from));
  expect(order.indexOf('persist')).toBeGreaterThanOrEqual(0);
  expect(order.indexOf('persist')).toBeLessThan(order.indexOf('reply'));
});
