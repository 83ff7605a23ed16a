/**
 * An allocator with short ways to say things, for tests.
 */

import { agentId, frameworkId, seededRandom } from '@dcos/base';
import { parseResources, Resources } from '@dcos/resources';
import { createAllocator } from '../allocator.ts';
import type { Allocation, Allocator, AllocatorOptions, FrameworkDescription } from '../types.ts';

export const INTERVAL_MS = 1000;
export const ALL_AGENT_CAPABILITIES = new Set([
  'MULTI_ROLE',
  'HIERARCHICAL_ROLE',
  'RESERVATION_REFINEMENT',
]);

/** Resources in the syntax of the agent's flag. */
export function res(text: string): Resources {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return Resources.fromWire(parsed.value);
}

/** An allocator with short ways to say things. */
export function world(options: Partial<AllocatorOptions> = {}) {
  const allocator = createAllocator({
    random: seededRandom(1),
    allocationIntervalMs: INTERVAL_MS,
    ...options,
  });
  const agent = (
    id: string,
    total: string | Resources,
    capabilities: ReadonlySet<string> = ALL_AGENT_CAPABILITIES,
  ): void =>
    allocator.addAgent(
      agentId(id),
      {
        info: { hostname: id },
        total: typeof total === 'string' ? res(total) : total,
        capabilities,
        active: true,
      },
      new Map(),
    );
  const framework = (
    id: string,
    roles: readonly string[],
    more: Partial<FrameworkDescription> = {},
  ): void =>
    allocator.addFramework(
      frameworkId(id),
      { roles, suppressedRoles: [], capabilities: new Set(['MULTI_ROLE']), active: true, ...more },
      new Map(),
    );
  const run = (now = 0): readonly Allocation[] => allocator.allocate(now, 'all');
  return { allocator, agent, framework, run };
}

/** Offers as `framework role agent`, in order. */
export function text(allocations: readonly Allocation[]): string {
  return allocations
    .map(({ frameworkId: id, role, agentId: on }) => `${id} ${role} ${on}`)
    .join(', ');
}

/** Gives allocations back, with a refusal where one is given. */
export function giveBack(
  allocator: Allocator,
  allocations: readonly Allocation[],
  refuseMs: number | undefined,
  now = 0,
): void {
  const filter = refuseMs === undefined ? undefined : { refuseMs };
  for (const { frameworkId: id, agentId: on, resources } of allocations) {
    allocator.recover(id, on, resources, filter, now);
  }
}

/** What speaks against offering the agent to the framework. */
export function reasonsAgainst(
  allocator: Allocator,
  [framework, agent]: readonly [framework: string, agent: string],
  now = 0,
  role?: string,
): readonly string[] {
  const id = agentId(agent);
  return allocator.explainAgents(frameworkId(framework), [id], now, role).get(id) ?? [];
}
