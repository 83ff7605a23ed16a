/** A scheduler over the v1 API that launches as much as it is told, and acknowledges every update. */

import { Agent, request, type Dispatcher } from 'undici';
import {
  createRecordDecoder,
  decode,
  encode,
  MEDIA_TYPES,
  scheduler,
  type Offer,
  type TaskInfo,
} from '@dcos/wire';

const PATH = '/api/v1/scheduler';
/** Calls on their way at the same time. */
const CONNECTIONS = 16;
const ROLE = 'bench';

export class FakeScheduler {
  readonly #url: string;
  readonly #agent = new Agent({ connections: CONNECTIONS, headersTimeout: 0, bodyTimeout: 0 });
  #streamId = '';
  #frameworkId = '';
  #stream: Dispatcher.ResponseData | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** Known once it is subscribed. */
  get frameworkId(): string {
    return this.#frameworkId;
  }

  /** Launches tasks, the same number with each offer, and acknowledges that they run. */
  async launch(tasks: number, tasksPerOffer: number): Promise<void> {
    const done = Promise.withResolvers<void>();
    let launched = 0;
    let acknowledged = 0;
    await this.#subscribe(undefined, (event) => {
      for (const offer of event.offers?.offers ?? []) {
        const count = Math.min(tasksPerOffer, tasks - launched);
        if (count === 0) continue;
        const infos = Array.from({ length: count }, () => taskOfOffer(offer, launched++));
        this.#accept(offer, infos).catch(done.reject);
      }
      const status = event.update?.status;
      if (status?.uuid === undefined || status.agent_id === undefined) return;
      const { uuid, task_id, agent_id } = status;
      this.#call({ type: 'ACKNOWLEDGE', acknowledge: { uuid, task_id, agent_id } }).then(() => {
        acknowledged += 1;
        if (acknowledged === tasks) done.resolve();
      }, done.reject);
    });
    await done.promise;
  }

  /** Asks for tasks, and waits for an answer to each. */
  async reconcile(framework: string, tasks: readonly string[]): Promise<void> {
    const done = Promise.withResolvers<void>();
    let answers = 0;
    await this.#subscribe(framework, (event) => {
      if (event.update === undefined) return;
      answers += 1;
      if (answers === tasks.length) done.resolve();
    });
    const questions = tasks.map((value) => ({ task_id: { value } }));
    await this.#call({ type: 'RECONCILE', reconcile: { tasks: questions } });
    await done.promise;
  }

  close(): void {
    this.#stream?.body.destroy();
  }

  async #subscribe(
    framework: string | undefined,
    onEvent: (event: scheduler.Event) => void,
  ): Promise<void> {
    const id = framework === undefined ? {} : { id: { value: framework } };
    const [, index] = framework?.split('-') ?? [];
    const role = index === undefined ? ROLE : `role-${index}`;
    const stream = await this.#post({
      type: 'SUBSCRIBE',
      ...(framework !== undefined && { framework_id: { value: framework } }),
      subscribe: {
        framework_info: {
          ...id,
          user: 'root',
          name: 'bench',
          roles: [role],
          checkpoint: true,
          failover_timeout: 1_000_000,
          capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
        },
        // Who only asks wants no offers.
        ...(framework !== undefined && { suppressed_roles: [role] }),
      },
    });
    this.#stream = stream;
    this.#streamId = String(stream.headers['mesos-stream-id']);
    const decoder = createRecordDecoder();
    const subscribed = Promise.withResolvers<void>();
    stream.body.on('error', () => undefined);
    stream.body.on('data', (chunk: Buffer) => {
      for (const record of decoder.push(chunk)) {
        const event = decode(scheduler.EventType, record);
        if (event.type === 'ERROR') throw new Error(event.error?.message);
        if (event.subscribed !== undefined) {
          this.#frameworkId = event.subscribed.framework_id.value;
          subscribed.resolve();
        }
        onEvent(event);
      }
    });
    await subscribed.promise;
  }

  async #accept(offer: Offer, task_infos: readonly TaskInfo[]): Promise<void> {
    await this.#call({
      type: 'ACCEPT',
      accept: {
        offer_ids: [offer.id],
        operations: [{ type: 'LAUNCH', launch: { task_infos } }],
        filters: { refuse_seconds: 1_000_000 },
      },
    });
  }

  async #call(call: Omit<scheduler.Call, 'framework_id'>): Promise<void> {
    const answer = await this.#post({ ...call, framework_id: { value: this.#frameworkId } });
    const text = await answer.body.text();
    if (answer.statusCode !== 202) throw new Error(`${call.type}: ${answer.statusCode} ${text}`);
  }

  async #post(call: scheduler.Call): Promise<Dispatcher.ResponseData> {
    return await request(this.#url + PATH, {
      method: 'POST',
      dispatcher: this.#agent,
      headers: {
        'content-type': MEDIA_TYPES.protobuf,
        accept: MEDIA_TYPES.protobuf,
        ...(this.#streamId !== '' && { 'mesos-stream-id': this.#streamId }),
      },
      body: encode(scheduler.CallType, call),
    });
  }
}

/** A task that fits into an offer. */
export function taskOfOffer(offer: Offer, index: number): TaskInfo {
  const allocation_info = { role: ROLE };
  return {
    name: 'bench',
    task_id: { value: `bench-${index}` },
    agent_id: offer.agent_id,
    command: { value: 'sleep 1000' },
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 }, allocation_info },
      { name: 'mem', type: 'SCALAR', scalar: { value: 32 }, allocation_info },
    ],
  };
}
