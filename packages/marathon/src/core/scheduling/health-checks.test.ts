import { describe, expect, test } from 'vitest';
import { SchedulerWorld, type TestAgent } from './testing/scheduler-world.ts';

const A: TestAgent = { id: 'S0', hostname: 'a', cpus: 32 };
const WEB = { id: '/web', cmd: 'serve', cpus: 0.1, mem: 32 };
const HTTP = { protocol: 'HTTP', path: '/', intervalSeconds: 1, gracePeriodSeconds: 1 };
const COMMAND = { protocol: 'COMMAND', command: { value: 'test -f up' }, intervalSeconds: 1 };

function running(app: object): SchedulerWorld {
  const world = new SchedulerWorld({ drainMs: 0 });
  world.subscribe();
  expect(world.create({ ...WEB, ...app }).statusCode).toBe(201);
  world.offer(A);
  world.runAll();
  return world;
}

function taskIdOf(world: SchedulerWorld): string {
  return world.instances('/web')[0]?.task?.id ?? '';
}

describe('probes', () => {
  test('with an interval of zero come once a second, not without end', () => {
    const world = running({ healthChecks: [{ ...HTTP, intervalSeconds: 0 }] });
    world.advance(3000);
    expect(world.probes).toHaveLength(3);
  });

  test.each([
    [0, 1000],
    [20, 20_000],
    [2_147_483_647, 3_600_000],
  ])('with a time-out of %i s are given %i ms', (timeoutSeconds, expected) => {
    const world = running({ healthChecks: [{ ...HTTP, timeoutSeconds }] });
    world.advance(1000);
    expect(world.probes).toMatchObject([{ timeoutMs: expected }]);
  });

  test('go on when an unreachable instance comes back', () => {
    const world = running({
      healthChecks: [HTTP],
      unreachableStrategy: { inactiveAfterSeconds: 600, expungeAfterSeconds: 900 },
    });
    world.advance(1000);
    world.answerProbes();
    world.status(taskIdOf(world), 'TASK_UNREACHABLE');
    world.advance(10_000);
    expect(world.probes).toEqual([]);
    world.status(taskIdOf(world), 'TASK_RUNNING');
    world.advance(2000);
    expect(world.probes).toHaveLength(2);
  });
});

describe('health that Mesos reports', () => {
  test('is known again after a restart of the scheduler', () => {
    const world = running({ healthChecks: [COMMAND] });
    world.status(taskIdOf(world), 'TASK_RUNNING', { healthy: true });
    expect(world.state.deployments.size).toBe(0);
    world.restart();
    world.send({ kind: 'subscribed', frameworkId: 'F', master: '127.0.0.1:5050' });
    const fields = { healthy: true, reason: 'REASON_RECONCILIATION' as const };
    world.status(taskIdOf(world), 'TASK_RUNNING', fields, false);
    world.advance(1000);
    world.update('/web', { instances: 2 });
    world.offer(A);
    const second = world.instances('/web')[1]?.task?.id ?? '';
    world.status(second, 'TASK_RUNNING');
    world.status(second, 'TASK_RUNNING', { healthy: true });
    expect(world.state.deployments.size).toBe(0);
  });

  test('that ended a task is kept as the failure of the app', () => {
    const world = running({ healthChecks: [COMMAND] });
    const taskId = taskIdOf(world);
    const message = 'Command health check exited with status 1';
    world.status(taskId, 'TASK_RUNNING', { healthy: false, message });
    world.status(taskId, 'TASK_KILLING');
    world.status(taskId, 'TASK_KILLED', { message: 'Command terminated with signal Terminated' });
    expect(world.state.failures.get('/web')).toMatchObject({
      taskId,
      state: 'TASK_KILLED',
      message: `Task was killed since health check failed. Reason: ${message}`,
    });
  });

  test('is no reason when the task was killed on request', () => {
    const world = running({ healthChecks: [COMMAND] });
    world.status(taskIdOf(world), 'TASK_RUNNING', { healthy: false, message: 'bad' });
    world.update('/web', { instances: 0 }, true);
    world.endKilled();
    expect(world.instances('/web')).toEqual([]);
    expect(world.state.failures.get('/web')).toBeUndefined();
  });
});

describe('readiness checks', () => {
  test('go on in a later deployment when the first was cancelled', () => {
    const world = running({
      portDefinitions: [{ port: 0, name: 'http-api' }],
      readinessChecks: [{ intervalSeconds: 2, timeoutSeconds: 1 }],
    });
    world.advance(0);
    world.answerProbes(() => false);
    const [deploymentId = ''] = world.state.deployments.keys();
    world.cancel(deploymentId, true);
    world.advance(10_000);
    world.probes.splice(0);
    world.update('/web', { instances: 2 });
    world.offer(A);
    world.runAll();
    world.advance(2000);
    world.answerProbes();
    expect(world.state.deployments.size).toBe(0);
  });
});
