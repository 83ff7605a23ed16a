import { describe, expect, test } from 'vitest';
import { SchedulerWorld, type TestAgent } from './testing/scheduler-world.ts';

const A: TestAgent = { id: 'S0', hostname: 'a', cpus: 32 };
const WEB = {
  id: '/web',
  cmd: 'serve',
  cpus: 0.1,
  mem: 32,
  instances: 3,
  healthChecks: [
    {
      protocol: 'HTTP',
      path: '/',
      intervalSeconds: 1,
      gracePeriodSeconds: 1,
      maxConsecutiveFailures: 2,
    },
  ],
};

function deployed(app: object = {}, settings = {}): SchedulerWorld {
  const world = new SchedulerWorld({ drainMs: 0, ...settings });
  world.subscribe();
  world.create({ ...WEB, ...app });
  world.offer(A);
  world.runAll();
  world.advance(1000);
  world.answerProbes();
  expect(world.state.deployments.size).toBe(0);
  return world;
}

describe('a rolling restart', () => {
  test('starts new instances first and stops an old one for each that gets healthy', () => {
    const world = deployed();
    const old = world.instances('/web').map(({ id }) => id);
    world.update('/web', { env: { VERSION: '2' } });
    expect(world.instances('/web')).toHaveLength(6);
    expect(world.killed).toEqual([]);
    world.offer(A);
    world.runAll();
    expect(world.killed).toEqual([]);
    world.advance(1000);
    expect(world.probes.length).toBeGreaterThan(0);
    world.answerProbes();
    expect(world.killed).toHaveLength(3);
    world.endKilled();
    expect(world.state.deployments.size).toBe(0);
    expect(world.instances('/web')).toHaveLength(3);
    expect(world.instances('/web').filter(({ id }) => old.includes(id))).toEqual([]);
  });

  test('takes instances out of service before it stops them', () => {
    const world = deployed({}, { drainMs: 1000 });
    world.update('/web', { env: { VERSION: '2' } });
    world.offer(A);
    world.runAll();
    world.advance(1000);
    world.answerProbes();
    expect(world.killed).toEqual([]);
    expect(world.instances('/web').filter(({ goal }) => goal === 'Decommissioned')).toHaveLength(3);
    world.advance(1000);
    expect(world.killed).toHaveLength(3);
  });

  test('of a version that fails leaves the healthy instances alone, and is taken back without restarts', () => {
    const world = deployed();
    const old = world.instances('/web').map(({ task }) => task?.id);
    const { body } = world.update('/web', { cmd: 'exit 1' });
    for (let round = 0; round < 5; round++) {
      world.offer(A);
      for (const { task, condition } of world.instances('/web')) {
        if (condition === 'Provisioned') world.status(task?.id ?? '', 'TASK_FAILED');
      }
      world.advance(60_000);
      world.answerProbes();
    }
    expect(world.killed).toEqual([]);
    expect(world.state.deployments.size).toBe(1);
    const { deploymentId } = body as { deploymentId: string };
    expect(world.cancel(deploymentId).statusCode).toBe(200);
    expect(world.state.deployments.size).toBe(0);
    expect(world.instances('/web').map(({ task }) => task?.id)).toEqual(old);
    expect(world.killed).toEqual([]);
    expect(world.eventTypes()).toContain('deployment_failed');
  });

  test('of a version that never gets healthy stops there, as far as the minimum allows', () => {
    const world = deployed({
      instances: 4,
      upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 },
    });
    world.update('/web', { cmd: 'hang' });
    expect(world.killed).toHaveLength(2);
    for (let round = 0; round < 20; round++) {
      world.endKilled();
      world.offer(A);
      world.runAll();
      world.advance(1000);
      const runs = (version: string, cmd: string): boolean =>
        world.state.history.appAt('/web', version)?.cmd === cmd;
      world.answerProbes(({ instanceId }) => {
        const instance = world.state.instances.get(instanceId);
        return instance !== undefined && runs(instance.version, 'serve');
      });
      const healthy = world
        .instances('/web')
        .filter(
          ({ goal, condition, version }) =>
            goal === 'Running' && condition === 'Running' && runs(version, 'serve'),
        );
      expect(healthy.length).toBe(2);
    }
  });

  test('goes on after the scheduler started again, and does not take unknown health for ill health', () => {
    const world = deployed({
      upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0 },
    });
    world.update('/web', { env: { VERSION: '2' } });
    world.restart();
    world.killed.length = 0;
    world.subscribe();
    expect(world.killed).toEqual([]);
    for (let round = 0; round < 40 && world.state.deployments.size > 0; round++) {
      world.offer(A);
      world.runAll();
      world.advance(1000);
      world.answerProbes();
      world.endKilled();
    }
    expect(world.state.deployments.size).toBe(0);
    expect(new Set(world.instances('/web').map(({ configVersion }) => configVersion)).size).toBe(1);
  });

  test('waits for readiness where it is asked for', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create({
      ...WEB,
      instances: 1,
      healthChecks: [],
      portDefinitions: [{ port: 0, name: 'http-api' }],
      readinessChecks: [
        { path: '/ready', intervalSeconds: 5, timeoutSeconds: 2, preserveLastResponse: true },
      ],
    });
    world.offer(A);
    world.runAll();
    world.advance(0);
    const probe = world.probes[0];
    expect(probe).toMatchObject({ purpose: 'readiness', path: '/ready' });
    expect(world.state.deployments.size).toBe(1);
    if (probe === undefined) return;
    world.probes.length = 0;
    world.send({
      kind: 'probeAnswered',
      probe,
      answer: { kind: 'status', status: 503, body: 'warming up' },
    });
    expect(world.state.deployments.size).toBe(1);
    world.advance(5000);
    expect(world.probes).toHaveLength(1);
    world.send({ kind: 'probeAnswered', probe, answer: { kind: 'status', status: 200 } });
    expect(world.state.deployments.size).toBe(0);
    world.probes.length = 0;
    world.advance(60_000);
    expect(world.probes).toHaveLength(0);
  });
});

describe('health', () => {
  test('an instance that fails its check is killed after the allowed failures, and launched again', () => {
    const world = deployed({ instances: 1 });
    for (let failure = 1; failure <= 3; failure++) {
      expect(world.killed).toEqual([]);
      world.advance(1000);
      world.answerProbes(() => false);
    }
    expect(world.killed).toHaveLength(1);
    const types = world.eventTypes();
    expect(types.filter((type) => type === 'failed_health_check_event')).toHaveLength(3);
    expect(types).toEqual(
      expect.arrayContaining([
        'health_status_changed_event',
        'instance_health_changed_event',
        'unhealthy_instance_kill_event',
      ]),
    );
    world.endKilled();
    world.offer(A);
    expect(world.conditions('/web')).toEqual(['Provisioned']);
  });

  test('that executors report counts as well', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create({
      ...WEB,
      instances: 1,
      healthChecks: [{ protocol: 'COMMAND', command: { value: 'true' } }],
    });
    world.offer(A);
    world.runAll();
    expect(world.state.deployments.size).toBe(1);
    world.status(world.instances()[0]?.task?.id ?? '', 'TASK_RUNNING', { healthy: true });
    expect(world.state.deployments.size).toBe(0);
  });
});

describe('scaling', () => {
  test('down stops the youngest and waits for their end', () => {
    const world = deployed({ healthChecks: [] });
    world.update('/web', { instances: 1 });
    expect(world.killed).toHaveLength(2);
    expect(world.state.deployments.size).toBe(1);
    world.endKilled();
    expect(world.instances('/web')).toHaveLength(1);
    expect(world.state.deployments.size).toBe(0);
  });

  test('a kill that gets no answer is repeated', () => {
    const world = deployed({ healthChecks: [] });
    world.update('/web', { instances: 0 });
    expect(world.killed).toHaveLength(3);
    world.advance(30_000);
    expect(world.killed).toHaveLength(6);
  });

  test('kills in flight are bounded', () => {
    const world = deployed({ healthChecks: [] }, { killsInFlightMax: 2 });
    world.update('/web', { instances: 0 });
    expect(world.killed).toHaveLength(2);
    world.endKilled();
    expect(world.killed).toHaveLength(1);
    world.endKilled();
    expect(world.instances('/web')).toHaveLength(0);
  });

  test('keeps the delay of an app that keeps failing, a restart forgets it', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create({ ...WEB, instances: 1, healthChecks: [] });
    world.offer(A);
    world.status(world.instances()[0]?.task?.id ?? '', 'TASK_FAILED');
    world.update('/web', { instances: 2 }, true);
    expect(world.state.delays.size).toBe(1);
    world.restartApp('/web');
    world.update('/web', { cmd: 'other' }, true);
    expect(world.state.delays.size).toBe(0);
  });
});

describe('dependencies', () => {
  test('are started first, each level once the one before is healthy', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.command({
      kind: 'updateGroup',
      groupId: '/shop',
      body: JSON.stringify({
        apps: [
          { id: 'front', cmd: 'run', cpus: 0.1, dependencies: ['/shop/db'] },
          { id: 'db', cmd: 'run', cpus: 0.1 },
        ],
      }),
      force: false,
      dryRun: false,
      origin: { clientIp: '', uri: '' },
    });
    expect(world.instances('/shop/db')).toHaveLength(1);
    expect(world.instances('/shop/front')).toHaveLength(0);
    world.offer(A);
    world.runAll();
    expect(world.instances('/shop/front')).toHaveLength(1);
  });
});

describe('a deployment that is cancelled by force', () => {
  test('leaves what it did, and locks nothing any more', () => {
    const world = deployed();
    const { body } = world.update('/web', { cmd: 'other' });
    expect(world.cancel((body as { deploymentId: string }).deploymentId, true).statusCode).toBe(
      202,
    );
    expect(world.state.history.app('/web')?.cmd).toBe('other');
    expect(world.update('/web', { cmd: 'third' }).statusCode).toBe(200);
  });
});

describe('scaling down', () => {
  test('stops the instances that are not healthy first', () => {
    const world = deployed();
    const [sick = ''] = world.instances('/web').map(({ task }) => task?.id ?? '');
    world.advance(1000);
    world.answerProbes((probe) => probe.taskId !== sick);
    world.update('/web', { instances: 2 });
    expect(world.killed).toEqual([sick]);
  });
});

describe('a change by force in the middle of a rolling update', () => {
  test('goes on with the update, so that no instance of the former version is left', () => {
    const world = deployed({ healthChecks: [] });
    world.update('/web', { env: { VERSION: '2' } });
    world.update('/web', { instances: 4 }, true);
    for (let round = 0; round < 10; round++) {
      world.offer(A);
      world.runAll();
      world.endKilled();
    }
    expect(world.state.deployments.size).toBe(0);
    const { lastConfigChangeAt } = world.state.history.app('/web')?.versionInfo ?? {};
    expect(world.instances('/web').map(({ configVersion }) => configVersion)).toEqual(
      Array.from({ length: 4 }, () => lastConfigChangeAt),
    );
  });

  test('does not take up again what was cancelled before', () => {
    const world = deployed({ healthChecks: [] });
    const { body } = world.update('/web', { env: { VERSION: '2' } });
    world.cancel((body as { deploymentId: string }).deploymentId, true);
    world.update('/web', { instances: 4 });
    const [deployment] = world.state.deployments.values();
    const actions = deployment?.plan.steps.flatMap((step) => step.actions);
    expect(actions).toEqual([{ action: 'ScaleApplication', app: '/web' }]);
  });
});

describe('a version without checks', () => {
  test('that ends at once never takes the place of instances that work', () => {
    const world = deployed({ healthChecks: [] }, { settleMs: 1000 });
    world.update('/web', { cmd: 'exit 1' });
    for (let round = 0; round < 5; round++) {
      world.offer(A);
      world.runAll();
      for (const { task, configVersion } of world.instances('/web')) {
        const isNew = configVersion === world.state.history.app('/web')?.version;
        if (isNew) world.status(task?.id ?? '', 'TASK_FAILED');
      }
      world.advance(60_000);
    }
    expect(world.killed).toEqual([]);
    expect(world.state.deployments.size).toBe(1);
  });

  test('takes their place when its instances have run for a moment', () => {
    const world = deployed({ healthChecks: [] }, { settleMs: 1000 });
    world.update('/web', { cmd: 'other' });
    world.offer(A);
    world.runAll();
    world.advance(999);
    expect(world.killed).toEqual([]);
    world.advance(1);
    expect(world.killed).toHaveLength(3);
    world.endKilled();
    expect(world.state.deployments.size).toBe(0);
  });
});
