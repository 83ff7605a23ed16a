/**
 * A plain allocator for tests of the master: everything free on an agent goes to the first active
 * framework that is subscribed to a role, is not suppressed and has not refused it. It keeps the same
 * books as the real one and asserts that they balance.
 */

import { assert, type AgentId, type FrameworkId, type Instant } from '@dcos/base';
import type { Allocation, Allocator } from '@dcos/allocator';
import { Resources } from '@dcos/resources';

interface KnownAgent {
  total: Resources;
  active: boolean;
  allocated: Resources;
}

interface KnownFramework {
  roles: readonly string[];
  suppressed: Set<string>;
  active: boolean;
  readonly refused: Map<AgentId, Instant>;
}

/** Makes an empty allocator. */
export function createFirstFitAllocator(): Allocator {
  const agents = new Map<AgentId, KnownAgent>();
  const frameworks = new Map<FrameworkId, KnownFramework>();
  let pending = false;

  const agentOf = (id: AgentId): KnownAgent => {
    const agent = agents.get(id);
    assert(agent !== undefined, `agent ${id} is not known to the allocator`);
    return agent;
  };
  const change = <A extends unknown[]>(apply: (...given: A) => void) => {
    return (...given: A): void => {
      apply(...given);
      pending = true;
    };
  };

  return {
    addFramework: change((id, { roles, suppressedRoles, active }) => {
      frameworks.set(id, {
        roles,
        suppressed: new Set(suppressedRoles),
        active,
        refused: new Map(),
      });
    }),
    updateFramework: change((id, { roles, suppressedRoles }) => {
      const framework = frameworks.get(id);
      if (framework === undefined) return;
      framework.roles = roles;
      framework.suppressed = new Set(suppressedRoles);
    }),
    activateFramework: change(
      (id) => void Object.assign(frameworks.get(id) ?? {}, { active: true }),
    ),
    deactivateFramework(id) {
      const framework = frameworks.get(id);
      framework?.refused.clear();
      Object.assign(framework ?? {}, { active: false });
    },
    removeFramework: (id) => void frameworks.delete(id),
    addAgent: change((id, { total, active }) => {
      agents.set(id, { total, active, allocated: Resources.empty });
    }),
    updateAgent: change((id, total) => void (agentOf(id).total = total)),
    removeAgent: (id) => void agents.delete(id),
    activateAgent: change((id) => void (agentOf(id).active = true)),
    deactivateAgent: (id) => void (agentOf(id).active = false),
    recover(framework, id, resources, refusal, now) {
      const agent = agentOf(id);
      agent.allocated = agent.allocated.subtract(resources);
      if (refusal !== undefined) frameworks.get(framework)?.refused.set(id, now + refusal.refuseMs);
      if (refusal === undefined || refusal.leftover === true) pending = true;
    },
    track(_framework, id, resources) {
      const agent = agentOf(id);
      agent.allocated = agent.allocated.add(resources);
    },
    suppress(id, roles) {
      const framework = frameworks.get(id);
      for (const role of roles.length === 0 ? (framework?.roles ?? []) : roles)
        framework?.suppressed.add(role);
    },
    revive: change((id, roles) => {
      const framework = frameworks.get(id);
      framework?.refused.clear();
      for (const role of roles.length === 0 ? (framework?.roles ?? []) : roles)
        framework?.suppressed.delete(role);
    }),
    updateWeights: () => undefined,
    hasCandidates: () => pending,
    allocate(now) {
      pending = false;
      const allocations: Allocation[] = [];
      for (const [agentId, agent] of agents) {
        if (!agent.active) continue;
        const free = agent.total.subtract(agent.allocated.unallocate());
        const taker = [...frameworks].find(
          ([, { active, roles, suppressed, refused }]) =>
            active &&
            roles.some((role) => !suppressed.has(role)) &&
            (refused.get(agentId) ?? 0) <= now,
        );
        if (taker === undefined || free.isEmpty()) continue;
        const [frameworkId, { roles, suppressed }] = taker;
        const role = roles.find((name) => !suppressed.has(name)) ?? '*';
        const resources = free.allocate(role);
        agent.allocated = agent.allocated.add(resources);
        allocations.push({ frameworkId, role, agentId, resources });
      }
      return allocations;
    },
    updateQuota: () => undefined,
    updateWhitelist: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    convert: change((_framework, id, from, to) => {
      const agent = agentOf(id);
      agent.total = agent.total.subtract(from.unallocate()).add(to.unallocate());
      agent.allocated = agent.allocated.subtract(from).add(to);
    }),
    convertFree(id, from, to) {
      const agent = agentOf(id);
      const free = agent.total.subtract(agent.allocated.unallocate());
      if (!free.contains(from)) return false;
      agent.total = agent.total.subtract(from).add(to);
      pending = true;
      return true;
    },
    updateUnavailability: () => undefined,
    answerInverseOffer: () => undefined,
    inverseOfferAnswers: () => new Map(),
    inverseAllocate: () => [],
    explainAgent: () => [],
    explain: () => {
      throw new Error('the test allocator explains nothing');
    },
    snapshot: () => ({
      agents: Array.from(agents, ([id, { active, total, allocated }]) => ({
        id,
        active,
        total,
        allocated: allocated.unallocate(),
        byFramework: new Map(),
        free: total.subtract(allocated.unallocate()),
      })),
    }),
  };
}
