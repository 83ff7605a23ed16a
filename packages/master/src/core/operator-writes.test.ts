/**
 * Quota, maintenance and draining in the core: what frameworks and agents are told, what is durable, and
 * what a successor makes of it.
 */

import { createAllocator } from '@dcos/allocator';
import { seededRandom } from '@dcos/base';
import { describe, expect, test } from 'vitest';
import type { masterApi } from '@dcos/wire';
import type { Effect } from '../core/index.ts';
import {
  AGENT_CAPABILITIES,
  eventsOf,
  framesOf,
  frameworkInfo,
  resources,
  task,
  World,
  type TestAgent,
  type TestFramework,
} from '../testing/world.ts';

const INTERVAL_MS = 1000;
const DRAINABLE = [...AGENT_CAPABILITIES, { type: 'AGENT_DRAINING' }] as const;

function realWorld(registry?: World['registry'], id = 'm'): World {
  return new World({
    id,
    ...(registry !== undefined && { registry }),
    allocator: createAllocator({ random: seededRandom(1), allocationIntervalMs: INTERVAL_MS }),
  });
}

function register(
  world: World,
  more: { readonly id?: string; readonly hostname?: string } = {},
): TestAgent {
  const { id, hostname = 'host' } = more;
  return world.register({
    ...(id !== undefined && { id }),
    capabilities: DRAINABLE,
    agent_info: {
      hostname,
      port: 5051,
      resources: resources({ cpus: 4, mem: 4096 }),
      ...(id !== undefined && { id: { value: id } }),
    },
  });
}

function typesFor(effects: readonly Effect[], framework: TestFramework): readonly string[] {
  return eventsOf(effects, framework.streamId).map(({ type }) => type ?? '');
}

function setQuota(world: World, config: object, force = false): ReturnType<World['operator']> {
  return world.operator({
    type: 'UPDATE_QUOTA',
    update_quota: { force, quota_configs: [config as never] },
  });
}

describe('quota', () => {
  test('is durable before the allocator has it, and offers beyond it are taken back', () => {
    const world = realWorld();
    const framework = world.subscribe(frameworkInfo({ roles: ['dev'] }));
    register(world);
    world.settle();
    expect(world.offersOf(framework)).toHaveLength(1);
    const { status, effects } = setQuota(world, { role: 'dev', limits: { cpus: { value: 1 } } });
    expect(status).toBe(200);
    expect(effects[0]?.kind).toBe('persist');
    expect(typesFor(effects, framework)).toEqual(['RESCIND']);
    const later = eventsOf(world.advance(INTERVAL_MS), framework.streamId);
    const [offer] = later.flatMap(({ offers }) => offers?.offers ?? []);
    expect(offer?.resources?.find(({ name }) => name === 'cpus')?.scalar?.value).toBe(1);
  });

  test('guarantees take offers of others back', () => {
    const world = realWorld();
    const other = world.subscribe(frameworkInfo({ roles: ['other'] }));
    register(world);
    world.settle();
    const guarantees = { cpus: { value: 4 }, mem: { value: 4096 } };
    const { effects } = setQuota(world, { role: 'dev', guarantees });
    expect(typesFor(effects, other)).toEqual(['RESCIND']);
    expect(typesFor(world.advance(2 * INTERVAL_MS), other)).not.toContain('OFFERS');
  });

  test.each<[string, object, RegExp]>([
    ['a nested role', { role: 'a/b' }, /nested role/],
    ['the role of nobody', { role: '*' }, /default '\*' role/],
    ['a bad role', { role: '-x' }, /invalid role/],
    ['a negative limit', { role: 'a', limits: { cpus: { value: -1 } } }, /not negative/],
    [
      'a guarantee above its limit',
      { role: 'a', guarantees: { cpus: { value: 2 } }, limits: { cpus: { value: 1 } } },
      /not contained within/,
    ],
    [
      'more than there is',
      { role: 'a', guarantees: { cpus: { value: 99 } } },
      /exceed cluster capacity/,
    ],
  ])('refuses %s', (_what, config, text) => {
    const world = realWorld();
    register(world);
    const refused = setQuota(world, config);
    expect(refused.status).toBe(400);
    expect(refused.text).toMatch(text);
    expect(refused.effects.map(({ kind }) => kind)).toEqual(['reply']);
    expect(world.master.state.quotas.size).toBe(0);
  });

  test('may not go below what is consumed, unless it is forced', () => {
    const world = realWorld();
    const framework = world.subscribe(frameworkInfo({ roles: ['dev'] }));
    const agent = register(world);
    world.settle();
    world.launch(framework, [task('t', agent, { resources: resources({ cpus: 3, mem: 32 }) })]);
    const config = { role: 'dev', limits: { cpus: { value: 2 } } };
    expect(setQuota(world, config).text).toMatch(/exceeds its new limits/);
    expect(setQuota(world, config, true).status).toBe(200);
  });

  test('holds offers back after a failover until enough agents are back', () => {
    const first = realWorld();
    const ids = ['a', 'b', 'c'].map((hostname) => register(first, { hostname }).id);
    setQuota(first, { role: 'dev', guarantees: { cpus: { value: 1 } } });
    const next = realWorld(first.registry, 'm2');
    expect(next.master.state.quotas.get('dev')).toBeDefined();
    const framework = next.subscribe(frameworkInfo({ roles: ['dev'] }));
    for (const [index, id] of ids.entries()) {
      expect(typesFor(next.settle(), framework)).not.toContain('OFFERS');
      register(next, { id, hostname: ['a', 'b', 'c'][index] ?? '' });
    }
    expect(typesFor(next.settle(), framework)).toContain('OFFERS');
  });
});

const MACHINE = { hostname: 'host', ip: '127.0.0.1' };
const AWAY = { start: { nanoseconds: 1e18 } };

function schedule(
  world: World,
  machines: readonly object[] = [MACHINE],
): ReturnType<World['operator']> {
  return world.operator({
    type: 'UPDATE_MAINTENANCE_SCHEDULE',
    update_maintenance_schedule: {
      schedule:
        machines.length === 0 ? {} : { windows: [{ machine_ids: machines, unavailability: AWAY }] },
    },
  });
}

describe('maintenance', () => {
  test('offers say when the agent will be away, and who uses it is asked', () => {
    const world = realWorld();
    const framework = world.subscribe();
    register(world);
    world.settle();
    expect(typesFor(schedule(world).effects, framework)).toEqual(['RESCIND']);
    const events = eventsOf(world.settle(), framework.streamId);
    const [offer] = events.flatMap(({ offers }) => offers?.offers ?? []);
    expect(offer?.unavailability).toEqual(AWAY);
    const [inverse] = events.flatMap((event) => event.inverse_offers?.inverse_offers ?? []);
    expect(inverse).toMatchObject({ unavailability: AWAY, framework_id: { value: framework.id } });
    world.call(framework, {
      type: 'DECLINE_INVERSE_OFFERS',
      decline_inverse_offers: { inverse_offer_ids: [inverse?.id ?? { value: '' }] },
    });
    const silent = world.advance(4 * INTERVAL_MS);
    expect(typesFor(silent, framework)).not.toContain('INVERSE_OFFERS');
    expect(typesFor(world.advance(3 * INTERVAL_MS), framework)).toContain('INVERSE_OFFERS');
    expect(typesFor(schedule(world, []).effects, framework)).toContain('RESCIND_INVERSE_OFFER');
  });

  test('a machine that is down loses its agents, and lets none in until it is up', () => {
    const world = realWorld();
    const framework = world.subscribe();
    const agent = register(world);
    world.settle();
    world.launch(framework, [task('t', agent)]);
    schedule(world);
    const down = world.operator({
      type: 'START_MAINTENANCE',
      start_maintenance: { machines: [MACHINE] },
    });
    expect(down.status).toBe(200);
    expect(framesOf(down.effects, agent.connection).map(({ type }) => type)).toEqual(['SHUTDOWN']);
    expect(typesFor(down.effects, framework)).toEqual(
      expect.arrayContaining(['UPDATE', 'FAILURE']),
    );
    const from = world.effects.length;
    register(world, { id: agent.id });
    const refused = world.effects.slice(from).find((effect) => effect.kind === 'sendToAgent');
    expect(refused).toMatchObject({ frame: { type: 'REJECTED', rejected: { shutdown: true } } });

    const next = realWorld(world.registry, 'm2');
    expect(next.master.state.machines.size).toBe(1);
    const up = next.operator({
      type: 'STOP_MAINTENANCE',
      stop_maintenance: { machines: [{ hostname: 'HOST', ip: '127.0.0.1' }] },
    });
    expect([up.status, next.master.state.machines.size]).toEqual([200, 0]);
    register(next, { id: agent.id });
    expect(next.master.state.agents.size).toBe(1);
  });

  test.each<[string, masterApi.Call, RegExp]>([
    [
      'a machine without name and address',
      {
        type: 'UPDATE_MAINTENANCE_SCHEDULE',
        update_maintenance_schedule: {
          schedule: { windows: [{ machine_ids: [{}], unavailability: AWAY }] },
        },
      },
      /'hostname' and 'ip' .* are empty/,
    ],
    [
      'to bring up what is not down',
      { type: 'STOP_MAINTENANCE', stop_maintenance: { machines: [MACHINE] } },
      /not in DOWN mode/,
    ],
    [
      'nothing at all',
      { type: 'START_MAINTENANCE', start_maintenance: {} },
      /List of machines is empty/,
    ],
  ])('refuses %s', (_what, call, text) => {
    const world = realWorld();
    schedule(world);
    const refused = world.operator(call);
    expect([refused.status, refused.text]).toEqual([400, expect.stringMatching(text)]);
  });
});

describe('draining', () => {
  function drain(world: World, agent: TestAgent, more: object = {}): ReturnType<World['operator']> {
    return world.operator({
      type: 'DRAIN_AGENT',
      drain_agent: { agent_id: { value: agent.id }, max_grace_period: { seconds: 5 }, ...more },
    });
  }

  function running(): { world: World; framework: TestFramework; agent: TestAgent } {
    const world = realWorld();
    const framework = world.subscribe();
    const agent = register(world);
    world.settle();
    world.launch(framework, [task('t', agent)]);
    world.update(agent, framework, 't', 'TASK_RUNNING', 1);
    world.acknowledge(agent, framework, 't', 1);
    world.settle();
    return { world, framework, agent };
  }

  const stateOf = (world: World, agent: TestAgent): string | undefined =>
    world.master.state.policies.get(agent.id as never)?.drain?.state;

  test('kills tasks, offers nothing, and ends when the last end was acknowledged', () => {
    const { world, framework, agent } = running();
    const { status, effects } = drain(world, agent);
    expect(status).toBe(200);
    expect(framesOf(effects, agent.connection)).toEqual([
      {
        type: 'DRAIN',
        drain: { config: { max_grace_period: { nanoseconds: 5e9 }, mark_gone: false } },
      },
    ]);
    expect(typesFor(effects, framework)).toContain('RESCIND');
    expect(typesFor(world.advance(5 * INTERVAL_MS), framework)).not.toContain('OFFERS');
    world.update(agent, framework, 't', 'TASK_KILLED', 2);
    expect(stateOf(world, agent)).toBe('DRAINING');
    world.acknowledge(agent, framework, 't', 2);
    expect(stateOf(world, agent)).toBe('DRAINED');
    expect(typesFor(world.advance(5 * INTERVAL_MS), framework)).not.toContain('OFFERS');
    const back = world.operator({
      type: 'REACTIVATE_AGENT',
      reactivate_agent: { agent_id: { value: agent.id } },
    });
    expect(back.status).toBe(200);
    expect(typesFor(world.advance(INTERVAL_MS), framework)).toContain('OFFERS');
  });

  test('marks the agent gone at its end when that was asked for', () => {
    const { world, framework, agent } = running();
    drain(world, agent, { mark_gone: true });
    world.update(agent, framework, 't', 'TASK_KILLED', 2);
    world.acknowledge(agent, framework, 't', 2);
    expect([...world.master.state.goneAgents.keys()]).toEqual([agent.id]);
    expect(world.master.state.policies.size).toBe(0);
    expect([...world.registry.keys()].filter((key) => key.includes('policies'))).toEqual([]);
  });

  test('goes on under another master, and with an agent that was away', () => {
    const { world, agent } = running();
    drain(world, agent);
    const next = realWorld(world.registry, 'm2');
    expect(stateOf(next, agent)).toBe('DRAINING');
    const from = next.effects.length;
    const back = register(next, { id: agent.id });
    const frames = framesOf(next.effects.slice(from), back.connection).map(({ type }) => type);
    expect(frames).toEqual(['REGISTERED', 'DRAIN']);
    expect(stateOf(next, agent)).toBe('DRAINED');
  });

  test('cannot be cut short by reactivation', () => {
    const { world, agent } = running();
    drain(world, agent);
    const { status, text } = world.operator({
      type: 'REACTIVATE_AGENT',
      reactivate_agent: { agent_id: { value: agent.id } },
    });
    expect([status, text]).toEqual([400, 'Agent is still in the DRAINING state']);
  });

  test('an agent that is only deactivated keeps its tasks', () => {
    const { world, framework, agent } = running();
    const { effects } = world.operator({
      type: 'DEACTIVATE_AGENT',
      deactivate_agent: { agent_id: { value: agent.id } },
    });
    expect(framesOf(effects, agent.connection)).toEqual([]);
    expect(typesFor(world.advance(5 * INTERVAL_MS), framework)).not.toContain('OFFERS');
    expect(world.master.state.frameworks.get(framework.id as never)?.tasks.size).toBe(1);
  });

  test('a decision about an agent ends with the agent', () => {
    const { world, agent } = running();
    world.operator({
      type: 'DEACTIVATE_AGENT',
      deactivate_agent: { agent_id: { value: agent.id } },
    });
    expect([...world.registry.keys()]).toContain(`master/policies/${agent.id}`);
    world.frame(agent.connection, { type: 'UNREGISTER', unregister: {} });
    expect([...world.registry.keys()].filter((key) => key.includes(agent.id))).toEqual([]);
    expect(world.master.state.policies.size).toBe(0);
  });
});
