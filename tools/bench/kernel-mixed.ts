/**
 * Frameworks of three kinds on one cluster, as in the original's benchmark: a few with very many small
 * tasks, very many with a few tasks in one role, some in between. How many rounds and how long until all
 * 19,500 tasks run.
 */

import { createAllocator, type Allocation, type Allocator } from '@dcos/allocator';
import { agentId, frameworkId, seededRandom } from '@dcos/base';
import { parseResources, Resources } from '@dcos/resources';
import { costOf } from './kernel-series.ts';
import { row, type Row } from './row.ts';

interface Kind {
  readonly name: string;
  readonly frameworks: number;
  readonly tasks: number;
  readonly task: string;
  readonly perOffer: number;
  /** One role for all of them, or one for each. */
  readonly oneRole: boolean;
}

const KINDS: readonly Kind[] = [
  {
    name: 'many-tasks',
    frameworks: 4,
    tasks: 4000,
    task: 'cpus:0.07;mem:400',
    perOffer: 100,
    oneRole: false,
  },
  {
    name: 'many-frameworks',
    frameworks: 500,
    tasks: 5,
    task: 'cpus:0.1;mem:4000',
    perOffer: 1,
    oneRole: true,
  },
  {
    name: 'big-tasks',
    frameworks: 50,
    tasks: 20,
    task: 'cpus:1;mem:1000',
    perOffer: 5,
    oneRole: false,
  },
];

const AGENTS = 80;
const INTERVAL_MS = 1000;
const REFUSE_MS = 5000;
const ROUNDS_MAX = 10_000;
const CAPABILITIES = new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT']);

interface Framework {
  left: number;
  readonly perOffer: number;
  readonly task: Resources;
}

export function benchmarkMixedFrameworks(): readonly Row[] {
  const { allocator, frameworks } = cluster();
  const tasks = KINDS.reduce((sum, kind) => sum + kind.frameworks * kind.tasks, 0);
  let left = tasks;
  let rounds = 0;
  const { elapsedMs } = costOf(() => {
    for (; left > 0; rounds++) {
      if (rounds === ROUNDS_MAX) throw new Error(`${left} tasks are left after ${rounds} rounds`);
      const now = rounds * INTERVAL_MS;
      for (const offer of allocator.allocate(now, 'all')) {
        const framework = frameworks.get(offer.frameworkId);
        if (framework !== undefined) left -= answer(allocator, offer, framework, now);
      }
    }
  });
  const what = `mixed frameworks: ${frameworks.size} launch ${tasks} tasks on ${AGENTS} agents`;
  return [
    row(`${what}, rounds`, 'rounds', [rounds], ''),
    row('  all of them together', 'ms', [elapsedMs], '30 s'),
  ];
}

/** Launches what fits and gives back the rest; says how many tasks that was. */
function answer(
  allocator: Allocator,
  { frameworkId: id, agentId: on, role, resources }: Allocation,
  framework: Framework,
  now: number,
): number {
  const task = framework.task.allocate(role);
  let rest = resources;
  let launched = 0;
  while (launched < Math.min(framework.left, framework.perOffer) && rest.contains(task)) {
    rest = rest.subtract(task);
    launched += 1;
  }
  framework.left -= launched;
  if (!rest.isEmpty())
    allocator.recover(id, on, rest, { refuseMs: REFUSE_MS, leftover: true }, now);
  if (framework.left === 0) allocator.suppress(id, []);
  return launched;
}

function cluster(): {
  readonly allocator: Allocator;
  readonly frameworks: ReadonlyMap<string, Framework>;
} {
  const allocator = createAllocator({ random: seededRandom(1), allocationIntervalMs: INTERVAL_MS });
  const frameworks = new Map<string, Framework>();
  for (const { name, frameworks: count, tasks, task, perOffer, oneRole } of KINDS) {
    for (let index = 0; index < count; index++) {
      const id = frameworkId(`${name}-${index}`);
      const roles = [oneRole ? name : `${name}-${index}`];
      frameworks.set(id, { left: tasks, perOffer, task: resources(task) });
      allocator.addFramework(
        id,
        { roles, suppressedRoles: [], capabilities: CAPABILITIES, active: true },
        new Map(),
      );
    }
  }
  const total = resources('cpus:64;mem:488000');
  for (let index = 0; index < AGENTS; index++) {
    const info = { hostname: `host-${index}` };
    const description = { info, total, capabilities: CAPABILITIES, active: true };
    allocator.addAgent(agentId(`agent-${index}`), description, new Map());
  }
  return { allocator, frameworks };
}

function resources(text: string): Resources {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return Resources.fromWire(parsed.value);
}
