/**
 * What changes at run time, step by step: each row lists steps, and what each step's run offers. For what
 * the original's own allocator tests pin and no other file here has.
 */

import { agentId, frameworkId } from '@dcos/base';
import { Resources } from '@dcos/resources';
import type { Resource } from '@dcos/wire';
import { expect, test } from 'vitest';
import {
  ALL_AGENT_CAPABILITIES,
  giveBack,
  INTERVAL_MS,
  res,
  text,
  world,
} from './testing/allocator-world.ts';
import type { Allocation, AllocatorOptions } from './types.ts';

type World = ReturnType<typeof world>;

/** What is done, then what the next full run offers. */
type Step = readonly [act: (built: World, last: readonly Allocation[]) => void, offered: string];

const YEAR_MS = 365 * 24 * 3600 * 1000;
const F = frameworkId('f');
const A = agentId('a');
const SHARING = { capabilities: new Set(['MULTI_ROLE', 'SHARED_RESOURCES']) };
const REVOCABLE: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 8 }, revocable: {} };
const VOLUME: Resource = {
  name: 'disk',
  type: 'SCALAR',
  scalar: { value: 100 },
  reservations: [{ type: 'STATIC', role: 'r' }],
  disk: { persistence: { id: 'v' }, volume: { mode: 'RW', container_path: 'v' } },
  shared: {},
};
const PROVIDED: Resource = {
  name: 'disk',
  type: 'SCALAR',
  scalar: { value: 100 },
  provider_id: { value: 'csi' },
  disk: { source: { type: 'RAW', profile: 'fast' } },
};

const declineForEver: Step[0] = ({ allocator }, last) => giveBack(allocator, last, YEAR_MS);
const nothing: Step[0] = () => undefined;

interface Story {
  readonly what: string;
  readonly options?: Partial<AllocatorOptions>;
  readonly steps: readonly Step[];
}

const STORIES: readonly Story[] = [
  {
    what: 'three roles of which one has a reservation: what it uses of that counts',
    steps: [
      [(w) => (w.framework('f1', ['r1']), w.agent('a1', 'cpus(r1):2;mem(r1):64')), 'f1 r1 a1'],
      [(w) => (w.framework('f2', ['r2']), w.agent('a2', 'cpus:1;mem:64')), 'f2 r2 a2'],
      [(w) => (w.framework('f3', ['r3']), w.agent('a3', 'cpus:1;mem:64')), 'f3 r3 a3'],
      // By memory all have the same; r1 has most of the cpus, r2 and r3 were served once.
      [(w) => w.agent('a4', 'cpus:1;mem:64'), 'f2 r2 a4'],
      [(w) => w.agent('a5', 'cpus:1;mem:64'), 'f3 r3 a5'],
    ],
  },
  {
    what: 'revocable resources count for the share of who has them',
    steps: [
      [
        (w) => {
          w.framework('f', ['r'], { capabilities: new Set(['MULTI_ROLE', 'REVOCABLE_RESOURCES']) });
          w.agent('a', Resources.fromWire([REVOCABLE]));
        },
        'f r a',
      ],
      [(w) => (w.framework('g', ['a-role']), w.agent('b', 'cpus:1')), 'g a-role b'],
      [(w) => w.agent('c', 'cpus:1'), 'g a-role c'],
    ],
  },
  {
    what: 'a shared volume counts once, however many tasks of a framework use it',
    steps: [
      [
        (w) => {
          w.agent('a', res('disk:300').add(Resources.fromWire([VOLUME])));
          w.framework('f', ['r'], SHARING);
          w.framework('g', ['r']);
          for (const id of ['f', 'f', 'f'])
            w.allocator.track(frameworkId(id), A, Resources.fromWire([VOLUME]).allocate('r'));
          w.allocator.track(frameworkId('g'), A, res('disk:200').allocate('r'));
          w.agent('b', 'cpus:1');
        },
        // By disk f has 100 of 400 MB and g 200; three times 100 would be more.
        'f r b',
      ],
    ],
  },
  {
    what: 'a shared volume counts once for a role, however many of its frameworks use it',
    steps: [
      [
        (w) => {
          w.agent('a', res('disk:300').add(Resources.fromWire([VOLUME])));
          w.framework('f', ['r'], SHARING);
          w.framework('f2', ['r'], SHARING);
          w.framework('g', ['s']);
          for (const id of ['f', 'f2', 'f2'])
            w.allocator.track(frameworkId(id), A, Resources.fromWire([VOLUME]).allocate('r'));
          w.allocator.track(frameworkId('g'), A, res('disk:150').allocate('s'));
          w.agent('b', 'cpus:1');
        },
        'f r b',
      ],
    ],
  },
  {
    what: 'the least offer can be set, as amounts that must all be reached',
    options: {
      minAllocatable: [
        new Map([
          ['cpus', 1000],
          ['mem', 512_000],
        ]),
      ],
    },
    steps: [
      [(w) => (w.framework('f', ['r']), w.agent('a', 'cpus:4;mem:511')), ''],
      [(w) => w.allocator.updateAgent(A, res('cpus:0.5;mem:1024')), ''],
      [(w) => w.allocator.updateAgent(A, res('cpus:1;mem:512')), 'f r a'],
    ],
  },
  {
    what: 'without any least offer everything is offered',
    options: { minAllocatable: [] },
    steps: [[(w) => (w.framework('f', ['r']), w.agent('a', 'ports:[1-2]')), 'f r a']],
  },
  {
    what: 'roles of one framework are suppressed and revived by themselves',
    steps: [
      [(w) => (w.framework('f', ['r', 's']), w.agent('a', 'cpus:1')), 'f r a'],
      [(w) => w.allocator.suppress(F, ['r']), ''],
      [(w) => w.agent('b', 'cpus:1'), 'f s b'],
      [(w) => (w.allocator.suppress(F, ['s']), w.agent('c', 'cpus:1')), ''],
      [(w) => w.allocator.revive(F, ['r']), 'f r c'],
    ],
  },
  {
    what: 'an agent that learns a capability is offered',
    steps: [
      [(w) => (w.framework('f', ['r/s']), w.agent('a', 'cpus:1', new Set(['MULTI_ROLE']))), ''],
      [
        (w) =>
          w.allocator.updateAgent(A, res('cpus:1'), {
            info: { hostname: 'a' },
            capabilities: ALL_AGENT_CAPABILITIES,
          }),
        'f r/s a',
      ],
    ],
  },
  {
    what: 'a framework that learns a capability is offered what takes it',
    steps: [
      [(w) => (w.framework('f', ['r']), w.agent('a', 'cpus:1;gpus:1')), ''],
      [
        (w) =>
          w.allocator.updateFramework(F, {
            roles: ['r'],
            suppressedRoles: [],
            capabilities: new Set(['MULTI_ROLE', 'GPU_RESOURCES']),
          }),
        'f r a',
      ],
    ],
  },
  {
    what: 'what a resource provider brings later is more than was refused',
    steps: [
      [(w) => (w.framework('f', ['r']), w.agent('a', 'cpus:1')), 'f r a'],
      [declineForEver, ''],
      [
        (w) => w.allocator.updateAgent(A, res('cpus:1').add(Resources.fromWire([PROVIDED]))),
        'f r a',
      ],
    ],
  },
  {
    what: 'a total that shrinks below what is used offers nothing until enough is back',
    steps: [
      [(w) => (w.framework('f', ['r']), w.agent('a', 'cpus:4')), 'f r a'],
      [(w) => w.allocator.updateAgent(A, res('cpus:2')), ''],
      [(w) => w.allocator.recover(F, A, res('cpus:2').allocate('r'), undefined, 0), ''],
      [(w) => w.allocator.recover(F, A, res('cpus:1').allocate('r'), undefined, 0), 'f r a'],
    ],
  },
  {
    what: 'weights of a subtree change who is served next',
    steps: [
      [
        (w) => {
          w.framework('f', ['a/x']);
          w.framework('g', ['b']);
          w.allocator.suppress(frameworkId('g'), []);
          w.agent('a1', 'cpus:1');
        },
        'f a/x a1',
      ],
      [
        (w) => {
          w.allocator.suppress(F, []);
          w.allocator.revive(frameworkId('g'), []);
          w.agent('a2', 'cpus:1');
        },
        'g b a2',
      ],
      [
        (w) => {
          w.allocator.revive(F, []);
          w.allocator.updateWeights(new Map([['b', 2]]));
          w.agent('a3', 'cpus:1');
        },
        'g b a3',
      ],
      [
        (w) => (w.allocator.updateWeights(new Map([['a', 4]])), w.agent('a4', 'cpus:1')),
        'f a/x a4',
      ],
      [nothing, ''],
    ],
  },
];

test.each(STORIES)('$what', ({ options, steps }) => {
  const built = world(options);
  let last: readonly Allocation[] = [];
  const offered = steps.map(([act], at) => {
    act(built, last);
    last = built.run(at * INTERVAL_MS);
    return text(last);
  });
  expect(offered).toEqual(steps.map(([, expected]) => expected));
});
