import { describe, expect, test } from 'vitest';
import {
  agent,
  framework,
  naming,
  running,
  task,
  updated,
  zoneLines,
} from '../testing/cluster-events.ts';
import { Cluster } from './cluster.ts';
import type { ZoneEvent } from './cluster-events.ts';
import type { NamingOptions } from './records.ts';

function cluster(options: Partial<NamingOptions> = {}): Cluster {
  const made = new Cluster({ ...naming, ...options });
  made.apply({ kind: 'agentAdded', agent: agent('m-S0') });
  made.apply({ kind: 'frameworkAdded', framework: framework('f-0', 'marathon') });
  return made;
}

const agentLines = ['_slave._tcp.mesos SRV slave.mesos:5051', 'slave.mesos A 10.0.0.1'];

describe('records of a task', () => {
  test('without discovery info: its ports become services on the agent', () => {
    const made = cluster();
    made.apply({ kind: 'taskAdded', task: task('test', { name: 'web', ports: [31000, 31001] }) });
    const services = ['_tcp', '_udp'].flatMap((protocol) =>
      ['_web', '_web'].flatMap((service) =>
        ['marathon.mesos', 'marathon.slave.mesos'].flatMap((zone) =>
          [31000, 31001].map(
            (port) =>
              `${service}.${protocol}.${zone} SRV web-iffe9-s0.marathon.slave.mesos:${port}`,
          ),
        ),
      ),
    );
    expect(zoneLines(made.zone)).toEqual(
      [
        ...agentLines,
        'web.marathon.mesos A 10.0.0.1',
        'web-iffe9-s0.marathon.mesos A 10.0.0.1',
        'web.marathon.slave.mesos A 10.0.0.1',
        'web-iffe9-s0.marathon.slave.mesos A 10.0.0.1',
        ...new Set(services),
      ].sort(),
    );
  });

  test('with discovery info: its ports by name and protocol, the task’s own name ignored', () => {
    const made = cluster();
    const ports = {
      ports: [
        { number: 80, name: 'http', protocol: 'tcp' },
        { number: 53, protocol: 'tcp,udp' },
        { number: 99 },
      ],
    };
    const discovery = { visibility: 'CLUSTER', name: 'api', ports } as const;
    made.apply({
      kind: 'taskAdded',
      task: task('test', { name: 'ignored', discovery, ports: [31000, 31000] }),
    });
    const lines = zoneLines(made.zone).filter(
      (line) => line.includes(' SRV ') && !line.startsWith('_slave'),
    );
    const target = 'api-iffe9-s0.marathon.mesos';
    expect(lines).toEqual(
      [
        `_api._tcp.marathon.mesos SRV ${target}:80`,
        `_http._api._tcp.marathon.mesos SRV ${target}:80`,
        `_api._tcpudp.marathon.mesos SRV ${target}:53`,
        `_api._tcp.marathon.mesos SRV ${target}:99`,
        `_api._udp.marathon.mesos SRV ${target}:99`,
        '_api._tcp.marathon.slave.mesos SRV api-iffe9-s0.marathon.slave.mesos:31000',
        '_api._udp.marathon.slave.mesos SRV api-iffe9-s0.marathon.slave.mesos:31000',
      ].sort(),
    );
  });

  test('a discovery name that mangling changes is published both ways', () => {
    const made = cluster();
    const discovery = { visibility: 'CLUSTER', name: 'Web.Api' } as const;
    made.apply({ kind: 'taskAdded', task: task('test', { discovery }) });
    const names = zoneLines(made.zone).map((line) => line.split(' ')[0]);
    expect(names).toContain('web-api.marathon.mesos');
    expect(names).toContain('web.api.marathon.mesos');
    expect(names).toContain('web.api-iffe9-s0.marathon.mesos');
  });

  test.each([
    [['netinfo', 'host'] as const, '172.17.0.2'],
    [['host', 'netinfo'] as const, '10.0.0.1'],
    [['docker', 'mesos', 'netinfo'] as const, '172.17.0.2'],
  ])('addresses come from the first of %j that has one', (ipSources, ip) => {
    const made = cluster({ ipSources });
    made.apply({ kind: 'taskAdded', task: task('t', { containerIp: '172.17.0.2' }) });
    expect(made.zone.get('t.marathon.mesos')?.A).toEqual([ip]);
    expect(made.zone.get('t.marathon.slave.mesos')?.A).toEqual(['10.0.0.1']);
  });
});

describe('life of a task', () => {
  test('only a running task has names, and it has them with the event', () => {
    const made = cluster();
    const before = zoneLines(made.zone);
    made.apply({ kind: 'taskAdded', task: task('t', { state: 'TASK_STAGING' }) });
    expect(zoneLines(made.zone)).toEqual(before);
    expect(made.apply(updated('t', 'TASK_RUNNING')).changed).toBe(true);
    expect(made.zone.get('t.marathon.mesos')?.A).toEqual(['10.0.0.1']);
    expect(made.apply(updated('t', 'TASK_RUNNING')).changed).toBe(false);
    made.apply(updated('t', 'TASK_FAILED'));
    expect(zoneLines(made.zone)).toEqual(before);
  });

  test('two tasks of one name share a name until the last of them ends', () => {
    const made = cluster();
    made.apply({ kind: 'agentAdded', agent: agent('m-S1', '10.0.0.2:5051') });
    made.apply({ kind: 'taskAdded', task: task('a', { name: 'web' }) });
    made.apply({ kind: 'taskAdded', task: task('b', { name: 'web' }) });
    made.apply({ kind: 'taskAdded', task: task('c', { name: 'web', agent: 'm-S1' }) });
    expect(made.zone.get('web.marathon.mesos')?.A).toEqual(['10.0.0.1', '10.0.0.2']);
    made.apply(updated('a', 'TASK_KILLED'));
    expect(made.zone.get('web.marathon.mesos')?.A).toEqual(['10.0.0.1', '10.0.0.2']);
    made.apply(updated('b', 'TASK_KILLED'));
    expect(made.zone.get('web.marathon.mesos')?.A).toEqual(['10.0.0.2']);
  });

  test('events may come in any order', () => {
    const made = new Cluster(naming);
    made.apply({ kind: 'taskAdded', task: task('t') });
    made.apply({ kind: 'frameworkAdded', framework: framework('f-0', 'marathon') });
    expect(zoneLines(made.zone)).toEqual([]);
    made.apply({ kind: 'agentAdded', agent: agent('m-S0') });
    expect(made.zone.exists('t.marathon.mesos')).toBe(true);
    made.apply({ kind: 'agentRemoved', agentId: { value: 'm-S0' } });
    expect(zoneLines(made.zone)).toEqual([]);
    made.apply({ kind: 'agentAdded', agent: agent('m-S0') });
    expect(made.zone.exists('t.marathon.mesos')).toBe(true);
    made.apply({
      kind: 'frameworkRemoved',
      framework: framework('f-0', 'marathon').framework_info,
    });
    expect(zoneLines(made.zone)).toEqual(agentLines);
  });

  test('a framework that is renamed takes its tasks along', () => {
    const made = cluster();
    made.apply({ kind: 'taskAdded', task: task('t') });
    made.apply({ kind: 'frameworkUpdated', framework: framework('f-0', 'dev.marathon') });
    expect(made.zone.exists('t.marathon.mesos')).toBe(false);
    expect(made.zone.exists('t.dev.marathon.mesos')).toBe(true);
  });

  test('a newer running status brings new addresses, an older one does not', () => {
    const made = cluster({ ipSources: ['netinfo'] });
    made.apply({ kind: 'taskAdded', task: task('t', { containerIp: '172.17.0.2' }) });
    const update = (ip: string, timestamp: number) =>
      made.apply({
        kind: 'taskUpdated',
        frameworkId: { value: 'f-0' },
        status: { ...running('t', ip), timestamp },
        state: 'TASK_RUNNING',
      });
    update('172.17.0.3', 5);
    update('172.17.0.9', 4);
    expect(made.zone.get('t.marathon.mesos')?.A).toEqual(['172.17.0.3']);
  });
});

describe('another leader', () => {
  const snapshot = (recovered: readonly string[]): ZoneEvent => ({
    kind: 'snapshot',
    state: {
      get_agents: {
        recovered_agents: recovered.map((id) => ({ id: { value: id }, hostname: 'x' })),
      },
      get_frameworks: { frameworks: [framework('f-0', 'marathon')] },
    },
  });
  const inService = (): Cluster => {
    const made = cluster();
    made.apply({ kind: 'taskAdded', task: task('stays') });
    made.apply({ kind: 'taskAdded', task: task('ends') });
    return made;
  };

  test('names stay while it waits for the agents of its registry', () => {
    const made = inService();
    const before = zoneLines(made.zone);
    made.apply(snapshot(['m-S0']));
    expect(zoneLines(made.zone)).toEqual(before);
    made.apply({ kind: 'agentAdded', agent: agent('m-S0') });
    made.apply({ kind: 'taskAdded', task: task('stays') });
    expect(zoneLines(made.zone)).toEqual(before);
    made.apply({ kind: 'heartbeat' });
    expect(made.zone.get('stays.marathon.mesos')?.A).toEqual(['10.0.0.1']);
    expect(made.zone.exists('ends.marathon.mesos')).toBe(false);
  });

  test.each([
    ['that its registry does not hold', [], undefined],
    ['that it gave up', ['m-S0'], { kind: 'agentRemoved', agentId: { value: 'm-S0' } } as const],
  ])('nothing stays of an agent %s', (_, recovered, event) => {
    const made = inService();
    made.apply(snapshot(recovered));
    if (event !== undefined) made.apply(event);
    expect(zoneLines(made.zone)).toEqual([]);
  });
});

test('an agent known by name only waits for its address', () => {
  const made = new Cluster(naming);
  made.apply({ kind: 'frameworkAdded', framework: framework('f-0', 'marathon', 'box.local') });
  const change = made.apply({ kind: 'agentAdded', agent: agent('m-S0', 'node1:5051') });
  expect(change.resolve).toEqual(['node1']);
  made.apply({ kind: 'taskAdded', task: task('t') });
  made.apply({ kind: 'hostResolved', host: 'node1', ips: ['10.0.0.7', 'fd00::7'] });
  made.apply({ kind: 'hostResolved', host: 'box.local', ips: ['10.0.0.8'] });
  expect(made.zone.get('t.marathon.mesos')).toMatchObject({ A: ['10.0.0.7'], AAAA: ['fd00::7'] });
  expect(made.zone.get('marathon.mesos')?.A).toEqual(['10.0.0.8']);
});

test('leader and masters', () => {
  const made = new Cluster(naming, { name: 'ns1.mesos', ips: ['127.0.0.1'] });
  const masters = [
    { ip: '10.0.0.1', port: 5050 },
    { ip: '10.0.0.2', port: 5050 },
  ];
  made.apply({ kind: 'masters', leader: { ip: '10.0.0.3', port: 5050 }, masters });
  made.apply({ kind: 'masters', leader: masters[1], masters });
  expect(zoneLines(made.zone)).toEqual([
    '_leader._tcp.mesos SRV leader.mesos:5050',
    '_leader._udp.mesos SRV leader.mesos:5050',
    'leader.mesos A 10.0.0.2',
    'master.mesos A 10.0.0.1',
    'master.mesos A 10.0.0.2',
    'master0.mesos A 10.0.0.1',
    'master1.mesos A 10.0.0.2',
    'ns1.mesos A 127.0.0.1',
  ]);
});
