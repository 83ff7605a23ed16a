import { agentId, frameworkId } from '@dcos/base';
import { Resources } from '@dcos/resources';
import type { Attribute, Resource } from '@dcos/wire';
import { describe, expect, test } from 'vitest';
import {
  ALL_AGENT_CAPABILITIES,
  giveBack,
  INTERVAL_MS,
  res,
  text,
  world,
} from './testing/allocator-world.ts';
import type { Allocator, FrameworkDescription, OfferRefusal } from './types.ts';

describe('fairness', () => {
  test('agents that come one by one go to the role with the least dominant share', () => {
    const { agent, framework, run } = world();
    framework('f1', ['r1']);
    const given: string[] = [];
    const add = (id: string, total: string): void => {
      agent(id, total);
      given.push(text(run()));
    };
    add('a1', 'cpus:2;mem:1024');
    framework('f2', ['r2']);
    add('a2', 'cpus:1;mem:512'); // r1 has 2/3 of the cpus, r2 nothing.
    add('a3', 'cpus:3;mem:2048'); // r1 1/3, r2 1/6.
    add('a4', 'cpus:4;mem:4096'); // r1 2/10 of cpus, r2 4/10.
    framework('f3', ['r1']);
    add('a5', 'cpus:1;mem:512'); // r1 6/11, r2 4/11.
    framework('f4', ['r1']);
    add('a6', 'cpus:1;mem:512'); // r1 6/12, r2 5/12.
    add('a7', 'cpus:1;mem:512'); // r1 6/13, r2 6/13, equal cpus; r1's memory 5120/9216 is dominant.
    expect(given).toEqual([
      'f1 r1 a1',
      'f2 r2 a2',
      'f2 r2 a3',
      'f1 r1 a4',
      'f2 r2 a5',
      'f2 r2 a6',
      'f2 r2 a7',
    ]);
  });

  test.each<[string, Readonly<Record<string, number>>, readonly [number, number]]>([
    ['equal weights', {}, [4, 4]],
    ['one role of threefold weight', { r1: 3 }, [6, 2]],
    ['both doubled', { r1: 2, r2: 2 }, [4, 4]],
  ])('%s part eight agents', (_name, weights, expected) => {
    const { allocator, agent, framework, run } = world();
    framework('f1', ['r1']);
    framework('f2', ['r2']);
    allocator.updateWeights(new Map(Object.entries(weights)));
    for (let index = 0; index < 8; index++) agent(`a${index}`, 'cpus:2;mem:1024');
    const offers = run();
    expect(['r1', 'r2'].map((name) => offers.filter(({ role }) => role === name).length)).toEqual(
      expected,
    );
  });

  test('a weight set at run time counts from the next run', () => {
    const { allocator, agent, framework, run } = world();
    framework('f1', ['r1']);
    framework('f2', ['r2']);
    for (let index = 0; index < 6; index++) agent(`a${index}`, 'cpus:2;mem:1024');
    giveBack(allocator, run(), 0);
    allocator.updateWeights(new Map([['r2', 2]]));
    expect(allocator.hasCandidates()).toBe(false);
    const roles = run(INTERVAL_MS).map(({ role }) => role);
    expect(roles.filter((role) => role === 'r2')).toHaveLength(4);
  });

  test('reserved resources count as allocated when they are allocated, not before', () => {
    const { agent, framework, run } = world();
    framework('f1', ['r1']);
    framework('f2', ['r2']);
    agent('a1', 'cpus(r1):90;mem(r1):1000');
    expect(text(run())).toBe('f1 r1 a1');
    agent('a2', 'cpus:10;mem:1000');
    expect(text(run())).toBe('f2 r2 a2');
  });

  test('names left out of fair sharing do not count', () => {
    const { agent, framework, run } = world({
      fairSharingExcluded: ['gpus'],
      filterGpuResources: false,
    });
    framework('f1', ['r1']);
    agent('a1', 'cpus:1;mem:100;gpus:8');
    expect(text(run())).toBe('f1 r1 a1');
    framework('f2', ['r2']);
    agent('a2', 'cpus:8;mem:800');
    run();
    agent('a3', 'cpus:1;mem:100');
    // By gpus r1 would have all there are; without them it has the least.
    expect(text(run())).toBe('f1 r1 a3');
  });

  test('frameworks of equal share take turns', () => {
    const { allocator, agent, framework, run } = world();
    for (const id of ['f1', 'f2', 'f3']) framework(id, ['r']);
    agent('a', 'cpus:1;mem:100');
    const turns: string[] = [];
    for (let round = 0; round < 6; round++) {
      const offers = run(round * INTERVAL_MS);
      turns.push(offers[0]?.frameworkId ?? '');
      giveBack(allocator, offers, undefined);
    }
    expect(turns.join(' ')).toBe('f1 f2 f3 f1 f2 f3');
  });

  test('siblings under one role share its part', () => {
    const { agent, framework, run } = world();
    framework('f1', ['a/x']);
    framework('f2', ['a/y']);
    framework('f3', ['b']);
    for (let index = 0; index < 8; index++) agent(`agent${index}`, 'cpus:1;mem:100');
    const offers = run();
    const counts = ['a/x', 'a/y', 'b'].map(
      (name) => offers.filter(({ role }) => role === name).length,
    );
    expect(counts).toEqual([2, 2, 4]);
  });
});

describe('filters', () => {
  /** Refused at 0 for so long; whether it is offered again at that instant. */
  test.each([
    [5000, 4000, false],
    [5000, 5000, false],
    [5000, 5001, true],
    [1, 500, false],
    [1, 1000, false],
    [1, 1001, true],
    [0, 1, true],
    [undefined, 1, true],
  ])('refused for %s ms, asked after %s ms: offered %s', (refuseMs, afterMs, offered) => {
    const { allocator, agent, framework, run } = world();
    framework('f', ['r']);
    agent('a', 'cpus:1;mem:100');
    giveBack(allocator, run(), refuseMs);
    expect(run(afterMs).length > 0).toBe(offered);
  });

  test('any increase passes a filter, what is less or equal does not', () => {
    const { allocator, agent, framework, run } = world();
    framework('f', ['r']);
    agent('a', 'cpus:2;mem:100');
    giveBack(allocator, run(), 3_600_000);
    allocator.updateAgent(agentId('a'), res('cpus:1.5;mem:100'));
    expect(run(1000)).toEqual([]);
    allocator.updateAgent(agentId('a'), res('cpus:1.5;mem:100.001'));
    expect(text(run(2000))).toBe('f r a');
  });

  test('a filter of one role does not hide offers of another role, framework or agent', () => {
    const { allocator, agent, framework, run } = world();
    framework('f1', ['r1', 'r2']);
    agent('a', 'cpus:2;mem:100');
    const first = run();
    giveBack(allocator, first, 3_600_000);
    const second = run(1000);
    expect([...first, ...second].map(({ role }) => role).sort()).toEqual(['r1', 'r2']);
    giveBack(allocator, second, 3_600_000, 1000);
    expect(run(2000)).toEqual([]);
    framework('f2', ['r1']);
    expect(text(run(3000))).toBe('f2 r1 a');
    agent('b', 'cpus:2;mem:100');
    expect(run(4000)).toHaveLength(1);
  });

  test.each<[string, (allocator: Allocator) => void, boolean]>([
    ['reviving the role', (allocator) => allocator.revive(frameworkId('f'), ['r']), true],
    ['reviving all roles', (allocator) => allocator.revive(frameworkId('f'), []), true],
    ['reviving another role', (allocator) => allocator.revive(frameworkId('f'), ['other']), false],
    [
      'suppressing and reviving',
      (allocator) => {
        allocator.suppress(frameworkId('f'), []);
        allocator.revive(frameworkId('f'), []);
      },
      true,
    ],
    [
      'an update that ends suppression',
      (allocator) => {
        allocator.suppress(frameworkId('f'), ['r']);
        allocator.updateFramework(frameworkId('f'), describeFramework(['r'], []));
      },
      true,
    ],
    [
      'an update that leaves and one that takes the role again',
      (allocator) => {
        allocator.updateFramework(frameworkId('f'), describeFramework([], []));
        allocator.updateFramework(frameworkId('f'), describeFramework(['r'], []));
      },
      true,
    ],
    [
      'an update without a change',
      (allocator) => allocator.updateFramework(frameworkId('f'), describeFramework(['r'], [])),
      false,
    ],
    [
      'deactivation and activation of the framework',
      (allocator) => {
        allocator.deactivateFramework(frameworkId('f'));
        allocator.activateFramework(frameworkId('f'));
      },
      true,
    ],
    [
      'deactivation and activation of the agent',
      (allocator) => {
        allocator.deactivateAgent(agentId('a'));
        allocator.activateAgent(agentId('a'));
      },
      false,
    ],
    [
      'a change of the attributes',
      (allocator) => describeAgent(allocator, [{ name: 'x', type: 'TEXT', text: { value: 'y' } }]),
      true,
    ],
    ['the same attributes', (allocator) => describeAgent(allocator, []), false],
    ['a change of weights', (allocator) => allocator.updateWeights(new Map([['r', 2]])), false],
  ])('%s drops filters: %#', (_name, act, dropped) => {
    const { allocator, agent, framework, run } = world();
    framework('f', ['r']);
    agent('a', 'cpus:1;mem:100');
    giveBack(allocator, run(), 3_600_000);
    act(allocator);
    expect(run(1000).length > 0).toBe(dropped);
  });

  function describeFramework(
    roles: readonly string[],
    suppressedRoles: readonly string[],
  ): FrameworkDescription {
    return { roles, suppressedRoles, capabilities: new Set(['MULTI_ROLE']) };
  }

  function describeAgent(allocator: Allocator, attributes: readonly Attribute[]): void {
    allocator.updateAgent(agentId('a'), res('cpus:1;mem:100'), {
      info: { hostname: 'a', attributes },
      capabilities: ALL_AGENT_CAPABILITIES,
    });
  }
});

describe('suppression', () => {
  test('a suppressed role gets nothing, others of the framework do', () => {
    const { allocator, agent, framework, run } = world();
    framework('f', ['r1', 'r2'], { suppressedRoles: ['r1'] });
    agent('a', 'cpus:1;mem:100');
    agent('b', 'cpus:1;mem:100');
    const offers = run();
    expect(offers.map(({ role }) => role)).toEqual(['r2', 'r2']);
    allocator.suppress(frameworkId('f'), []);
    giveBack(allocator, offers, undefined);
    expect(run(1000)).toEqual([]);
    allocator.revive(frameworkId('f'), ['r1']);
    expect(run(2000).map(({ role }) => role)).toEqual(['r1', 'r1']);
  });
});

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

/** Gives the only cpu of agent `a` back. */
function freeCpu(refusal: OfferRefusal | undefined): (allocator: Allocator) => void {
  return (allocator) => {
    const resources = res('cpus:1').allocate('r');
    allocator.recover(frameworkId('f'), agentId('a'), resources, refusal, 0);
  };
}

test('an agent whose GPUs are gone is offered to those who turned it down for them', () => {
  const { allocator, agent, framework, run } = world();
  framework('f', ['r']);
  agent('a', 'cpus:4;mem:64;gpus:1');
  expect(text(run())).toBe('');
  allocator.updateAgent(agentId('a'), res('cpus:2;mem:64'));
  expect(text(run())).toBe('f r a');
});

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
  expect(allocator.explainAgent(frameworkId('f'), agentId('a'), 0)).toEqual([]);
  giveBack(allocator, run(), 60_000);
  expect(allocator.explainAgent(frameworkId('f'), agentId('a'), 10_000)).toEqual([
    'role r: refused by the framework for another 50 s',
  ]);
  allocator.suppress(frameworkId('f'), []);
  allocator.deactivateAgent(agentId('a'));
  expect(allocator.explainAgent(frameworkId('f'), agentId('a'), 10_000)).toHaveLength(3);
  expect(allocator.explain('r')).toMatchObject([
    {
      role: 'r',
      weight: 1,
      share: 0,
      frameworks: [{ id: 'f', active: false, suppressed: true, filters: 1 }],
    },
  ]);
});

describe('shares settle', () => {
  /** Frameworks that keep what they are offered up to one task of this size per offer, round by round. */
  function settle(
    built: ReturnType<typeof world>,
    tasks: Readonly<Record<string, string>>,
    rounds: number,
  ): Readonly<Record<string, number>> {
    const launched: Record<string, number> = {};
    for (let round = 0; round < rounds; round++) {
      for (const { frameworkId: id, agentId: on, role, resources } of built.run(round * 10_000)) {
        const task = res(tasks[id] ?? '').allocate(role);
        const fits = resources.contains(task);
        if (fits) launched[id] = (launched[id] ?? 0) + 1;
        const rest = fits ? resources.subtract(task) : resources;
        built.allocator.recover(id, on, rest, { refuseMs: 0 }, round * 10_000);
      }
    }
    return launched;
  }

  test('at 2:1 for roles weighted 2:1 with equal demand', () => {
    const built = world();
    for (let at = 0; at < 10; at++) built.agent(`a${at}`, 'cpus:9;mem:9216');
    built.framework('heavy', ['two']);
    built.framework('light', ['one']);
    built.allocator.updateWeights(new Map([['two', 2]]));
    const launched = settle(built, { heavy: 'cpus:1;mem:1024', light: 'cpus:1;mem:1024' }, 60);
    expect(launched).toEqual({ heavy: 60, light: 30 });
  });

  test('at equal dominant shares for cpu-heavy and memory-heavy demand', () => {
    const built = world();
    for (let at = 0; at < 10; at++) built.agent(`a${at}`, 'cpus:10;mem:10000');
    built.framework('cpu', ['cpu']);
    built.framework('mem', ['mem']);
    const launched = settle(built, { cpu: 'cpus:0.5;mem:100', mem: 'cpus:0.1;mem:500' }, 200);
    const [cpu, mem] = built.allocator.explain().map(({ share }) => share);
    expect(Math.abs((cpu ?? 0) - (mem ?? 1))).toBeLessThan(0.01);
    expect(Math.min(launched['cpu'] ?? 0, launched['mem'] ?? 0)).toBeGreaterThan(100);
  });

  test('with the guarantee of one role kept while another floods the cluster', () => {
    const built = world();
    for (let at = 0; at < 10; at++) built.agent(`a${at}`, 'cpus:4;mem:4096');
    built.framework('flood', ['flood']);
    built.allocator.updateQuota('guarded', {
      guarantees: new Map([
        ['cpus', 10_000],
        ['mem', 10_240_000],
      ]),
      limits: new Map(),
    });
    settle(built, { flood: 'cpus:1;mem:1024' }, 60);
    built.framework('late', ['guarded']);
    const launched = settle(built, { flood: 'cpus:1;mem:1024', late: 'cpus:1;mem:1024' }, 60);
    expect(launched).toEqual({ late: 10 });
  });
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
  expect(allocator.explainAgent(frameworkId('f'), agentId('a1'), 0, 'r')).toEqual([
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
