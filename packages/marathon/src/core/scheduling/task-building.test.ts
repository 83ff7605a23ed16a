import { describe, expect, test } from 'vitest';
import { seededRandom } from '@dcos/base';
import type { TaskInfo } from '@dcos/wire';
import { SchedulerWorld } from './testing/scheduler-world.ts';
import { newInstanceId, parseTaskId, taskIdOf } from './task-id.ts';

function launched(app: object): TaskInfo {
  const world = new SchedulerWorld();
  world.subscribe();
  const reply = world.create(app);
  expect(reply.statusCode, JSON.stringify(reply.body)).toBe(201);
  world.offer({ id: 'S0', hostname: 'host-0' });
  const [task] = world.tasks.values();
  if (task === undefined) throw new Error('nothing was launched');
  return task;
}

function environment(task: TaskInfo): Record<string, string | undefined> {
  return Object.fromEntries(
    (task.command?.environment?.variables ?? []).map(({ name, value }) => [name, value]),
  );
}

describe('the task of a command', () => {
  const task = launched({
    id: '/shop/cart',
    cmd: 'serve $PORT0',
    cpus: 0.5,
    mem: 64,
    env: { MODE: 'fast', HOST: 'mine' },
    labels: { 'a-b.c': 'x' },
    portDefinitions: [
      { port: 0, name: 'http-api', labels: { VIP_0: '/cart:80' } },
      { port: 10_500, protocol: 'udp' },
    ],
    taskKillGracePeriodSeconds: 5,
    fetch: [{ uri: 'https://example.com/a.tgz' }],
  });
  const [first = 0, second = 0] = task.discovery?.ports?.ports?.map(({ number }) => number) ?? [];

  test('has name, command, resources and kill policy', () => {
    expect(task).toMatchObject({
      name: 'cart.shop',
      agent_id: { value: 'S0' },
      command: {
        shell: true,
        value: 'serve $PORT0',
        uris: [{ value: 'https://example.com/a.tgz', extract: true }],
      },
      kill_policy: { grace_period: { nanoseconds: 5e9 } },
      labels: { labels: [{ key: 'a-b.c', value: 'x' }] },
    });
    const amounts = (task.resources ?? []).map(({ name, scalar }) => [name, scalar?.value]);
    expect(amounts).toEqual([
      ['cpus', 0.5],
      ['mem', 64],
      ['ports', undefined],
    ]);
    expect(task.container).toBeUndefined();
  });

  test('has the environment that its ports ask for, and the user has the last word', () => {
    const variables = environment(task);
    expect(variables).toMatchObject({
      MESOS_TASK_ID: task.task_id.value,
      MARATHON_APP_ID: '/shop/cart',
      MARATHON_APP_RESOURCE_CPUS: '0.5',
      MARATHON_APP_RESOURCE_MEM: '64.0',
      MARATHON_APP_RESOURCE_GPUS: '0',
      MARATHON_APP_LABELS: 'A_B_C',
      MARATHON_APP_LABEL_A_B_C: 'x',
      PORT: String(first),
      PORT0: String(first),
      PORT1: String(second),
      PORTS: `${first},${second}`,
      'PORT_HTTP-API': String(first),
      PORT_10500: String(second),
      MODE: 'fast',
      HOST: 'mine',
    });
  });

  test('is discovered with its ports, without a network scope', () => {
    expect(task.discovery).toMatchObject({
      visibility: 'FRAMEWORK',
      name: 'cart.shop',
      ports: {
        ports: [
          {
            number: first,
            name: 'http-api',
            protocol: 'tcp',
            labels: { labels: [{ key: 'VIP_0', value: '/cart:80' }] },
          },
          { number: second, protocol: 'udp' },
        ],
      },
    });
  });
});

describe('the task of the talks', () => {
  test('is a container behind a mapped port', () => {
    const task = launched({
      id: 'webserver',
      cmd: 'python3 -m http.server 8080',
      cpus: 0.5,
      mem: 32,
      container: {
        type: 'DOCKER',
        docker: {
          image: 'python:3',
          network: 'BRIDGE',
          portMappings: [{ containerPort: 8080, hostPort: 0 }],
        },
      },
    });
    const port = task.discovery?.ports?.ports?.[0]?.number ?? 0;
    expect(task.container).toMatchObject({
      type: 'DOCKER',
      docker: {
        image: 'python:3',
        network: 'BRIDGE',
        port_mappings: [{ host_port: port, container_port: 8080, protocol: 'tcp' }],
        parameters: [{ key: 'label', value: `MESOS_TASK_ID=${task.task_id.value}` }],
      },
    });
    expect(port).toBeGreaterThanOrEqual(31_000);
    expect(task.discovery?.ports?.ports?.[0]?.labels?.labels).toEqual([
      { key: 'network-scope', value: 'host' },
    ]);
    expect(environment(task)).toMatchObject({
      PORT0: String(port),
      PORT_8080: String(port),
      MARATHON_APP_DOCKER_IMAGE: 'python:3',
    });
  });
});

describe('other forms', () => {
  test('a terminal needs no container of the app', () => {
    const own = { type: 'MESOS', mesos: {}, tty_info: {} };
    expect(launched({ id: '/a', cmd: 'top', tty: true }).container).toEqual(own);
    expect(launched({ id: '/a', cmd: 'top', tty: false }).container).toBeUndefined();
    const container = { type: 'MESOS', docker: { image: 'busybox' } };
    expect(launched({ id: '/a', cmd: 'top', tty: true, container }).container).toMatchObject({
      mesos: { image: { docker: { name: 'busybox' } } },
      tty_info: {},
    });
  });

  test('arguments without a container name the program too', () => {
    expect(launched({ id: '/a', args: ['sleep', '10'] }).command).toMatchObject({
      shell: false,
      value: 'sleep',
      arguments: ['sleep', '10'],
    });
  });

  test('an image alone runs its own entry point', () => {
    const task = launched({ id: '/a', container: { type: 'MESOS', docker: { image: 'busybox' } } });
    expect(task.command).toMatchObject({ shell: false });
    expect(task.command?.value).toBeUndefined();
    expect(task.container).toMatchObject({
      type: 'MESOS',
      mesos: { image: { docker: { name: 'busybox' } } },
    });
  });

  test('a check of a command is left to the executor', () => {
    const task = launched({
      id: '/a',
      cmd: 'sleep 10',
      healthChecks: [{ protocol: 'COMMAND', command: { value: 'true' }, intervalSeconds: 7 }],
    });
    expect(task.health_check).toMatchObject({
      type: 'COMMAND',
      command: { shell: true, value: 'true' },
      interval_seconds: 7,
      consecutive_failures: 3,
    });
  });

  test('a network check of the executor goes to the port inside the container', () => {
    const task = launched({
      id: '/a',
      cmd: 'sleep 10',
      healthChecks: [{ protocol: 'MESOS_HTTP', path: '/health', portIndex: 0 }],
    });
    const port = task.discovery?.ports?.ports?.[0]?.number;
    expect(task.health_check).toMatchObject({
      type: 'HTTP',
      http: { port, path: '/health', scheme: 'http' },
    });
  });
});

describe('ids', () => {
  test('of instances and tasks can be read back', () => {
    const id = newInstanceId('/shop/cart', 1_767_225_600_000, seededRandom(1));
    expect(id).toMatch(
      /^shop_cart\.instance-[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(parseTaskId(taskIdOf(id, 3))).toEqual({
      appId: '/shop/cart',
      instanceId: id,
      attempt: 3,
    });
    expect(newInstanceId('/shop/cart', 1_767_225_600_000, seededRandom(2))).not.toBe(id);
  });

  test('of older versions are understood', () => {
    const uuid = '01234567-89ab-1def-8123-456789abcdef';
    expect(parseTaskId(`a_b.${uuid}`)).toMatchObject({ appId: '/a/b' });
    expect(parseTaskId(`a_b.marathon-${uuid}._app.2`)).toMatchObject({ appId: '/a/b', attempt: 2 });
    expect(parseTaskId('something else')).toBeUndefined();
  });
});
