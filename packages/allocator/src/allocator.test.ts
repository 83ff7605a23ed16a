/** The books of the allocator, conversions, and reports. */

import { agentId, frameworkId } from '@dcos/base';
import { Resources } from '@dcos/resources';
import { describe, expect, test } from 'vitest';
import {
  ALL_AGENT_CAPABILITIES,
  giveBack,
  reasonsAgainst,
  res,
  world,
} from './testing/allocator-world.ts';

describe('books', () => {
  test('what a framework had is free when it is removed, and late returns are passed over', () => {
    const { allocator, agent, framework, run } = world();
    framework('f', ['r']);
    agent('a', 'cpus:1;mem:100');
    const offers = run();
    allocator.removeFramework(frameworkId('f'));
    expect(allocator.snapshot().agents[0]?.free.equals(res('cpus:1;mem:100'))).toBe(true);
    giveBack(allocator, offers, 5000);
    expect(allocator.snapshot().agents[0]?.free.equals(res('cpus:1;mem:100'))).toBe(true);
    expect(allocator.explain()).toEqual([]);
  });

  test('what comes back twice is a bug', () => {
    const { allocator, agent, framework, run } = world();
    framework('f', ['r']);
    agent('a', 'cpus:1');
    const offers = run();
    giveBack(allocator, offers, undefined);
    expect(() => giveBack(allocator, offers, undefined)).toThrow('more comes back');
  });

  test('resources of tasks that an agent brings along count before their framework is known', () => {
    const { allocator, framework, run } = world();
    allocator.addAgent(
      agentId('a'),
      {
        info: { hostname: 'a' },
        total: res('cpus:4;mem:100'),
        capabilities: ALL_AGENT_CAPABILITIES,
        active: true,
      },
      new Map([[frameworkId('f'), res('cpus:3;mem:50').allocate('r')]]),
    );
    expect(allocator.snapshot().agents[0]?.free.cpus()).toBe(1);
    framework('f', ['r']);
    expect(allocator.explain('r')[0]?.frameworks[0]?.share).toBe(0.75);
    expect(run()[0]?.resources.cpus()).toBe(1);
  });

  test('a total below what is allocated leaves nothing free until enough came back', () => {
    const { allocator, agent, framework, run } = world();
    framework('f', ['r']);
    agent('a', 'cpus:4;mem:100');
    run();
    allocator.updateAgent(agentId('a'), res('cpus:1;mem:100'));
    allocator.recover(frameworkId('f'), agentId('a'), res('cpus:2').allocate('r'), undefined, 0);
    expect(allocator.snapshot().agents[0]?.free.isEmpty()).toBe(true);
    allocator.recover(frameworkId('f'), agentId('a'), res('cpus:1.5').allocate('r'), undefined, 0);
    expect(allocator.snapshot().agents[0]?.free.cpus()).toBe(0.5);
  });
});

test('reports say why an agent is not offered', () => {
  const { allocator, agent, framework, run } = world();
  framework('f', ['r']);
  agent('a', 'cpus:1;mem:100');
  expect(reasonsAgainst(allocator, ['f', 'a'])).toEqual([]);
  giveBack(allocator, run(), 60_000);
  expect(reasonsAgainst(allocator, ['f', 'a'], 10_000)).toEqual([
    'role r: refused by the framework for another 50 s',
  ]);
  allocator.suppress(frameworkId('f'), []);
  allocator.deactivateAgent(agentId('a'));
  expect(reasonsAgainst(allocator, ['f', 'a'], 10_000)).toHaveLength(3);
  expect(allocator.explain('r')).toMatchObject([
    {
      role: 'r',
      weight: 1,
      share: 0,
      frameworks: [{ id: 'f', active: false, suppressed: true, filters: 1 }],
    },
  ]);
});

test.each([
  [1, '1 s'],
  [60_000, '60 s'],
  [60_001, '2 min'],
  [3_600_000, '60 min'],
  [3_600_001, '2 h'],
  [48 * 3_600_000, '48 h'],
  [48 * 3_600_000 + 1, 'some days'],
])('reports say how long a refusal lasts: %d ms', (leftMs, told) => {
  const { allocator, agent, framework, run } = world();
  framework('f', ['r']);
  agent('a', 'cpus:1;mem:100');
  giveBack(allocator, run(), leftMs + 10_000);
  expect(reasonsAgainst(allocator, ['f', 'a'], 10_000)).toEqual([
    `role r: refused by the framework for another ${told}`,
  ]);
});

test('conversions change what a framework has and the total, not shares and turns', () => {
  const { allocator, agent, framework, run } = world();
  agent('a1', 'cpus:4;mem:1024');
  framework('f', ['r']);
  const [given] = run();
  if (given === undefined) throw new Error('nothing was offered');
  const before = allocator.explain('r');
  const from = res('cpus:1').allocate('r');
  const to = res('cpus(r):1').allocate('r');
  allocator.convert(given.frameworkId, given.agentId, from, to);
  const reserved = new Map([['cpus', 1000]]);
  expect(allocator.explain('r')).toEqual(before.map((role) => ({ ...role, reserved })));
  const held = given.resources.subtract(from).add(to);
  allocator.recover(given.frameworkId, given.agentId, held, { refuseMs: 0 }, 0);
  expect(allocator.snapshot().agents[0]?.free.toWire()).toEqual(
    res('cpus:3;cpus(r):1;mem:1024').toWire(),
  );
  expect(allocator.convertFree(given.agentId, res('cpus:5'), res('cpus(r):5'))).toBe(false);
  expect(allocator.convertFree(given.agentId, res('cpus(r):1'), res('cpus:1'))).toBe(true);
  expect(allocator.snapshot().agents[0]?.free.toWire()).toEqual(res('cpus:4;mem:1024').toWire());
});

test('making a shared volume is no turn, and makes it free for others', () => {
  const { allocator, agent, framework, run } = world();
  agent('a1', 'cpus:4;disk(r):100');
  framework('f', ['r'], { capabilities: new Set(['MULTI_ROLE', 'SHARED_RESOURCES']) });
  const [given] = run();
  if (given === undefined) throw new Error('nothing was offered');
  const before = allocator.explain('r');
  const disk = res('disk(r):100');
  const volume = Resources.fromWire(
    disk.toWire().map((plain) => ({
      ...plain,
      disk: { persistence: { id: 'v' }, volume: { mode: 'RW', container_path: 'v' } },
      shared: {},
    })),
  );
  expect(allocator.hasCandidates()).toBe(false);
  allocator.convert(given.frameworkId, given.agentId, disk.allocate('r'), volume.allocate('r'));
  expect(allocator.explain('r')).toEqual(before);
  expect(allocator.snapshot().agents[0]?.free.toWire()).toEqual(volume.toWire());
  expect(allocator.hasCandidates()).toBe(true);
});
