/** What frameworks decline, and roles that they suppress. */

import { agentId, frameworkId } from '@dcos/base';
import type { Attribute } from '@dcos/wire';
import { describe, expect, test } from 'vitest';
import { ALL_AGENT_CAPABILITIES, giveBack, res, text, world } from './testing/allocator-world.ts';
import type { Allocator, FrameworkDescription } from './types.ts';

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
