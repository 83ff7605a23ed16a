/**
 * Systematic exploration: of a cluster of one agent and one framework, all orders in which things can happen,
 * up to a depth. The real cores run; what is explored is what the world may do to them: which channel delivers
 * next, whether a clock is faster than a message, and where a few faults strike.
 *
 * Breadth first, so that the first violation has one of the shortest schedules. Cores cannot be copied, so a
 * state is reached again by repeating its choices. States with the same text (ids replaced by their order)
 * are explored once. Two reductions keep the number of states small: what is due at once happens at once, and
 * time passes while something is under way only as often as the scenario's impatience allows.
 */

import { canonicalText, withoutNames } from './canonical-text.ts';
import { checkQuiet, type Verdict } from './checkers.ts';
import { createChecker } from './cluster-checker.ts';
import { createCluster, type Cluster, type Cores } from './cluster.ts';
import { createExploringWorld, TIME_PASSES, type ExploringWorld } from './exploring-world.ts';

/** Where an exploration begins and what may go wrong on the way. */
export interface Scenario {
  readonly name: string;
  /** Reached without faults, in one fair order, before anything is explored; nothing when absent. */
  readonly from?: (cluster: Cluster) => boolean;
  readonly faults: readonly Fault[];
  /** Faults in one schedule. */
  readonly faultsMax: number;
  /** How often time passes while something is under way, in one schedule. */
  readonly impatienceMax: number;
  readonly launchesMax: number;
  /** Whether the framework makes operations out of its offers; never when absent. */
  readonly operates?: 'always';
}

export type Fault =
  | 'the master dies'
  | 'the master dies, its write made it'
  | 'the master freezes'
  | 'the agent dies'
  | 'the agent dies, its write made it'
  | 'the host restarts'
  | 'the connection of the agent breaks'
  | 'the stream breaks'
  | 'the framework fails over'
  | 'the framework kills'
  | 'the agent is declared gone';

export interface ExploreOptions extends Cores {
  readonly scenario: Scenario;
  /** Choices of one schedule. */
  readonly depth: number;
  /** States at most; the exploration then says that it is not complete. */
  readonly statesMax: number;
  /** From every n-th state the world is led to rest without faults, and nothing may be left unsaid. */
  readonly restEvery: number;
}

export interface Exploration {
  readonly scenario: string;
  readonly depth: number;
  /** Distinct states that were reached. */
  readonly states: number;
  /** Choices that were performed from them. */
  readonly transitions: number;
  /** Schedules of at most that depth which these states stand for. */
  readonly schedules: number;
  /** States from which the world was led to rest. */
  readonly rests: number;
  readonly isComplete: boolean;
  readonly violation?: { readonly text: string; readonly schedule: readonly string[] };
}

/** Virtual time in which all must come to rest, longer than the longest retry. */
const REST_MS = 240_000;
const REST_STEPS_MAX = 20_000;
const FROM_STEPS_MAX = 1_000;
/** So long that the pings of a quiet cluster are few. */
const PING_INTERVAL_MS = 15_000;

interface State {
  readonly parent: State | undefined;
  readonly choice: string;
  readonly depth: number;
  /** States that one choice leads to, with repetitions. */
  readonly next: State[];
}

/** Explores a scenario to its end, its bounds or the first violation. */
export function explore(options: ExploreOptions): Exploration {
  const root: State = { parent: undefined, choice: '', depth: 0, next: [] };
  const known = new Map<number, State>([[hashOf(begin(options).digest()), root]]);
  const queue: State[] = [root];
  let transitions = 0;
  let rests = 0;
  let isComplete = true;
  let found: Exploration['violation'];

  /** Performs one more choice in a run that is in a state. */
  function visit(from: State, run: Run, choice: string): void {
    transitions += 1;
    const text = run.perform(choice);
    if (text !== undefined) {
      found = { text, schedule: [...scheduleOf(from), choice] };
      return;
    }
    const hash = hashOf(run.digest());
    let state = known.get(hash);
    if (state === undefined) {
      state = { parent: from, choice, depth: from.depth + 1, next: [] };
      known.set(hash, state);
      if (state.depth < options.depth) queue.push(state);
      if (known.size % options.restEvery === 0) {
        rests += 1;
        const unsaid = run.rest();
        if (unsaid !== undefined)
          found = { text: unsaid, schedule: [...scheduleOf(state), '(all comes to rest)'] };
      }
    }
    from.next.push(state);
  }

  for (let at = 0; at < queue.length && found === undefined; at++) {
    const state = queue[at] as State;
    if (known.size >= options.statesMax) {
      isComplete = false;
      break;
    }
    let run: Run | undefined = repeat(options, state);
    for (const choice of run.choices()) {
      if (found !== undefined) break;
      visit(state, run ?? repeat(options, state), choice);
      run = undefined;
    }
  }
  return {
    scenario: options.scenario.name,
    depth: options.depth,
    states: known.size,
    transitions,
    schedules: countSchedules(root, options.depth),
    rests,
    isComplete,
    ...(found !== undefined && { violation: found }),
  };
}

function scheduleOf(state: State): readonly string[] {
  const choices: string[] = [];
  for (let at: State | undefined = state; at?.parent !== undefined; at = at.parent)
    choices.push(at.choice);
  return choices.reverse();
}

/** Ways of that length or to an end before it. */
function countSchedules(root: State, depth: number): number {
  let layer = new Map<State, number>([[root, 1]]);
  let ended = 0;
  for (let step = 0; step < depth; step++) {
    const below = new Map<State, number>();
    for (const [state, ways] of layer) {
      if (state.next.length === 0) ended += ways;
      for (const next of state.next) below.set(next, (below.get(next) ?? 0) + ways);
    }
    layer = below;
  }
  return ended + [...layer.values()].reduce((sum, ways) => sum + ways, 0);
}

/** One world on its way through a schedule. */
interface Run {
  choices(): readonly string[];
  perform(choice: string): Verdict;
  /** Goes on without faults until all is quiet. */
  rest(): Verdict;
  digest(): string;
}

function repeat(options: ExploreOptions, state: State): Run {
  const run = begin(options);
  for (const choice of scheduleOf(state)) run.perform(choice);
  return run;
}

function begin({ scenario, ...cores }: ExploreOptions): Run {
  const world = createExploringWorld();
  const cluster = createCluster(
    world,
    {
      agents: 1,
      operators: 0,
      frameworks: [
        {
          name: 'framework',
          role: 'web',
          changesRoles: false,
          groups: false,
          operates: scenario.operates ?? 'never',
          tasksMax: 1,
          launchesMax: scenario.launchesMax,
        },
      ],
      pingIntervalMs: PING_INTERVAL_MS,
    },
    cores,
  );
  const check = createChecker(world, cluster);
  world.settle();
  const isReached = scenario.from ?? ((): boolean => true);
  for (let steps = 0; steps < FROM_STEPS_MAX && !isReached(cluster); steps++) world.step();
  let faultsLeft = scenario.faultsMax;
  let impatienceLeft = scenario.impatienceMax;
  return {
    choices() {
      const arrivals = world.arrivals();
      const mayWait = world.hasTimers() && (arrivals.length === 0 || impatienceLeft > 0);
      const faults = faultsLeft > 0 ? scenario.faults : [];
      return [
        ...arrivals,
        ...(mayWait ? [TIME_PASSES] : []),
        ...faults.filter((fault) => isPossible(cluster, fault)),
      ];
    },
    perform(choice) {
      const fault = scenario.faults.find((known) => known === choice);
      if (fault !== undefined) {
        faultsLeft -= 1;
        strike(world, cluster, fault);
        world.settle();
      } else {
        if (choice === TIME_PASSES && world.arrivals().length > 0) impatienceLeft -= 1;
        world.choose(choice);
      }
      return check();
    },
    rest() {
      for (const framework of cluster.frameworks) framework.quiesce();
      const until = world.now() + REST_MS;
      for (let steps = 0; steps < REST_STEPS_MAX && world.now() < until; steps++) {
        world.step();
        const violation = check();
        if (violation !== undefined) return violation;
      }
      return checkQuiet(
        cluster.agents,
        cluster.frameworks,
        cluster.console.everTakenDown.size > 0,
        cluster.master.core()?.state,
      );
    },
    digest: () =>
      withoutNames(
        [
          `${faultsLeft} ${impatienceLeft}`,
          canonicalText(cluster.master.digest()),
          ...[...cluster.agents, ...cluster.frameworks].map((part) => canonicalText(part.digest())),
          world.digest(),
        ].join('\n'),
      ),
  };
}

function isPossible({ master, agents, frameworks }: Cluster, fault: Fault): boolean {
  switch (fault) {
    case 'the master dies':
    case 'the master dies, its write made it':
    case 'the master freezes':
      return master.core() !== undefined;
    case 'the agent dies':
    case 'the agent dies, its write made it':
    case 'the host restarts':
      return agents[0]?.core() !== undefined;
    case 'the connection of the agent breaks':
      return agents[0]?.link()?.open === true;
    case 'the agent is declared gone':
      return agents[0]?.core()?.snapshot().agentId !== undefined;
    default:
      return frameworks[0]?.link()?.open === true;
  }
}

function strike(world: ExploringWorld, cluster: Cluster, fault: Fault): void {
  const { master } = cluster;
  const [agent] = cluster.agents;
  const [framework] = cluster.frameworks;
  switch (fault) {
    case 'the master dies':
      return master.crash();
    case 'the master dies, its write made it':
      return world.withLuck(() => master.crash());
    case 'the master freezes':
      return master.freeze();
    case 'the agent dies':
      return agent?.crash();
    case 'the agent dies, its write made it':
      return world.withLuck(() => agent?.crash());
    case 'the host restarts':
      return agent?.reboot();
    case 'the connection of the agent breaks':
      return agent?.link()?.break();
    case 'the stream breaks':
      return framework?.disconnect();
    case 'the framework fails over':
      return framework?.failOver();
    case 'the framework kills':
      return framework?.killOne();
    case 'the agent is declared gone':
      return agent && cluster.console.markGone(agent);
  }
}

/** 53 bits of a text: among a million states the odds of a collision are one in ten thousand. */
function hashOf(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 0x9e3779b1);
    low = Math.imul(low ^ code, 0x5f356495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return 2 ** 32 * (low & 0x1fffff) + (high >>> 0);
}
