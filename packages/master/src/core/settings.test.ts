/** Settings of the operator that frameworks and agents meet. */

import { expect, test } from 'vitest';
import { createAllocator } from '@dcos/allocator';
import { seededRandom } from '@dcos/base';
import type { DomainInfo, scheduler } from '@dcos/wire';
import type { MasterOptions } from './options.ts';
import { eventsOf, framesOf, frameworkInfo, resources, task, World } from '../testing/world.ts';

const domainOf = (region: string): DomainInfo => ({
  fault_domain: { region: { name: region }, zone: { name: 'z' } },
});
const info = (domain?: DomainInfo) => ({
  hostname: 'host',
  port: 5051,
  resources: resources({ cpus: 1, mem: 128 }),
  ...(domain !== undefined && { domain }),
});
const masterInfo = { id: 'm', ip: 16_777_343, port: 5050, hostname: 'localhost' };

test.each<[string, Partial<MasterOptions>, DomainInfo | undefined, string | undefined]>([
  ['nobody has a domain', {}, undefined, undefined],
  [
    'only the agent has',
    {},
    domainOf('r'),
    'The agent has a fault domain, but the master has none',
  ],
  [
    'only the master has',
    { masterInfo: { ...masterInfo, domain: domainOf('r') } },
    undefined,
    undefined,
  ],
  ['both have', { masterInfo: { ...masterInfo, domain: domainOf('r') } }, domainOf('s'), undefined],
  [
    'the master demands one',
    { masterInfo: { ...masterInfo, domain: domainOf('r') }, requireAgentDomain: true },
    undefined,
    'The agent has no fault domain, but the master demands one of every agent',
  ],
])('%s: an agent may register, or come back later', (_name, options, domain, refusal) => {
  const world = new World(options);
  const agent = world.register({ agent_info: info(domain) });
  const rejected = framesOf(world.effects, agent.connection).find(({ rejected: no }) => no);
  expect(rejected?.rejected).toEqual(
    refusal === undefined ? undefined : { message: refusal, shutdown: false },
  );
  expect(world.master.state.agents.size).toBe(refusal === undefined ? 1 : 0);
});

test('agents of another region are for frameworks that ask for it', () => {
  const world = new World({
    masterInfo: { ...masterInfo, domain: domainOf('home') },
    allocator: createAllocator({
      random: seededRandom(1),
      allocationIntervalMs: 1000,
      region: 'home',
    }),
  });
  const plain = world.subscribe();
  world.register({ agent_info: info(domainOf('away')) });
  world.settle();
  expect(world.offersOf(plain)).toHaveLength(0);
  const { capabilities = [] } = frameworkInfo();
  const aware = world.subscribe(
    frameworkInfo({ capabilities: [...capabilities, { type: 'REGION_AWARE' }] }),
  );
  world.settle();
  expect(world.offersOf(aware)).toHaveLength(1);
  expect(world.offersOf(plain)).toHaveLength(0);
});

function errorOf(world: World, framework: Parameters<typeof frameworkInfo>[0]): string | undefined {
  const { streamId } = world.subscribe(frameworkInfo(framework));
  return eventsOf(world.effects, streamId).find(({ error }) => error)?.error?.message;
}

test.each([
  [['dev'], undefined],
  [['*', 'dev'], undefined],
  [['dev', 'prod'], "Role 'prod' is not present in the master's --roles"],
  [['dev/a'], "Role 'dev/a' is not present in the master's --roles"],
])('with a list of roles, a framework of %j: %s', (roles, message) => {
  expect(errorOf(new World({ roles: new Set(['dev']) }), { roles })).toBe(message);
});

test('a list of roles holds for weights, quota and updates of frameworks too', () => {
  const world = new World({ roles: new Set(['dev']) });
  const weights = world.operator({
    type: 'UPDATE_WEIGHTS',
    update_weights: { weight_infos: [{ role: 'prod', weight: 2 }] },
  });
  expect(weights).toMatchObject({ status: 400, text: expect.stringContaining("'prod'") as string });
  const quota = world.operator({
    type: 'UPDATE_QUOTA',
    update_quota: { quota_configs: [{ role: 'prod', limits: { cpus: { value: 1 } } }] },
  });
  expect(quota).toMatchObject({ status: 400, text: expect.stringContaining("'prod'") as string });
  const framework = world.subscribe(frameworkInfo({ roles: ['dev'] }));
  const update = world.call(framework, {
    type: 'UPDATE_FRAMEWORK',
    update_framework: {
      framework_info: frameworkInfo({ roles: ['prod'], id: { value: framework.id } }),
    },
  });
  expect(update.status).toBe(400);
  expect(world.registry.size).toBe(1);
});

test.each([
  [true, 'root', undefined],
  [false, 'nobody', undefined],
  [false, 'root', "User 'root' is not allowed to run frameworks without --root_submissions set"],
])('rootSubmissions %s, user %s: %s', (rootSubmissions, user, message) => {
  expect(errorOf(new World({ rootSubmissions }), { user })).toBe(message);
});

test('initial weights are for a registry without any, and are kept in it', () => {
  const initialWeights = new Map([['dev', 3]]);
  const first = new World({ initialWeights });
  expect(first.master.state.weights).toEqual(initialWeights);
  const second = new World({
    id: 'n',
    registry: first.registry,
    initialWeights: new Map([['ops', 9]]),
  });
  expect(second.master.state.weights).toEqual(initialWeights);
});

test('agents that are not on the whitelist are not offered, until they are', () => {
  const world = new World();
  world.handle({ kind: 'whitelist', hostnames: new Set(['other']) });
  const framework = world.subscribe();
  world.register();
  world.settle();
  expect(world.offersOf(framework)).toHaveLength(0);
  world.handle({ kind: 'whitelist', hostnames: new Set(['host']) });
  world.settle();
  expect(world.offersOf(framework)).toHaveLength(1);
  world.handle({ kind: 'whitelist', hostnames: undefined });
  world.register();
  world.settle();
  expect(world.offersOf(framework)).toHaveLength(2);
});

test.each([
  [{ constraintRegexLengthMax: 3 }, 'too long'],
  [{ constraintRegexProgramMax: 2 }, 'too complex'],
  [{}, undefined],
])('an expression of offer constraints within %j: %s', (bounds, problem) => {
  const world = new World(bounds);
  const constraints: scheduler.OfferConstraints = {
    role_constraints: {
      '*': {
        groups: [
          {
            attribute_constraints: [
              {
                selector: { attribute_name: 'rack' },
                predicate: { text_matches: { regex: 'r[0-9]' } },
              },
            ],
          },
        ],
      },
    },
  };
  const effects = world.handle({
    kind: 'schedulerCall',
    request: 1,
    acceptable: true,
    call: {
      type: 'SUBSCRIBE',
      subscribe: { framework_info: frameworkInfo(), offer_constraints: constraints },
    },
  });
  const error = effects.flatMap((effect) =>
    effect.kind === 'sendToFramework' && effect.event.error ? [effect.event.error.message] : [],
  )[0];
  if (problem === undefined) expect(error).toBeUndefined();
  else expect(error).toContain(problem);
});

test('nothing that has ended need be kept', () => {
  const world = new World({
    completedFrameworksMax: 0,
    completedTasksPerFrameworkMax: 0,
    unreachableTasksPerFrameworkMax: 0,
  });
  const { framework, agent } = world.running();
  world.update(agent, framework, 't', 'TASK_FINISHED', 2);
  world.acknowledge(agent, framework, 't', 2);
  world.advance(1_000);
  world.launch(framework, [task('u', agent)]);
  world.advance(100_000);
  expect(world.master.state.agents.size).toBe(0);
  const state = world.master.state.frameworks.get(framework.id as never);
  expect([state?.completedTasks.size, state?.unreachableTasks.size]).toEqual([0, 0]);
  world.call(framework, { type: 'TEARDOWN' });
  expect(world.master.state.completedFrameworks.size).toBe(0);
  expect([...world.registry.keys()].filter((key) => key.includes('frameworks'))).toEqual([]);
});
