/** What a run offers: by reservation, capability, constraint and whitelist, and of which agents. */

import { agentId, frameworkId } from '@dcos/base';
import { Resources } from '@dcos/resources';
import type { Resource } from '@dcos/wire';
import { describe, expect, test } from 'vitest';
import {
  ALL_AGENT_CAPABILITIES,
  giveBack,
  reasonsAgainst,
  res,
  text,
  world,
} from './testing/allocator-world.ts';
import type { Allocator, OfferRefusal } from './types.ts';

describe('what may be offered', () => {
  const gpus = 'cpus:1;mem:100;gpus:1';
  test.each<[string, string, readonly string[], string, readonly string[], boolean]>([
    [
      'gpus to a framework that knows them',
      gpus,
      ['MULTI_ROLE', 'GPU_RESOURCES'],
      'r',
      ['MULTI_ROLE'],
      true,
    ],
    ['gpus to one that does not', gpus, ['MULTI_ROLE'], 'r', ['MULTI_ROLE'], false],
    ['an old agent to a multi-role framework', 'cpus:1', ['MULTI_ROLE'], 'r', [], false],
    ['an old agent to an old framework', 'cpus:1', [], 'r', [], true],
    ['an old agent to a nested role', 'cpus:1', [], 'r/s', [], false],
    ['an agent that knows nested roles', 'cpus:1', [], 'r/s', ['HIERARCHICAL_ROLE'], true],
    ['what is reserved to the role', 'cpus(r):1', [], 'r', [], true],
    ['what is reserved above the role', 'cpus(r):1', [], 'r/s', ['HIERARCHICAL_ROLE'], true],
    ['what is reserved below the role', 'cpus(r/s):1', [], 'r', [], false],
    ['what is reserved to another role', 'cpus(x):1', [], 'r', [], false],
    ['0.009 cpus and 31 MB', 'cpus:0.009;mem:31', [], 'r', [], false],
    ['0.01 cpus', 'cpus:0.01', [], 'r', [], true],
    ['32 MB', 'mem:32', [], 'r', [], true],
    ['ports only', 'ports:[1-10]', [], 'r', [], false],
  ])('%s', (_name, total, capabilities, role, agentCapabilities, offered) => {
    const { agent, framework, run } = world();
    framework('f', [role], { capabilities: new Set(capabilities) });
    agent('a', total, new Set(agentCapabilities));
    expect(run().length > 0).toBe(offered);
  });

  const revocable: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 4 }, revocable: {} };
  const refined: Resource = {
    name: 'cpus',
    type: 'SCALAR',
    scalar: { value: 8 },
    reservations: [
      { type: 'STATIC', role: 'r' },
      { type: 'DYNAMIC', role: 'r/s' },
    ],
  };
  const volume: Resource = {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 16 },
    reservations: [{ type: 'STATIC', role: 'r' }],
    disk: { persistence: { id: 'v' }, volume: { mode: 'RW', container_path: 'v' } },
    shared: {},
  };
  test.each<[readonly string[], number, number]>([
    [[], 1, 0],
    [['REVOCABLE_RESOURCES'], 5, 0],
    [['RESERVATION_REFINEMENT'], 9, 0],
    [['SHARED_RESOURCES'], 1, 16],
    [['REVOCABLE_RESOURCES', 'RESERVATION_REFINEMENT', 'SHARED_RESOURCES'], 13, 16],
  ])('a framework with %j gets %d cpus and %d MB of disk', (capabilities, cpus, disk) => {
    const { agent, framework, run } = world();
    framework('f', ['r/s'], { capabilities: new Set(capabilities) });
    const total = Resources.fromWire([...res('cpus:1').toWire(), revocable, refined, volume]);
    agent('a', total);
    const [offer] = run();
    expect([offer?.resources.cpus(), offer?.resources.disk()]).toEqual([cpus, disk]);
  });

  test('a shared volume stays free for the next run', () => {
    const { agent, framework, run, allocator } = world();
    const capabilities = new Set(['MULTI_ROLE', 'SHARED_RESOURCES']);
    framework('f1', ['r'], { capabilities });
    framework('f2', ['r'], { capabilities });
    agent('a', Resources.fromWire([...res('cpus:2;mem:64').toWire(), volume]));
    const [first] = run();
    expect(first?.resources.disk()).toBe(16);
    allocator.recover(
      frameworkId(first?.frameworkId ?? ''),
      agentId('a'),
      res('cpus:1').allocate('r'),
      undefined,
      0,
    );
    const [second] = run(1000);
    expect([second?.resources.cpus(), second?.resources.disk()]).toEqual([1, 16]);
    expect(allocator.explain('r')[0]?.allocated.get('disk')).toBe(16_000);
  });

  test('a framework may say what is worth an offer to it', () => {
    const { agent, framework, run } = world();
    framework('f1', ['r'], { minAllocatable: new Map([['r', [new Map([['cpus', 4000]])]]]) });
    agent('small', 'cpus:2;mem:4096');
    expect(run()).toEqual([]);
    framework('f2', ['r'], { minAllocatable: new Map([['r', []]]) });
    agent('ports', 'ports:[1-10]');
    expect(run(1000).map(({ frameworkId: id }) => id)).toEqual(['f2', 'f2']);
  });

  test('agents of another region go to frameworks that know regions', () => {
    const { allocator, framework, run } = world({ region: 'here' });
    framework('f1', ['r']);
    const domain = { fault_domain: { region: { name: 'there' }, zone: { name: 'z' } } };
    allocator.addAgent(
      agentId('a'),
      {
        info: { hostname: 'a', domain },
        total: res('cpus:1'),
        capabilities: ALL_AGENT_CAPABILITIES,
        active: true,
      },
      new Map(),
    );
    expect(run()).toEqual([]);
    framework('f2', ['r'], { capabilities: new Set(['MULTI_ROLE', 'REGION_AWARE']) });
    expect(text(run(1000))).toBe('f2 r a');
  });
});

test('an agent whose GPUs are gone is offered to those who turned it down for them', () => {
  const { allocator, agent, framework, run } = world();
  framework('f', ['r']);
  agent('a', 'cpus:4;mem:64;gpus:1');
  expect(text(run())).toBe('');
  allocator.updateAgent(agentId('a'), res('cpus:2;mem:64'));
  expect(text(run())).toBe('f r a');
});

test.each<[string, ReadonlySet<string> | undefined, string]>([
  ['there is none', undefined, 'f r a1, f r a2'],
  ['it names one', new Set(['a2']), 'f r a2'],
  ['it names none of them', new Set(['x']), ''],
])('the whitelist decides which agents are offered: %s', (_what, whitelist, offered) => {
  const { allocator, agent, framework, run } = world();
  agent('a1', 'cpus:1;mem:64');
  framework('f', ['r']);
  allocator.updateWhitelist(whitelist);
  agent('a2', 'cpus:1;mem:64');
  const given = [...run()].sort((left, right) => (left.agentId < right.agentId ? -1 : 1));
  expect(text(given)).toBe(offered);
});

test('offer constraints exclude agents for one role of a framework', () => {
  const { allocator, agent, framework, run } = world();
  agent('a1', 'cpus:1;mem:64');
  agent('a2', 'cpus:1;mem:64');
  framework('f', ['r'], {
    agentFilters: new Map([
      ['r', ({ hostname }: { readonly hostname: string }) => hostname === 'a2'],
    ]),
  });
  expect(text(run())).toBe('f r a2');
  expect(reasonsAgainst(allocator, ['f', 'a1'], 0, 'r')).toEqual([
    "role r: the framework's offer constraints exclude the agent",
  ]);
});

test('nothing is allocated while the allocator is paused', () => {
  const { allocator, agent, framework, run } = world();
  allocator.pause();
  agent('a1', 'cpus:1;mem:64');
  framework('f', ['r']);
  expect([allocator.hasCandidates(), run()]).toEqual([false, []]);
  allocator.resume();
  expect([allocator.hasCandidates(), text(run())]).toEqual([true, 'f r a1']);
});

/** Gives the only cpu of agent `a` back. */
function freeCpu(refusal: OfferRefusal | undefined): (allocator: Allocator) => void {
  return (allocator) => {
    const resources = res('cpus:1').allocate('r');
    allocator.recover(frameworkId('f'), agentId('a'), resources, refusal, 0);
  };
}

describe('event-driven runs', () => {
  test('give what one framework left to another, and not back to the first', () => {
    const { allocator, agent, framework, run } = world();
    framework('f', ['r']);
    agent('a', 'cpus:1');
    expect(text(run())).toBe('f r a');
    framework('g', ['s']);
    allocator.allocate(0, 'candidates');
    freeCpu({ refuseMs: 5000, leftover: true })(allocator);
    expect(text(allocator.allocate(0, 'candidates'))).toBe('g s a');
    allocator.recover(
      frameworkId('g'),
      agentId('a'),
      res('cpus:1').allocate('s'),
      { refuseMs: 5000, leftover: true },
      0,
    );
    expect(text(allocator.allocate(0, 'candidates'))).toBe('');
    expect(allocator.hasCandidates()).toBe(false);
  });

  test('serve others when a framework is removed', () => {
    const { allocator, agent, framework, run } = world();
    framework('f', ['r']);
    agent('a', 'cpus:1');
    run();
    framework('g', ['s']);
    allocator.allocate(0, 'candidates');
    allocator.removeFramework(frameworkId('f'));
    expect(text(allocator.allocate(0, 'candidates'))).toBe('g s a');
  });

  test.each<[string, (allocator: Allocator) => void, boolean]>([
    ['a new total', (allocator) => allocator.updateAgent(agentId('a'), res('cpus:2')), true],
    ['an activated agent', (allocator) => allocator.activateAgent(agentId('a')), true],
    ['an activated framework', (allocator) => allocator.activateFramework(frameworkId('f')), true],
    ['a revival', (allocator) => allocator.revive(frameworkId('f'), []), true],
    ['a weight', (allocator) => allocator.updateWeights(new Map([['r', 2]])), false],
    ['a suppression', (allocator) => allocator.suppress(frameworkId('f'), []), false],
    ['a task that ended', freeCpu(undefined), true],
    ['what is left of a used offer', freeCpu({ refuseMs: 5000, leftover: true }), true],
    ['a refusal', freeCpu({ refuseMs: 5000 }), false],
    ['a refusal without a filter', freeCpu({ refuseMs: 0 }), false],
    [
      'a task that ended while nobody wants anything',
      (allocator) => {
        allocator.suppress(frameworkId('f'), []);
        freeCpu(undefined)(allocator);
      },
      false,
    ],
    ['a removed framework', (allocator) => allocator.removeFramework(frameworkId('f')), false],
  ])('%s asks for one: %#', (_name, act, expected) => {
    const { allocator, agent, framework, run } = world();
    framework('f', ['r']);
    agent('a', 'cpus:1');
    expect(allocator.hasCandidates()).toBe(true);
    run();
    expect(allocator.hasCandidates()).toBe(false);
    act(allocator);
    expect(allocator.hasCandidates()).toBe(expected);
  });

  test('serve only the agents that something happened to', () => {
    const { allocator, agent, framework, run } = world();
    framework('f', ['r']);
    agent('a', 'cpus:1');
    giveBack(allocator, run(), 0);
    agent('b', 'cpus:1');
    expect(text(allocator.allocate(0, 'candidates'))).toBe('f r b');
    expect(text(allocator.allocate(1000, 'all'))).toBe('f r a');
  });
});
