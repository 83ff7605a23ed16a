import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Task } from '@dcos/wire';
import { agent, framework, naming, task, updated, zoneLines } from '../testing/cluster-events.ts';
import { Cluster } from './cluster.ts';
import type { ZoneEvent } from './cluster-events.ts';

const ids = fc.integer({ min: 0, max: 3 });
const states = fc.constantFrom(
  'TASK_STAGING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_FAILED',
  'TASK_UNREACHABLE',
);
const events: fc.Arbitrary<ZoneEvent> = fc.oneof(
  fc.tuple(ids, ids, ids, states, fc.boolean()).map(([id, a, f, state, ports]): ZoneEvent => {
    const options = { name: `n${id % 2}`, agent: `m-S${a}`, framework: `f-${f}`, state } as const;
    return {
      kind: 'taskAdded',
      task: task(`t${id}`, ports ? { ...options, ports: [31000, 31002] } : options),
    };
  }),
  fc.tuple(ids, ids, states).map(([id, f, state]) => updated(`t${id}`, state, `f-${f}`)),
  fc.tuple(ids, ids).map(([id, host]): ZoneEvent => {
    return { kind: 'agentAdded', agent: agent(`m-S${id}`, `10.0.0.${host}:5051`) };
  }),
  ids.map((id): ZoneEvent => ({ kind: 'agentRemoved', agentId: { value: `m-S${id}` } })),
  fc.tuple(ids, ids).map(([id, name]): ZoneEvent => {
    return {
      kind: 'frameworkAdded',
      framework: framework(`f-${id}`, `name${name % 2}`, '10.9.9.9'),
    };
  }),
  ids.map((id): ZoneEvent => {
    return { kind: 'frameworkRemoved', framework: framework(`f-${id}`, 'x').framework_info };
  }),
);

/** What the master would show after these events: the model that the zone is compared with. */
class Model {
  readonly agents = new Map<string, ReturnType<typeof agent>>();
  readonly frameworks = new Map<string, ReturnType<typeof framework>>();
  readonly tasks = new Map<string, Task>();

  apply(event: ZoneEvent): void {
    if (event.kind === 'agentAdded')
      this.agents.set(event.agent.agent_info.id?.value ?? '', event.agent);
    if (event.kind === 'agentRemoved') this.agents.delete(event.agentId.value);
    if (event.kind === 'frameworkAdded') {
      this.frameworks.set(event.framework.framework_info.id?.value ?? '', event.framework);
    }
    if (event.kind === 'frameworkRemoved') {
      const id = event.framework.id?.value ?? '';
      this.frameworks.delete(id);
      for (const [key, each] of this.tasks)
        if (each.framework_id.value === id) this.tasks.delete(key);
    }
    if (event.kind === 'taskAdded') this.#put(event.task);
    if (event.kind === 'taskUpdated') {
      const known = this.tasks.get(`${event.frameworkId.value}/${event.status.task_id.value}`);
      if (known !== undefined) this.#put({ ...known, state: event.state });
    }
  }

  #put(each: Task): void {
    const key = `${each.framework_id.value}/${each.task_id.value}`;
    if (each.state === 'TASK_FAILED') this.tasks.delete(key);
    else this.tasks.set(key, each);
  }

  snapshot(): ZoneEvent {
    return {
      kind: 'snapshot',
      state: {
        get_agents: { agents: [...this.agents.values()] },
        get_frameworks: { frameworks: [...this.frameworks.values()] },
        get_tasks: { tasks: [...this.tasks.values()] },
      },
    };
  }
}

test('changes one by one and a snapshot of their outcome give the same zone', () => {
  fc.assert(
    fc.property(fc.array(events, { maxLength: 60 }), (history) => {
      const model = new Model();
      const followed = new Cluster(naming);
      for (const event of history) {
        model.apply(event);
        followed.apply(event);
      }
      const fresh = new Cluster(naming);
      fresh.apply(model.snapshot());
      expect(zoneLines(followed.zone)).toEqual(zoneLines(fresh.zone));
      // And a snapshot over what is known changes nothing but what differs.
      followed.apply(model.snapshot());
      expect(zoneLines(followed.zone)).toEqual(zoneLines(fresh.zone));
    }),
  );
});

test('an empty snapshot leaves nothing behind', () => {
  fc.assert(
    fc.property(fc.array(events, { maxLength: 40 }), (history) => {
      const followed = new Cluster(naming);
      for (const event of history) followed.apply(event);
      followed.apply({ kind: 'snapshot', state: {} });
      expect(zoneLines(followed.zone)).toEqual([]);
      expect(followed.zone.exists('mesos')).toBe(false);
    }),
  );
});
