import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AGENTS_MAX } from './flags.ts';
import { planAgents, type Machine } from './topology.ts';

const machine: Machine = {
  platform: 'linux',
  cores: 2,
  memoryBytes: 8 * 2 ** 30,
  diskBytes: 100 * 2 ** 30,
};

test('the default plan: two private agents and a public one', () => {
  expect(planAgents({ agents: 2, publicAgents: 1 }, machine)).toEqual([
    {
      name: 'private-1',
      address: '127.0.1.1',
      isPublic: false,
      resources: 'cpus:16;mem:7168;disk:97280;ports:[31000-31332]',
      attributes: '',
    },
    {
      name: 'private-2',
      address: '127.0.1.2',
      isPublic: false,
      resources: 'cpus:16;mem:7168;disk:97280;ports:[31333-31665]',
      attributes: '',
    },
    {
      name: 'public-1',
      address: '127.0.2.1',
      isPublic: true,
      resources:
        'cpus(slave_public):16;mem(slave_public):7168;disk(slave_public):97280;ports(slave_public):[31666-31998]',
      attributes: 'public_ip:true',
    },
  ]);
});

test('elsewhere than on Linux all agents share 127.0.0.1', () => {
  const plans = planAgents({ agents: 1, publicAgents: 1 }, { ...machine, platform: 'darwin' });
  expect(plans.map((plan) => plan.address)).toEqual(['127.0.0.1', '127.0.0.1']);
});

test('ports never overlap, stay above privileged ones and below those of clients', () => {
  const count = fc.integer({ min: 0, max: AGENTS_MAX });
  fc.assert(
    fc.property(count, count, (agents, publicAgents) => {
      const plans = planAgents({ agents, publicAgents }, machine);
      const ranges = plans
        .map((plan) => /\[(\d+)-(\d+)\]/.exec(plan.resources))
        .map((match) => [Number(match?.[1]), Number(match?.[2])] as const)
        .sort((left, right) => left[0] - right[0]);
      let previousEnd = 20_000;
      for (const [begin, end] of ranges) {
        expect(begin).toBeGreaterThan(previousEnd);
        expect(end - begin).toBeGreaterThanOrEqual(50);
        previousEnd = end;
      }
      expect(previousEnd).toBeLessThan(32_768);
      expect(new Set(plans.map((plan) => plan.address)).size).toBe(plans.length);
    }),
  );
});
