/**
 * The master's core alone, without sockets and encodings: what it costs to register an agent, to offer it, to
 * launch a task, to take its update, and to acknowledge that, at several sizes.
 */

import { createAllocator } from '@dcos/allocator';
import { agentId, masterId, present } from '@dcos/base';
import type { FrameworkID, Offer, scheduler, TaskInfo } from '@dcos/wire';
import {
  createMaster,
  defaultMasterOptions,
  type Effect,
  type Master,
  type MasterEvent,
} from '../../packages/master/src/core/index.ts';
import { createSystemRandom } from '../../packages/master/src/shell/system-ports.ts';
import { newAgentFrame } from './kernel-agents.ts';
import { costOf, Series } from './kernel-series.ts';
import { taskOfOffer } from './kernel-scheduler.ts';
import type { Row } from './row.ts';

const SIZES = { small: [1_000, 3_000, 10_000], full: [1_000, 3_000, 10_000, 20_000] } as const;
const TASKS_PER_AGENT = 10;
/** A round that nobody counts: the first one measures the compiler. */
const WARM_UP = 1_000;
const NOW = 1_700_000_000_000;

export async function benchmarkCore(full: boolean): Promise<readonly Row[]> {
  measure(WARM_UP, makeSeries());
  const series = makeSeries();
  for (const agents of full ? SIZES.full : SIZES.small) measure(agents, series);
  return Object.values(series).flatMap((one) => one.rows());
}

function makeSeries() {
  return {
    registrations: new Series('core: agents registered'),
    offers: new Series('core: agents offered in one round'),
    launches: new Series('core: tasks launched'),
    updates: new Series('core: updates of tasks'),
    acknowledgements: new Series('core: acknowledgements'),
  };
}

function measure(agents: number, series: ReturnType<typeof makeSeries>): void {
  const core = new BenchCore();
  const frames = Array.from({ length: agents }, (_, index) => newAgentFrame(index));
  series.registrations.add(
    agents,
    costOf(() => {
      for (const [connection, frame] of frames.entries())
        core.handle({ kind: 'agentFrame', connection, frame });
    }),
  );
  core.subscribe();
  const offers: Offer[] = [];
  series.offers.add(
    agents,
    costOf(() => offers.push(...core.round())),
  );
  const tasks = agents * TASKS_PER_AGENT;
  let made = 0;
  const infos = offers.map((offer) =>
    Array.from({ length: TASKS_PER_AGENT }, () => taskOfOffer(offer, made++)),
  );
  series.launches.add(
    tasks,
    costOf(() => {
      for (const [index, offer] of offers.entries()) core.launch(offer, infos[index] ?? []);
    }),
  );
  const running = infos.flat();
  series.updates.add(
    tasks,
    costOf(() => {
      for (const [index, task] of running.entries()) core.update(task, uuidOf(index));
    }),
  );
  series.acknowledgements.add(
    tasks,
    costOf(() => {
      for (const [index, { task_id, agent_id }] of running.entries()) {
        const acknowledge = { task_id, agent_id, uuid: uuidOf(index) };
        core.call({ type: 'ACKNOWLEDGE', acknowledge });
      }
    }),
  );
}

function uuidOf(index: number): Uint8Array {
  const uuid = new Uint8Array(16);
  new DataView(uuid.buffer).setUint32(0, index);
  return uuid;
}

/** A core with one framework. */
class BenchCore {
  readonly #core: Master;
  #streamId = '';
  #frameworkId: FrameworkID = { value: '' };

  constructor() {
    const random = createSystemRandom();
    this.#core = createMaster({
      masterId: masterId('bench'),
      random,
      allocator: createAllocator({ random, allocationIntervalMs: 1_000 }),
      options: {
        ...defaultMasterOptions,
        masterInfo: { id: 'bench', ip: 0, port: 5050 },
        version: '0',
      },
    });
    this.handle({ kind: 'recovered', entries: [] });
  }

  handle(event: MasterEvent): readonly Effect[] {
    return this.#core.handle(event, NOW);
  }

  subscribe(): void {
    const effects = this.call({
      type: 'SUBSCRIBE',
      subscribe: {
        framework_info: {
          user: 'root',
          name: 'bench',
          roles: ['bench'],
          checkpoint: true,
          capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
        },
      },
    });
    for (const effect of effects) {
      if (effect.kind !== 'sendToFramework' || effect.event.subscribed === undefined) continue;
      this.#streamId = effect.streamId;
      this.#frameworkId = effect.event.subscribed.framework_id;
    }
  }

  call(call: Omit<scheduler.Call, 'framework_id'>): readonly Effect[] {
    const identity =
      this.#streamId === ''
        ? { call }
        : { call: { ...call, framework_id: this.#frameworkId }, streamId: this.#streamId };
    return this.handle({ kind: 'schedulerCall', request: 0, acceptable: true, ...identity });
  }

  round(): readonly Offer[] {
    return this.handle({ kind: 'timer', timer: 'allocate' }).flatMap((effect) =>
      effect.kind === 'sendToFramework' ? (effect.event.offers?.offers ?? []) : [],
    );
  }

  launch(offer: Offer, task_infos: readonly TaskInfo[]): void {
    this.call({
      type: 'ACCEPT',
      accept: {
        offer_ids: [offer.id],
        operations: [{ type: 'LAUNCH', launch: { task_infos } }],
        filters: { refuse_seconds: 1_000_000 },
      },
    });
  }

  update({ task_id, agent_id }: TaskInfo, uuid: Uint8Array): void {
    const agent = this.#core.state.agents.get(agentId(agent_id.value));
    this.handle({
      kind: 'agentFrame',
      connection: present(agent?.connection, 'the connection of an agent'),
      frame: {
        type: 'STATUS_UPDATE',
        status_update: {
          framework_id: this.#frameworkId,
          latest_state: 'TASK_RUNNING',
          status: { task_id, state: 'TASK_RUNNING', source: 'SOURCE_EXECUTOR', uuid },
        },
      },
    });
  }
}
