/**
 * The allocator's benchmark: the workloads for which the architecture gives budgets, on clusters like
 * those of the original's own benchmark. Time comes from the caller; everything else is from a seed.
 */

import { agentId, frameworkId, seededRandom, type AgentId, type FrameworkId } from '@dcos/base';
import { parseResources, Resources } from '@dcos/resources';
import { createAllocator } from '../allocator.ts';
import type { AgentDescription, Allocation, Allocator } from '../types.ts';

/** One figure: all samples of it, in milliseconds. */
export interface BenchmarkSamples {
  readonly what: string;
  readonly samplesMs: readonly number[];
  /** Empty where the architecture gives none. */
  readonly budget: string;
}

export interface BenchmarkOptions {
  /** Milliseconds from any start, never going back. */
  readonly monotonicMs: () => number;
  /** How often each workload is run. */
  readonly repetitions: number;
}

const AGENT_CAPABILITIES = new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT']);
const FRAMEWORK_CAPABILITIES = new Set(['MULTI_ROLE', 'RESERVATION_REFINEMENT']);
/** Frameworks of `emptyRound` that are not suppressed. */
const REFUSING = 10;
const YEAR_MS = 365 * 24 * 3600 * 1000;

/** Runs all workloads. Takes some seconds. */
export function benchmarkAllocator(options: BenchmarkOptions): readonly BenchmarkSamples[] {
  return [
    ...fullRounds(options, { agents: 10_000, frameworks: 1000, roles: 1 }),
    ...fullRounds(options, { agents: 10_000, frameworks: 1000, roles: 1000 }),
    ...emptyRound(options, { agents: 3000, frameworks: 3000, roles: 3000 }),
    ...allRefused(options, { agents: 3000, frameworks: 1000, roles: 1000 }),
  ];
}

interface Size {
  readonly agents: number;
  readonly frameworks: number;
  readonly roles: number;
}

function describe({ agents, frameworks, roles }: Size): string {
  return `${agents} agents, ${frameworks} frameworks in ${roles} roles`;
}

/** Adding agents, then rounds that offer all of them, each declined for ever. */
function fullRounds(options: BenchmarkOptions, size: Size): readonly BenchmarkSamples[] {
  const [add, first, decline, later]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let repetition = 0; repetition < options.repetitions; repetition++) {
    const allocator = withFrameworks(size, repetition);
    const agents = prepareAgents(size);
    add.push(timed(options, () => addAgents(allocator, agents)));
    let offers: readonly Allocation[] = [];
    first.push(timed(options, () => void (offers = allocator.allocate(0, 'all'))));
    for (let round = 1; round <= 5; round++) {
      decline.push(timed(options, () => declineAll(allocator, offers, round * 1000)));
      later.push(timed(options, () => void (offers = allocator.allocate(round * 1000, 'all'))));
    }
  }
  const name = describe(size);
  return [
    { what: `add agents: ${name}`, samplesMs: add, budget: '300 ms' },
    { what: `first round, all offered: ${name}`, samplesMs: first, budget: '200 ms' },
    { what: `decline all offers: ${name}`, samplesMs: decline, budget: '' },
    { what: `later round, all offered: ${name}`, samplesMs: later, budget: '200 ms' },
  ];
}

/**
 * Ten frameworks take offers and have refused every agent, all others are suppressed: nothing is left to
 * do. (All of 3000 refusing all of 3000 agents would be nine million filters; `allRefused` has a third.)
 */
function emptyRound(options: BenchmarkOptions, size: Size): readonly BenchmarkSamples[] {
  const [settling, empty]: [number[], number[]] = [[], []];
  for (let repetition = 0; repetition < options.repetitions; repetition++) {
    const allocator = withFrameworks(size, repetition);
    addAgents(allocator, prepareAgents(size));
    for (let index = REFUSING; index < size.frameworks; index++)
      allocator.suppress(framework(index), []);
    let now = 0;
    for (;;) {
      const offers = allocator.allocate(now, 'all');
      if (offers.length === 0) break;
      declineAll(allocator, offers, now);
      now += 1000;
    }
    // A framework that nobody can serve wakes all agents: everyone is looked at once more.
    allocator.addFramework(
      frameworkId('gpu-only'),
      { roles: ['a/b'], suppressedRoles: [], capabilities: FRAMEWORK_CAPABILITIES, active: true },
      new Map(),
    );
    allocator.suppress(frameworkId('gpu-only'), []);
    settling.push(timed(options, () => void allocator.allocate(now, 'all')));
    empty.push(timed(options, () => void allocator.allocate(now + 1000, 'all')));
  }
  return [
    {
      what: `round after a change, ${REFUSING} refuse all, others suppressed: ${describe(size)}`,
      samplesMs: settling,
      budget: '20 ms',
    },
    {
      what: `round without a change, same cluster: ${describe(size)}`,
      samplesMs: empty,
      budget: '20 ms',
    },
  ];
}

/** Rounds until every framework has refused every agent; the last round finds nothing. */
function allRefused(options: BenchmarkOptions, size: Size): readonly BenchmarkSamples[] {
  const allocator = withFrameworks(size, 0);
  addAgents(allocator, prepareAgents(size));
  const rounds: number[] = [];
  let now = 0;
  for (;;) {
    let offers: readonly Allocation[] = [];
    rounds.push(timed(options, () => void (offers = allocator.allocate(now, 'all'))));
    if (offers.length === 0) break;
    declineAll(allocator, offers, now);
    now += 1000;
  }
  const last = rounds.pop() ?? 0;
  return [
    {
      what: `rounds until all have refused all: ${describe(size)}`,
      samplesMs: rounds,
      budget: '200 ms',
    },
    {
      what: `first round in which filters leave nothing: ${describe(size)}`,
      samplesMs: [last],
      budget: '20 ms',
    },
  ];
}

function timed(options: BenchmarkOptions, work: () => void): number {
  const start = options.monotonicMs();
  work();
  return options.monotonicMs() - start;
}

function framework(index: number): FrameworkId {
  return frameworkId(`framework-${index}`);
}

function withFrameworks(size: Size, seed: number): Allocator {
  const allocator = createAllocator({ random: seededRandom(seed), allocationIntervalMs: 1000 });
  for (let index = 0; index < size.frameworks; index++) {
    allocator.addFramework(
      framework(index),
      {
        roles: [`role-${index % size.roles}`],
        suppressedRoles: [],
        capabilities: FRAMEWORK_CAPABILITIES,
        active: true,
      },
      new Map(),
    );
  }
  return allocator;
}

interface PreparedAgent {
  readonly id: AgentId;
  readonly description: AgentDescription & { readonly active: boolean };
  readonly used: ReadonlyMap<FrameworkId, Resources>;
}

/** Agents of 2 cpus, 1 GB; of each 1 cpu and 128 MB are in use by the frameworks in turn. */
function prepareAgents(size: Size): readonly PreparedAgent[] {
  return Array.from({ length: size.agents }, (_, index) => {
    const owner = index % size.frameworks;
    const task = resources('cpus:1;mem:128').allocate(`role-${owner % size.roles}`);
    return {
      id: agentId(`agent-${index}`),
      description: {
        info: { hostname: `host-${index}` },
        total: resources('cpus:2;mem:1024;disk:4096;ports:[31000-32000]'),
        capabilities: AGENT_CAPABILITIES,
        active: true,
      },
      used: new Map([[framework(owner), task]]),
    };
  });
}

function addAgents(allocator: Allocator, agents: readonly PreparedAgent[]): void {
  for (const { id, description, used } of agents) allocator.addAgent(id, description, used);
}

function declineAll(allocator: Allocator, offers: readonly Allocation[], now: number): void {
  for (const offer of offers) {
    allocator.recover(
      offer.frameworkId,
      offer.agentId,
      offer.resources,
      { refuseMs: YEAR_MS },
      now,
    );
  }
}

function resources(text: string): Resources {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return Resources.fromWire(parsed.value);
}
