import { describe, expect, test } from 'vitest';
import type { Offer } from '@dcos/wire';
import { queueView } from './cluster-views.ts';
import type { SchedulingSettings } from './settings.ts';
import { SchedulerWorld, type TestAgent } from './testing/scheduler-world.ts';

interface QueueRow {
  readonly explanation: {
    readonly summary: string;
    readonly reasons: readonly { readonly reason: string; readonly what: string }[];
  };
  readonly processedOffersSummary: {
    readonly processedOffersCount: number;
    readonly unusedOffersCount: number;
    readonly rejectSummaryLastOffers: readonly {
      readonly reason: string;
      readonly declined: number;
      readonly processed: number;
    }[];
  };
}

function row(world: SchedulerWorld): QueueRow {
  const [first] = queueView(world.state, { lastUnusedOffers: false, now: world.now });
  return first as unknown as QueueRow;
}

function refusal(
  app: object,
  agent: Partial<TestAgent>,
  settings: Partial<SchedulingSettings> = {},
  change: (offer: Offer) => Offer = (offer) => offer,
): string {
  const world = new SchedulerWorld(settings);
  world.subscribe();
  const reply = world.create({ id: '/a', cmd: 'sleep 1', cpus: 1, mem: 128, ...app });
  expect(reply.statusCode, JSON.stringify(reply.body)).toBe(201);
  world.send({
    kind: 'offers',
    offers: [change(world.makeOffer({ id: 'S0', hostname: 'h', ...agent }))],
  });
  if (world.tasks.size > 0) return 'launched';
  const [reason] = row(world).explanation.reasons;
  return `${reason?.reason}: ${reason?.what}`;
}

describe('why an offer is refused', () => {
  const maintenance = (offer: Offer): Offer => ({
    ...offer,
    unavailability: { start: { nanoseconds: 0 } },
  });
  const gpus = (offer: Offer): Offer => ({
    ...offer,
    resources: [...(offer.resources ?? []), { name: 'gpus', type: 'SCALAR', scalar: { value: 1 } }],
  });
  const region = (offer: Offer): Offer => ({
    ...offer,
    domain: { fault_domain: { region: { name: 'far' }, zone: { name: 'z' } } },
  });

  test('roles', () => {
    expect(
      refusal(
        {},
        { role: 'slave_public' },
        {
          mesosRole: 'slave_public',
          acceptedResourceRolesDefault: 'unreserved',
          model: modelWith('slave_public'),
        },
      ),
    ).toBe('UnfulfilledRole: role *');
    expect(
      refusal(
        { acceptedResourceRoles: ['slave_public'] },
        { role: 'slave_public' },
        { mesosRole: 'slave_public', model: modelWith('slave_public') },
      ),
    ).toBe('launched');
    expect(
      refusal(
        { acceptedResourceRoles: ['slave_public'] },
        {},
        { mesosRole: 'slave_public', model: modelWith('slave_public') },
      ),
    ).toBe('UnfulfilledRole: role slave_public');
  });

  test('resources, with what was wanted and offered', () => {
    expect(refusal({ cpus: 9 }, {})).toBe('InsufficientCpus: cpus: wanted 9, at most 8 offered');
    expect(refusal({ mem: 9000 }, {})).toBe(
      'InsufficientMemory: mem: wanted 9000, at most 8192 offered',
    );
    expect(refusal({ disk: 20_000 }, {})).toBe(
      'InsufficientDisk: disk: wanted 20000, at most 10000 offered',
    );
    expect(
      refusal({ portDefinitions: [{ port: 0 }, { port: 0 }] }, { ports: [31_000, 31_000] }),
    ).toBe('InsufficientPorts: ports: wanted 2, at most 1 offered');
    expect(refusal({ requirePorts: true, portDefinitions: [{ port: 80 }] }, {})).toBe(
      'InsufficientPorts: port 80',
    );
  });

  test('constraints, maintenance, scarce resources and foreign regions', () => {
    expect(refusal({ constraints: [['rack', 'LIKE', 'r1']] }, {})).toBe(
      'UnfulfilledConstraint: rack LIKE r1',
    );
    expect(refusal({}, {}, {}, maintenance)).toBe('AgentMaintenance: maintenance of the agent');
    expect(refusal({}, {}, {}, gpus)).toMatch(/^DeclinedScarceResources/);
    expect(refusal({}, {}, {}, region)).toBe('UnfulfilledConstraint: @region far');
    expect(refusal({ constraints: [['@region', 'IS', 'far']] }, {}, {}, region)).toBe('launched');
  });
});

function modelWith(mesosRole: string): SchedulingSettings['model'] {
  return {
    mesosRole,
    localPortMin: 10_000,
    localPortMax: 20_000,
    features: new Set(),
    mesosBridgeName: 'mesos-bridge',
    newGroupEnforceRole: false,
  };
}

describe('the queue', () => {
  test('counts offers, keeps the last of each agent, and orders the funnel', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create({ id: '/a', cmd: 'sleep 1', cpus: 9, constraints: [['hostname', 'UNLIKE', 'b']] });
    for (let round = 0; round < 3; round++)
      world.offer({ id: 'S0', hostname: 'a' }, { id: 'S1', hostname: 'b' });
    const { processedOffersSummary: summary, explanation } = row(world);
    expect(summary).toMatchObject({ processedOffersCount: 6, unusedOffersCount: 6 });
    const funnel = summary.rejectSummaryLastOffers.filter(({ declined }) => declined > 0);
    expect(funnel).toEqual([
      { reason: 'UnfulfilledConstraint', declined: 1, processed: 2 },
      { reason: 'InsufficientCpus', declined: 1, processed: 1 },
    ]);
    // The offer that came further is the nearer miss.
    expect(explanation.reasons.map(({ what }) => what)).toEqual([
      'cpus: wanted 9, at most 8 offered',
      'hostname UNLIKE b',
    ]);
    expect(explanation.summary).toContain('2 agents');
  });

  test('declines what does not fit for a short time only while something waits', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create({ id: '/a', cmd: 'sleep 1', cpus: 9 });
    const decline = world.offer({ id: 'S0', hostname: 'a' }).find(({ kind }) => kind === 'decline');
    expect(decline).toMatchObject({ refuseSeconds: 5 });
  });

  test('says when a delay or a missing master is the reason', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create({ id: '/a', cmd: 'sleep 1', backoffSeconds: 10 });
    world.offer({ id: 'S0', hostname: 'a' });
    world.status(world.instances()[0]?.task?.id ?? '', 'TASK_FAILED');
    expect(row(world).explanation.summary).toBe(
      '1 instance waits for 10 s after failures (backoff)',
    );
    world.send({ kind: 'disconnected' });
    expect(row(world).explanation.summary).toBe(
      '1 instance waits: there is no connection to a master',
    );
  });
});

describe('asking for offers', () => {
  test('happens at once, then at most once in an interval', () => {
    const world = new SchedulerWorld({ reviveIntervalMsMin: 100 });
    world.subscribe();
    const revives = (): number => world.effects.filter(({ kind }) => kind === 'revive').length;
    world.create({ id: '/a', cmd: 'sleep 1' });
    expect(revives()).toBe(1);
    world.create({ id: '/b', cmd: 'sleep 1' });
    world.create({ id: '/c', cmd: 'sleep 1' });
    expect(revives()).toBe(1);
    world.advance(100);
    expect(revives()).toBe(2);
    world.advance(10_000);
    expect(revives()).toBe(2);
  });

  test('ends with suppression once nothing waits', () => {
    const world = new SchedulerWorld();
    world.subscribe();
    world.create({ id: '/a', cmd: 'sleep 1' });
    world.effects.length = 0;
    world.offer({ id: 'S0', hostname: 'a' });
    expect(world.effects).toContainEqual({ kind: 'suppress', roles: ['*'] });
  });
});
