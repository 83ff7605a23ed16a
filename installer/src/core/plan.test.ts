import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unreachable } from '@dcos/base';
import {
  bareFacts,
  convergedFacts,
  statesOf,
  testCluster,
  testRelease,
  wantedOf,
} from '../testing/clusters.ts';
import { fileState, type HostFacts } from './host-facts.ts';
import { planBack, planCluster, restartsMaster, type Step, hostsThatGoBack } from './plan.ts';
import { stepText } from './plan-text.ts';
import { unitPath, type WantedHost } from './wanted-host.ts';

const lines = (steps: readonly Step[]): readonly string[] =>
  steps.map((step) => `${step.host}: ${stepText(step)}`);

const after = (steps: readonly Step[], id: string): readonly string[] =>
  steps.find((step) => step.id === id)?.after ?? [];

/** What a host is like when a step was done there. */
function done(facts: HostFacts, step: Step, wanted: WantedHost): HostFacts {
  switch (step.kind) {
    case 'packages':
      return { ...facts, programs: new Set([...facts.programs, 'java']) };
    case 'release':
      return { ...facts, releases: new Set([...facts.releases, step.hash]) };
    case 'configuration': {
      const files = new Map(facts.files);
      for (const { path, mode, sha256 } of step.files) files.set(path, fileState(mode, sha256));
      for (const path of step.removed) files.delete(path);
      if (step.activate === undefined) return { ...facts, files };
      const former =
        facts.activeRelease === undefined ? {} : { formerRelease: facts.activeRelease };
      return { ...facts, ...former, files, activeRelease: step.activate };
    }
    case 'unit': {
      const { name, fingerprint } = step.unit;
      const up = { active: 'active', isEnabled: true, restarts: 0 };
      const units = [...facts.units, ['dcos.target', up], [name, { ...up, fingerprint }]] as const;
      return { ...facts, units: new Map(units) };
    }
    case 'stop': {
      const units = new Map(facts.units);
      units.delete(step.unit);
      expect(wanted.units.map(({ name }) => name)).not.toContain(step.unit);
      return { ...facts, units };
    }
    case 'tidy':
      return {
        ...facts,
        releases: new Set([...facts.releases].filter((hash) => !step.releases.includes(hash))),
      };
    case 'back': {
      const { formerRelease: _gone, ...rest } = facts;
      return { ...rest, activeRelease: step.release };
    }
    case 'gate':
      return facts;
    default:
      return unreachable(step);
  }
}

/** Which hosts are watched, round by round. */
const gates = (steps: readonly Step[]): readonly (readonly string[])[] =>
  steps.flatMap((step) => (step.kind === 'gate' ? [step.watched] : []));

describe('a plan', () => {
  test('goes from nothing to a cluster, hosts side by side, units in their order', () => {
    const states = statesOf(wantedOf(testCluster()), () => bareFacts());
    const steps = planCluster(states);
    expect(restartsMaster(steps, states)).toBe(false);
    expect(lines(steps)).toEqual([
      'master-1: install packages default-jre-headless',
      'master-1: push release 0123456789ab',
      'master-1: write 13 files, use release 0123456789ab',
      'master-1: start dcos-zookeeper',
      'master-1: start dcos-mesos-master',
      'master-1: start dcos-mesos-dns',
      'master-1: start dcos-marathon',
      'master-1: start dcos-adminrouter',
      'private-1: push release 0123456789ab',
      'private-1: write 4 files, use release 0123456789ab',
      'private-1: start dcos-mesos-slave',
    ]);
    expect(after(steps, 'private-1/release')).toEqual([]);
    const gates = ['master-1/dcos-zookeeper', 'master-1/dcos-mesos-master'];
    for (const unit of ['dcos-mesos-dns', 'dcos-marathon', 'dcos-adminrouter'])
      expect(after(steps, `master-1/${unit}`)).toEqual(['master-1/configuration', ...gates]);
    expect(after(steps, 'private-1/dcos-mesos-slave')).toEqual([
      'private-1/configuration',
      ...gates,
    ]);
  });

  test('waits for ZooKeeper on all masters before a master starts', () => {
    const steps = planCluster(statesOf(wantedOf(testCluster({ masters: 3 })), () => bareFacts()));
    expect(after(steps, 'master-2/dcos-mesos-master')).toEqual([
      'master-2/configuration',
      'master-1/dcos-zookeeper',
      'master-2/dcos-zookeeper',
      'master-3/dcos-zookeeper',
    ]);
  });

  test('is empty where all is as wanted', () => {
    const wanted = wantedOf(testCluster({ masters: 3, agents: 3, publicAgents: 1 }));
    expect(planCluster(statesOf(wanted, convergedFacts))).toEqual([]);
  });

  test('of another release restarts every unit of it, on one master at a time, and ZooKeeper on none', () => {
    const cluster = testCluster({ masters: 3 });
    const before = wantedOf(cluster);
    const wanted = wantedOf(cluster, { ...testRelease, hash: 'fedcba9876543210' });
    const states = wanted.map((host, index) => ({
      wanted: host,
      facts: convergedFacts(before[index] ?? host),
    }));
    const steps = planCluster(states);
    expect(lines(steps).slice(0, 4)).toEqual([
      'master-1: push release fedcba987654',
      'master-1: write 4 files, use release fedcba987654',
      'master-1: restart dcos-mesos-master',
      'master-1: restart dcos-mesos-dns',
    ]);
    expect(gates(steps)).toEqual([['master-1'], ['master-2'], ['master-3'], ['private-1']]);
    expect(steps.map(({ id }) => id)).not.toContain('master-1/dcos-zookeeper');
    for (const kind of ['configuration', 'dcos-mesos-master', 'dcos-marathon'])
      expect(after(steps, `master-2/${kind}`)).toContain('master-1/whole 1');
    expect(restartsMaster(steps, states)).toBe(true);
  });

  test('of another release has it on all hosts before the first one changes', () => {
    const before = wantedOf(testCluster({ masters: 3 }));
    const after3 = wantedOf(testCluster({ masters: 3 }), { ...testRelease, hash: 'fedcba98' });
    const states = after3.map((host, index) => ({
      wanted: host,
      facts: convergedFacts(before[index] ?? host),
    }));
    const steps = planCluster(states);
    const pushes = steps.filter(({ kind }) => kind === 'release');
    expect(pushes.map(({ after: earlier }) => earlier)).toEqual([[], [], [], []]);
    expect(after(steps, 'master-1/configuration')).toEqual(pushes.map(({ id }) => id));
  });

  test('restarts the leading master last', () => {
    const cluster = testCluster({ masters: 3 });
    const before = wantedOf(cluster);
    const states = wantedOf(cluster, { ...testRelease, hash: 'fedcba9876543210' }).map(
      (host, index) => ({ wanted: host, facts: convergedFacts(before[index] ?? host) }),
    );
    // ZooKeeper goes on, wherever it leads.
    const leaders = { master: '10.0.0.10', zooKeeper: '10.0.0.11' };
    const steps = planCluster(states, { leaders });
    expect(gates(steps)).toEqual([['master-2'], ['master-3'], ['master-1'], ['private-1']]);
  });

  test.each([
    ['the one that leads is the last', [], [['master-3'], ['master-1']]],
    ['one that is away is the first', ['10.0.0.10'], [['master-1'], ['master-3']]],
  ])('where ZooKeeper starts again, %s', (_what, away, rounds) => {
    const wanted = wantedOf(testCluster({ masters: 3 }));
    const states = wanted.map((host) => {
      const facts = convergedFacts(host);
      const found = facts.units.get('dcos-zookeeper');
      if (found === undefined) return { wanted: host, facts };
      const units = new Map(facts.units).set('dcos-zookeeper', { ...found, fingerprint: 'old' });
      return { wanted: host, facts: { ...facts, units } };
    });
    const leaders = { master: '10.0.0.10', zooKeeper: '10.0.0.11', zooKeeperAway: away };
    expect(gates(planCluster(states, { leaders }))).toEqual(rounds);
  });

  test('keeps the release before, and removes older ones', () => {
    const [wanted] = wantedOf(testCluster());
    if (wanted === undefined) throw new Error('one host');
    const facts = convergedFacts(wanted);
    const releases = new Set([wanted.releaseHash, 'former', 'older']);
    expect(lines(planCluster([{ wanted, facts: { ...facts, releases, formerRelease: 'former' } }]))) //
      .toEqual(['master-1: remove 1 old release']);
  });

  test('restarts ten agents at a time', () => {
    const cluster = testCluster({ agents: 25 });
    const before = wantedOf(cluster);
    const settings = { ...cluster.settings, privateAgentResources: 'cpus:9' };
    const states = wantedOf({ ...cluster, settings }).map((host, index) => ({
      wanted: host,
      facts: convergedFacts(before[index] ?? host),
    }));
    const steps = planCluster(states);
    expect(gates(steps).map(({ length }) => length)).toEqual([10, 10]);
    expect(gates(planCluster(states, { agentsAtATime: 20 }))).toHaveLength(1);
    expect(after(steps, 'private-10/dcos-mesos-slave')).not.toContain('master-1/whole 1');
    expect(after(steps, 'private-11/dcos-mesos-slave')).toContain('master-1/whole 1');
    expect(after(steps, 'private-25/dcos-mesos-slave')).toContain('master-1/whole 2');
    expect(restartsMaster(steps, states)).toBe(false);
  });

  test('of one changed setting touches its file, its unit, and nothing else', () => {
    const cluster = testCluster({ masters: 1, agents: 2 });
    const changed = { ...cluster, settings: { ...cluster.settings, dnsTtlSeconds: 5 } };
    const before = wantedOf(cluster);
    const states = wantedOf(changed).map((host, index) => ({
      wanted: host,
      facts: convergedFacts(before[index] ?? host),
    }));
    expect(lines(planCluster(states))).toEqual([
      'master-1: write 2 files',
      'master-1: restart dcos-mesos-dns',
    ]);
  });

  const [master, agent] = wantedOf(testCluster());
  const damages: readonly (readonly [
    string,
    (facts: HostFacts) => Partial<HostFacts>,
    readonly string[],
  ])[] = [
    [
      'a file that somebody changed',
      ({ files }) => ({ files: new Map([...files, ['/etc/dcos/role', '644 other']]) }),
      ['private-1: write 1 file'],
    ],
    [
      'permissions that somebody changed',
      ({ files }) => ({
        files: new Map([
          ...files,
          ['/etc/dcos/role', files.get('/etc/dcos/role')?.replace('644', '666') ?? ''],
        ]),
      }),
      ['private-1: write 1 file'],
    ],
    [
      'a unit that does not run',
      ({ units }) => ({
        units: new Map([
          ...units,
          ['dcos-mesos-slave', { active: 'inactive', isEnabled: true, restarts: 0 }],
        ]),
      }),
      ['private-1: start dcos-mesos-slave'],
    ],
    [
      'a process that runs with what was before',
      ({ units }) => ({
        units: new Map([
          ...units,
          [
            'dcos-mesos-slave',
            { active: 'active', isEnabled: true, restarts: 0, fingerprint: 'old' },
          ],
        ]),
      }),
      ['private-1: restart dcos-mesos-slave'],
    ],
    [
      'a unit that would not start with the host',
      ({ units }) => {
        const unit = units.get('dcos-mesos-slave');
        return unit === undefined
          ? {}
          : { units: new Map([...units, ['dcos-mesos-slave', { ...unit, isEnabled: false }]]) };
      },
      ['private-1: enable dcos-mesos-slave'],
    ],
    [
      'a unit and its file of a former role',
      ({ units, files }) => ({
        units: new Map([
          ...units,
          ['dcos-marathon', { active: 'active', isEnabled: true, restarts: 0 }],
        ]),
        files: new Map([...files, [unitPath('dcos-marathon'), '644 x']]),
      }),
      ['private-1: stop dcos-marathon', 'private-1: remove 1 file'],
    ],
    [
      'a link to another release',
      () => ({ activeRelease: 'other' }),
      ['private-1: use release 0123456789ab'],
    ],
  ];
  test.each(damages)('mends %s', (_what, damage, expected) => {
    const states = statesOf(
      [master, agent].flatMap((host) => host ?? []),
      convergedFacts,
    );
    const [first, second] = states;
    if (first === undefined || second === undefined) throw new Error('two hosts');
    const damaged = { ...second, facts: { ...second.facts, ...damage(second.facts) } };
    expect(lines(planCluster([first, damaged]))).toEqual(expected);
  });

  test('can be cut short after any steps: what is left leads to the same end', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 3),
        fc.integer({ min: 0, max: 3 }),
        fc.infiniteStream(fc.nat()),
        fc.nat({ max: 60 }),
        (masters, agents, choices, cut) => {
          const wanted = wantedOf(testCluster({ masters, agents }));
          const facts = new Map(wanted.map((host) => [host.host.name, bareFacts()]));
          const plan = (): readonly Step[] =>
            planCluster(statesOf(wanted, ({ host }) => facts.get(host.name) ?? bareFacts()));
          const perform = (steps: readonly Step[], count: number): void => {
            const open = new Map(steps.map((step) => [step.id, step]));
            for (let index = 0; index < count && open.size > 0; index += 1) {
              const ready = [...open.values()].filter((step) =>
                step.after.every((id) => !open.has(id)),
              );
              // No plan may stand still.
              expect(ready.length).toBeGreaterThan(0);
              const step = ready[(choices.next().value ?? 0) % ready.length];
              const host = wanted.find(({ host: { name } }) => name === step?.host);
              const found = facts.get(step?.host ?? '');
              if (step === undefined || host === undefined || found === undefined)
                throw new Error('no such host');
              facts.set(step.host, done(found, step, host));
              open.delete(step.id);
            }
          };
          perform(plan(), cut);
          perform(plan(), Infinity);
          expect(plan()).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('a way back', () => {
  const states = wantedOf(testCluster({ masters: 3, agents: 2 })).map((wanted) => {
    const { name } = wanted.host;
    const had = name === 'private-2' ? {} : { formerRelease: 'former' };
    return { wanted, facts: { ...convergedFacts(wanted), ...had } };
  });

  test('takes hosts that do not serve first, the leading master last, and leaves others alone', () => {
    const steps = planBack(states, new Set(['private-1', 'master-2']), {
      leaders: { master: '10.0.0.10' },
      isWhole: true,
    });
    expect(gates(steps)).toEqual([['master-2'], ['private-1'], ['master-3'], ['master-1']]);
    expect(after(steps, 'master-2/back')).toEqual([]);
    expect(after(steps, 'master-3/back')).toEqual(['master-1/whole 2']);
    expect(steps.map(({ host }) => host)).not.toContain('private-2');
  });

  test('asks a cluster that is not whole to be so at the end alone', () => {
    const steps = planBack(states, new Set(), { leaders: { master: '10.0.0.10' }, isWhole: false });
    expect(gates(steps)).toEqual([['master-2', 'master-3', 'master-1', 'private-1']]);
    expect(after(steps, 'master-2/back')).toEqual([]);
    expect(after(steps, 'master-3/back')).toEqual(['master-2/back']);
    expect(after(steps, 'master-1/back')).toEqual(['master-3/back']);
    expect(after(steps, 'private-1/back')).toEqual(['master-1/back']);
  });
});

test.each<[string, readonly (readonly [active: string, former?: string])[], readonly number[]]>([
  ['all that can', [['b', 'a'], ['b', 'a'], ['b']], [0, 1]],
  ['those that an upgrade had reached', [['b', 'a'], ['a', 'o'], ['a']], [0]],
  [
    'one that was cut short while it changed',
    [
      ['a', 'a'],
      ['a', 'o'],
    ],
    [0],
  ],
  [
    'one that was cut short on its way back, and those behind it',
    [['a', 'a'], ['a'], ['b', 'a']],
    [0, 2],
  ],
  ['nobody where there is no way', [['a'], ['a']], []],
])('back by hand go %s', (_who, releases, expected) => {
  const hosts = releases.map(([activeRelease, formerRelease], index) => ({
    index,
    facts: bareFacts({ activeRelease, ...(formerRelease !== undefined && { formerRelease }) }),
  }));
  expect(hostsThatGoBack(hosts).map(({ index }) => index)).toEqual(expected);
});
