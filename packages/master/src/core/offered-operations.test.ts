/** Operations of an ACCEPT: what is applied at once, what the agent is told, and what is refused with which text. */

import { describe, expect, test } from 'vitest';
import type { Offer_Operation, Resource } from '@dcos/wire';
import {
  applied,
  CREATE,
  feedback,
  operate,
  RESERVE,
  reserved,
  scene,
  totalOf,
  volume,
} from '../testing/operations-scene.ts';
import { framesOf, frameworkInfo, resources, task } from '../testing/world.ts';

describe('operations are applied at once, and later ones use their results', () => {
  const cases: readonly {
    readonly what: string;
    readonly operations: readonly Offer_Operation[];
    readonly total: readonly string[];
  }[] = [
    {
      what: 'RESERVE',
      operations: [RESERVE],
      total: ['cpus(dev):1', 'cpus:3', 'disk(dev):100', 'disk:900', 'mem:4096'],
    },
    {
      what: 'RESERVE and UNRESERVE',
      operations: [RESERVE, { type: 'UNRESERVE', unreserve: { resources: reserved({ cpus: 1 }) } }],
      total: ['cpus:4', 'disk(dev):100', 'disk:900', 'mem:4096'],
    },
    {
      what: 'RESERVE and CREATE',
      operations: [RESERVE, CREATE],
      total: ['cpus(dev):1', 'cpus:3', 'disk(dev):40', 'disk(dev)[v]:60', 'disk:900', 'mem:4096'],
    },
    {
      what: 'RESERVE, CREATE and DESTROY',
      operations: [RESERVE, CREATE, { type: 'DESTROY', destroy: { volumes: [volume('v', 60)] } }],
      total: ['cpus(dev):1', 'cpus:3', 'disk(dev):100', 'disk:900', 'mem:4096'],
    },
    {
      what: 'RESERVE, CREATE and GROW_VOLUME',
      operations: [
        RESERVE,
        CREATE,
        {
          type: 'GROW_VOLUME',
          grow_volume: { volume: volume('v', 60), addition: reserved({ disk: 15 })[0] as Resource },
        },
      ],
      total: ['cpus(dev):1', 'cpus:3', 'disk(dev):25', 'disk(dev)[v]:75', 'disk:900', 'mem:4096'],
    },
    {
      what: 'RESERVE, CREATE and SHRINK_VOLUME',
      operations: [
        RESERVE,
        CREATE,
        {
          type: 'SHRINK_VOLUME',
          shrink_volume: { volume: volume('v', 60), subtract: { value: 20 } },
        },
      ],
      total: ['cpus(dev):1', 'cpus:3', 'disk(dev):60', 'disk(dev)[v]:40', 'disk:900', 'mem:4096'],
    },
  ];
  test.each(cases)('$what', ({ operations, total }) => {
    const set = scene();
    const effects = operate(set, operations);
    expect(totalOf(set)).toEqual([...total].sort());
    const frames = applied(effects, set.agent);
    expect(frames.map(({ operation }) => operation.type)).toEqual(
      operations.map(({ type }) => type),
    );
    // What agents hear carries no allocation.
    expect(JSON.stringify(frames)).not.toContain('allocation_info');
    set.world.settle();
    const [offer] = set.world.master.snapshot().offers;
    expect(offer?.resources.map(({ allocation_info }) => allocation_info?.role)).toEqual(
      offer?.resources.map(() => 'dev'),
    );
  });

  test('a task may use what the same call reserved and created', () => {
    const set = scene();
    const launched = task('t', set.agent, {
      resources: [...reserved({ cpus: 1 }), ...resources({ mem: 32 }), volume('v', 60)],
    });
    const effects = operate(set, [
      RESERVE,
      CREATE,
      { type: 'LAUNCH', launch: { task_infos: [launched] } },
    ]);
    const frames = framesOf(effects, set.agent.connection).map(({ type }) => type);
    expect(frames).toEqual(['APPLY_OPERATION', 'APPLY_OPERATION', 'RUN_TASK']);
  });

  test('a volume that grew may not be used in the same call', () => {
    const set = scene();
    const effects = operate(set, [
      RESERVE,
      CREATE,
      {
        type: 'GROW_VOLUME',
        grow_volume: { volume: volume('v', 60), addition: reserved({ disk: 40 })[0] as Resource },
      },
      { type: 'DESTROY', id: { value: 'late' }, destroy: { volumes: [volume('v', 100)] } },
    ]);
    expect(feedback(effects, set.framework)).toMatchObject([
      { operation_id: { value: 'late' }, state: 'OPERATION_ERROR' },
    ]);
  });
});

describe('what is wrong is refused, and the rest of the call goes on', () => {
  const cases: readonly {
    readonly what: string;
    readonly operation: Offer_Operation;
    readonly message: RegExp;
  }[] = [
    {
      what: 'a reservation for another role',
      operation: {
        type: 'RESERVE',
        reserve: {
          resources: resources({ cpus: 1 }).map((resource) => ({
            ...resource,
            reservations: [{ type: 'DYNAMIC', role: 'other', principal: 'ops' }],
          })),
        },
      },
      message: /allocated to role 'dev' with a reservation to role 'other'/,
    },
    {
      what: 'a reservation in the name of somebody else',
      operation: {
        type: 'RESERVE',
        reserve: {
          resources: resources({ cpus: 1 }).map((resource) => ({
            ...resource,
            reservations: [{ type: 'DYNAMIC', role: 'dev', principal: 'eve' }],
          })),
        },
      },
      message: /by principal 'ops', but .* principal 'eve' set/,
    },
    {
      what: 'a reservation of nothing',
      operation: { type: 'RESERVE', reserve: { resources: resources({ cpus: 1 }) } },
      message: /cpus.*:1 is not dynamically reserved/,
    },
    {
      what: 'more than was offered',
      operation: { type: 'RESERVE', reserve: { resources: reserved({ cpus: 40 }) } },
      message: /do not contain/,
    },
    {
      what: 'a volume that is not there',
      operation: { type: 'DESTROY', destroy: { volumes: [volume('nope', 10)] } },
      message: /do not contain/,
    },
    {
      what: 'a volume without id',
      operation: { type: 'CREATE', create: { volumes: reserved({ disk: 10 }) } },
      message: /'persistence' is not set/,
    },
    {
      what: 'a source, which is for operators',
      operation: {
        type: 'RESERVE',
        reserve: { source: reserved({ cpus: 1 }), resources: reserved({ cpus: 1 }) },
      },
      message: /'source' may not be set by frameworks/,
    },
    {
      what: 'a disk of a provider',
      operation: {
        type: 'CREATE_DISK',
        create_disk: { source: volume('x', 1), target_type: 'MOUNT' },
      },
      message: /resource provider/,
    },
  ];
  test.each(cases)('$what', ({ operation, message }) => {
    const set = scene();
    const before = totalOf(set);
    const effects = operate(set, [
      { ...operation, id: { value: 'op' } },
      operation,
      { type: 'LAUNCH', launch: { task_infos: [task('t', set.agent)] } },
    ]);
    const [status, ...more] = feedback(effects, set.framework);
    expect(more).toEqual([]);
    expect(status).toMatchObject({ operation_id: { value: 'op' }, state: 'OPERATION_ERROR' });
    expect(status?.message).toMatch(message);
    expect(totalOf(set)).toEqual(before);
    expect(framesOf(effects, set.agent.connection).map(({ type }) => type)).toEqual(['RUN_TASK']);
  });

  test('an id of a volume that exists', () => {
    const set = scene();
    operate(set, [RESERVE, CREATE]);
    set.world.settle();
    const again = { ...CREATE, id: { value: 'op' }, create: { volumes: [volume('v', 10)] } };
    const [status] = feedback(operate(set, [again]), set.framework);
    expect(status?.message).toMatch(/Persistence ID 'v' already exists/);
  });

  test('a volume that a task uses', () => {
    const set = scene();
    const launched = task('t', set.agent, {
      resources: [...reserved({ cpus: 1 }), ...resources({ mem: 32 }), volume('v', 60)],
    });
    operate(set, [RESERVE, CREATE, { type: 'LAUNCH', launch: { task_infos: [launched] } }]);
    set.world.settle();
    const gone = {
      type: 'DESTROY',
      id: { value: 'op' },
      destroy: { volumes: [volume('v', 60)] },
    } as const;
    const [status] = feedback(operate(set, [gone]), set.framework);
    expect(status?.message).toMatch(/'v' in use/);
  });

  test('not a volume of the same id that belongs to another role', () => {
    const set = scene();
    const other = set.world.subscribe(frameworkInfo({ roles: ['other'], principal: 'ops' }));
    set.world.settle();
    const launched = task('t', set.agent, {
      resources: [...reserved({ cpus: 1 }), ...resources({ mem: 32 }), volume('v', 60)],
    });
    operate(set, [RESERVE, CREATE, { type: 'LAUNCH', launch: { task_infos: [launched] } }]);
    set.world.settle();
    const ofOther = (resource: Resource): Resource => ({
      ...resource,
      reservations: [{ type: 'DYNAMIC', role: 'other', principal: 'ops' }],
    });
    const theirs = { ...set, framework: other };
    const volumes = [ofOther(volume('v', 10))];
    const effects = operate(theirs, [
      { type: 'RESERVE', reserve: { resources: reserved({ disk: 10 }).map(ofOther) } },
      { type: 'CREATE', create: { volumes } },
      { type: 'DESTROY', id: { value: 'op' }, destroy: { volumes } },
    ]);
    expect(feedback(effects, other)).toEqual([]);
    expect(applied(effects, set.agent).map(({ operation }) => operation.type)).toEqual([
      'RESERVE',
      'CREATE',
      'DESTROY',
    ]);
  });
});
