/**
 * Random histories of frameworks, agents and operators; after every event the invariants of the master
 * hold: nothing allocated twice or lost, states only move forward, every record has its reason.
 */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAllocator, type Allocator } from '@dcos/allocator';
import { seededRandom } from '@dcos/base';
import { Resources } from '@dcos/resources';
import { createFirstFitAllocator } from '../testing/first-fit-allocator.ts';
import type { TaskState } from '@dcos/wire';
import {
  frameworkInfo,
  reportedTask,
  resources,
  task,
  World,
  type TestAgent,
  type TestFramework,
} from '../testing/world.ts';
import type { MasterSnapshot } from './index.ts';
import { isTerminal } from './task-state.ts';

type Step =
  | { readonly kind: 'subscribe'; readonly framework: number; readonly checkpoint: boolean }
  | { readonly kind: 'disconnect'; readonly framework: number }
  | { readonly kind: 'teardown'; readonly framework: number }
  | { readonly kind: 'suppression'; readonly framework: number; readonly revive: boolean }
  | {
      readonly kind: 'launch';
      readonly framework: number;
      readonly tasks: readonly { readonly id: number; readonly cpus: number }[];
    }
  | { readonly kind: 'decline'; readonly framework: number; readonly seconds: number }
  | { readonly kind: 'kill'; readonly framework: number; readonly task: number }
  | { readonly kind: 'register'; readonly agent: number; readonly keeps: boolean }
  | { readonly kind: 'close'; readonly agent: number }
  | { readonly kind: 'unregister'; readonly agent: number }
  | { readonly kind: 'gone'; readonly agent: number }
  | {
      readonly kind: 'update';
      readonly pick: number;
      readonly state: TaskState;
      readonly latest: TaskState;
    }
  | { readonly kind: 'acknowledge'; readonly framework: number }
  | { readonly kind: 'wait'; readonly milliseconds: number };

const which = fc.integer({ min: 0, max: 2 });
const state = fc.constantFrom<TaskState>(
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_LOST',
  'TASK_DROPPED',
);
const launches = fc.array(
  fc.record({ id: fc.integer({ min: 0, max: 8 }), cpus: fc.constantFrom(0.1, 0.5, 1, 3, 100) }),
  { maxLength: 4 },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('subscribe' as const),
      framework: which,
      checkpoint: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('disconnect' as const), framework: which }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('teardown' as const), framework: which }) },
  fc.record({ kind: fc.constant('suppression' as const), framework: which, revive: fc.boolean() }),
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('launch' as const),
      framework: which,
      tasks: launches,
    }),
  },
  fc.record({
    kind: fc.constant('decline' as const),
    framework: which,
    seconds: fc.constantFrom(0, 5, -1, 1e9),
  }),
  fc.record({
    kind: fc.constant('kill' as const),
    framework: which,
    task: fc.integer({ min: 0, max: 8 }),
  }),
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('register' as const),
      agent: which,
      keeps: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('close' as const), agent: which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('unregister' as const), agent: which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('gone' as const), agent: which }) },
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('update' as const),
      pick: fc.nat(20),
      state,
      latest: state,
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), framework: which }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      milliseconds: fc.constantFrom(0, 1_000, 30_000, 120_000, 4_000_000),
    }),
  },
);

class History {
  readonly world: World;
  readonly frameworks: (TestFramework | undefined)[] = [];
  readonly agents: (TestAgent | undefined)[] = [];
  #uuid = 0;

  constructor(allocator: Allocator) {
    this.world = new World({ allocator });
  }

  perform(given: Step): void {
    switch (given.kind) {
      case 'subscribe':
        return this.#subscribe(given.framework, given.checkpoint);
      case 'launch':
        return this.#launch(given.framework, given.tasks);
      case 'register':
        return this.#register(given.agent, given.keeps);
      case 'update':
        return this.#update(given);
      case 'acknowledge':
        return this.#acknowledge(given.framework);
      case 'wait':
        this.world.advance(given.milliseconds);
        return;
      case 'close':
      case 'unregister':
      case 'gone':
        return this.#agentEnds(given.kind, given.agent);
      default:
        return this.#call(given);
    }
  }

  #subscribe(index: number, checkpoint: boolean): void {
    const known = this.frameworks[index];
    const framework = this.world.subscribe(
      frameworkInfo({
        checkpoint,
        roles: [`role${index}`],
        failover_timeout: 600,
        ...(known !== undefined && { id: { value: known.id } }),
      }),
    );
    // Without an id the subscription was refused: this framework has been removed.
    this.frameworks[index] = framework.id === '' ? undefined : framework;
  }

  #launch(index: number, tasks: readonly { readonly id: number; readonly cpus: number }[]): void {
    const framework = this.frameworks[index];
    const [offer] = framework === undefined ? [] : this.world.offersOf(framework);
    const agent = this.world.master.snapshot().offers.find(({ id }) => id === offer)?.agentId;
    if (framework === undefined || offer === undefined || agent === undefined) return;
    const infos = tasks.map(({ id, cpus }) =>
      task(`t${id}`, { id: agent, connection: 0 }, { resources: resources({ cpus, mem: 10 }) }),
    );
    this.world.launch(framework, infos, [offer]);
  }

  #register(index: number, keeps: boolean): void {
    const known = this.agents[index];
    const running =
      known === undefined || !keeps
        ? []
        : this.world.master.snapshot().frameworks.flatMap(({ id, tasks, unreachableTasks }) =>
            [...tasks, ...unreachableTasks]
              .filter(({ agentId }) => agentId === known.id)
              .map((record) =>
                reportedTask(record.taskId, { id, streamId: '' }, known, {
                  resources: record.resources,
                  state: isTerminal(record.state) ? record.state : 'TASK_RUNNING',
                }),
              ),
          );
    const frameworks = this.frameworks.flatMap((framework, at) =>
      framework === undefined
        ? []
        : [frameworkInfo({ id: { value: framework.id }, roles: [`role${at}`] })],
    );
    const agent = this.world.register({
      agent_info: {
        hostname: 'host',
        port: 6000 + index,
        resources: resources({ cpus: 4, mem: 1000 }),
        ...(known !== undefined && { id: { value: known.id } }),
      },
      frameworks,
      tasks: running,
    });
    this.agents[index] = agent.id === '' ? undefined : agent;
  }

  #update({ pick, state: reported, latest }: Extract<Step, { kind: 'update' }>): void {
    const tasks = this.world.master.snapshot().frameworks.flatMap((framework) => framework.tasks);
    const chosen = tasks[pick % Math.max(1, tasks.length)];
    const agent = this.agents.find((known) => known?.id === chosen?.agentId);
    if (agent === undefined || chosen === undefined) return;
    this.#uuid = (this.#uuid + 1) % 256;
    const framework = { id: chosen.frameworkId, streamId: '' };
    this.world.update(agent, framework, chosen.taskId, reported, this.#uuid, latest);
  }

  #acknowledge(index: number): void {
    const framework = this.frameworks[index];
    if (framework === undefined) return;
    const known = [...this.world.master.state.frameworks.values()].find(
      ({ id }) => id === framework.id,
    );
    for (const {
      task: { status_update_uuid: uuid },
      agentId,
      taskId,
    } of known?.tasks.values() ?? []) {
      if (uuid === undefined) continue;
      this.world.call(framework, {
        type: 'ACKNOWLEDGE',
        acknowledge: { agent_id: { value: agentId }, task_id: { value: taskId }, uuid },
      });
    }
  }

  #agentEnds(how: 'close' | 'unregister' | 'gone', index: number): void {
    const agent = this.agents[index];
    if (agent === undefined) return;
    if (how === 'close') this.world.handle({ kind: 'agentClosed', connection: agent.connection });
    else if (how === 'unregister')
      this.world.frame(agent.connection, { type: 'UNREGISTER', unregister: {} });
    else
      this.world.operator({
        type: 'MARK_AGENT_GONE',
        mark_agent_gone: { agent_id: { value: agent.id } },
      });
  }

  #call(
    given: Extract<Step, { kind: 'disconnect' | 'teardown' | 'suppression' | 'decline' | 'kill' }>,
  ): void {
    const framework = this.frameworks[given.framework];
    if (framework === undefined) return;
    if (given.kind === 'disconnect')
      this.world.handle({ kind: 'streamClosed', streamId: framework.streamId });
    else if (given.kind === 'teardown') this.world.call(framework, { type: 'TEARDOWN' });
    else if (given.kind === 'suppression')
      this.world.call(framework, { type: given.revive ? 'REVIVE' : 'SUPPRESS' });
    else if (given.kind === 'kill')
      this.world.call(framework, { type: 'KILL', kill: { task_id: { value: `t${given.task}` } } });
    else {
      const offer_ids = this.world.offersOf(framework).map((value) => ({ value }));
      this.world.call(framework, {
        type: 'DECLINE',
        decline: { offer_ids, filters: { refuse_seconds: given.seconds } },
      });
    }
  }
}

/** Offered and used make up what the allocator counts, and fit into what there is. */
function checkBooks(snapshot: MasterSnapshot): void {
  for (const agent of snapshot.agents) {
    const used = Resources.fromWire(agent.used);
    const offered = Resources.fromWire(agent.offered);
    const books = snapshot.allocator.agents.find(({ id }) => id === agent.id);
    const total = Resources.fromWire(agent.total);
    expect(total.contains(used.add(offered).unallocate())).toBe(true);
    expect(books?.allocated.equals(used.add(offered).unallocate())).toBe(true);
    expect(books?.free.add(books.allocated).equals(total)).toBe(true);
    const held = snapshot.frameworks
      .flatMap(({ tasks }) => tasks)
      .filter(({ agentId, holdsResources }) => agentId === agent.id && holdsResources)
      .reduce((sum, { resources: wire }) => sum.add(Resources.fromWire(wire)), Resources.empty);
    expect(held.equals(used)).toBe(true);
  }
  const agents = new Set<string>(snapshot.agents.map(({ id }) => id));
  const elsewhere = [
    ...snapshot.recoveredAgents,
    ...snapshot.unreachableAgents,
    ...snapshot.goneAgents,
  ];
  expect(elsewhere.filter((id) => agents.has(id))).toEqual([]);
  for (const { agentId } of snapshot.frameworks.flatMap(({ tasks }) => tasks))
    expect(agents.has(agentId)).toBe(true);
}

/** What a framework is shown to have is the sum of its tasks and offers. */
function checkFrameworks({ master }: World): void {
  for (const framework of master.state.frameworks.values()) {
    const sum = (parts: readonly Resources[]): Resources =>
      parts.reduce((total, part) => total.add(part), Resources.empty);
    const held = [...framework.tasks.values()].filter(({ released }) => !released);
    expect(framework.used.total().equals(sum(held.map((record) => record.resources)))).toBe(true);
    const offers = [...framework.offers.values()];
    expect(framework.offered.total().equals(sum(offers.map((offer) => offer.resources)))).toBe(
      true,
    );
  }
}

/** A task that has ended stays ended, in the same state, until its id is launched again. */
function checkForward(before: MasterSnapshot, after: MasterSnapshot): void {
  for (const framework of after.frameworks) {
    const earlier = before.frameworks.find(({ id }) => id === framework.id);
    for (const { taskId, state: now } of framework.tasks) {
      const then = earlier?.tasks.find((known) => known.taskId === taskId);
      if (then !== undefined && isTerminal(then.state)) expect(now).toBe(then.state);
      if (then !== undefined)
        expect(now === 'TASK_STAGING' && then.state !== 'TASK_STAGING').toBe(false);
    }
  }
}

/** The registry holds what the master knows, so that a successor can go on from it. */
function checkRegistry(world: World, snapshot: MasterSnapshot): void {
  const keys = (kind: string): readonly string[] =>
    [...world.registry.keys()]
      .filter((key) => key.startsWith(`master/${kind}/`))
      .map((key) => key.split('/')[2] ?? '')
      .sort();
  expect(keys('agents')).toEqual(
    [...snapshot.agents.map(({ id }) => id), ...snapshot.recoveredAgents].sort(),
  );
  expect(keys('unreachable')).toEqual([...snapshot.unreachableAgents].sort());
  expect(keys('gone')).toEqual([...snapshot.goneAgents].sort());
  expect(keys('frameworks')).toEqual(
    [...snapshot.frameworks.map(({ id }) => id), ...snapshot.completedFrameworks].sort(),
  );
}

const ALLOCATORS: readonly { readonly name: string; readonly make: () => Allocator }[] = [
  { name: 'first fit', make: createFirstFitAllocator },
  {
    name: 'hierarchical',
    make: () => createAllocator({ random: seededRandom(3), allocationIntervalMs: 1_000 }),
  },
];

test.each(ALLOCATORS)(
  'the invariants hold after every event of any history ($name)',
  ({ make }) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 30, maxLength: 80 }), (steps) => {
        const history = new History(make());
        let before = history.world.master.snapshot();
        for (const given of steps) {
          history.perform(given);
          history.world.settle();
          const after = history.world.master.snapshot();
          checkBooks(after);
          checkFrameworks(history.world);
          checkForward(before, after);
          checkRegistry(history.world, after);
          before = after;
        }
      }),
      { numRuns: 300 },
    );
  },
);

test('a successor takes up any history where the registry has it', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const history = new History(createFirstFitAllocator());
      for (const given of steps) history.perform(given);
      const before = history.world.master.snapshot();
      const after = new World({ id: 'n', registry: history.world.registry }).master.snapshot();
      const agents = [...before.agents.map(({ id }) => id), ...before.recoveredAgents];
      expect([...after.recoveredAgents].sort()).toEqual(agents.sort());
      expect(after.frameworks.map(({ id }) => id).sort()).toEqual(
        before.frameworks.map(({ id }) => id).sort(),
      );
      expect([...after.completedFrameworks].sort()).toEqual([...before.completedFrameworks].sort());
    }),
    { numRuns: 100 },
  );
});
