/**
 * Who the master under test has to do with: frameworks and operators with open streams, agents with open
 * connections. They come and go; all counts are bounded.
 */

import {
  encodeAs,
  masterApi,
  scheduler,
  type agentProtocol,
  type Encoding,
  type FrameworkInfo,
} from '@dcos/wire';
import {
  connectAgent,
  openStream,
  type EventStream,
  type FakeAgent,
} from '../../packages/master/src/testing/http-client.ts';
import {
  AGENT_CAPABILITIES,
  frameworkInfo,
  resources,
} from '../../packages/master/src/testing/world.ts';
import type { Inputs } from './inputs.ts';

const FRAMEWORKS_MAX = 6;
const OPERATORS_MAX = 3;
const AGENTS_MAX = 6;
/** Events and frames remembered of one connection; older ones are of no use. */
const REMEMBERED_MAX = 500;
const ROLES = ['*', 'web', 'web/a', 'db'];

export interface Framework {
  readonly stream: EventStream<scheduler.Event>;
  readonly streamId: string;
  readonly encoding: Encoding;
}

export class Parties {
  frameworks: Framework[] = [];
  operators: EventStream<masterApi.Event>[] = [];
  agents: FakeAgent[] = [];
  readonly #url: string;
  readonly #inputs: Inputs;
  /** Ids of frameworks that were there, to come back under them. */
  readonly #frameworkIds: string[] = [];

  constructor(url: string, inputs: Inputs) {
    this.#url = url;
    this.#inputs = inputs;
  }

  /** Opens the stream of a framework, new or known; closes another when there are too many. */
  async subscribe(info: Partial<FrameworkInfo> = {}): Promise<void> {
    const inputs = this.#inputs;
    const encoding = inputs.pick<Encoding>(['json', 'protobuf']);
    const known = inputs.oneIn(3) ? this.#frameworkIds.at(-1) : undefined;
    const id = known === undefined ? {} : { id: { value: known } };
    const framework_info = frameworkInfo({
      roles: ROLES,
      failover_timeout: inputs.pick([0, 0.05, 3600]),
      ...info,
      ...id,
    });
    const call: scheduler.Call = {
      type: 'SUBSCRIBE',
      subscribe: { framework_info },
      ...(known !== undefined && { framework_id: { value: known } }),
    };
    const stream = await openStream(
      `${this.#url}/api/v1/scheduler`,
      encodeAs(encoding, scheduler.CallType, call),
      { type: scheduler.EventType, encoding },
    );
    const streamId = String(stream.headers['mesos-stream-id']);
    this.frameworks.push({ stream, streamId, encoding });
    while (this.frameworks.length > FRAMEWORKS_MAX) leave(this.frameworks.shift()?.stream);
  }

  async watch(): Promise<void> {
    const encoding = this.#inputs.pick<Encoding>(['json', 'protobuf']);
    const body = encodeAs(encoding, masterApi.CallType, { type: 'SUBSCRIBE' });
    const options = { type: masterApi.EventType, encoding };
    const stream = await openStream(`${this.#url}/api/v1`, body, options);
    // Looked up after the wait: the list may be another one by now.
    this.operators.push(stream);
    while (this.operators.length > OPERATORS_MAX) leave(this.operators.shift());
  }

  async connectAgent(): Promise<void> {
    const agent = await connectAgent(this.#url);
    this.agents.push(agent);
    while (this.agents.length > AGENTS_MAX) this.agents.shift()?.close();
    agent.send({
      type: 'REGISTER',
      register: {
        protocol: 1,
        version: '1',
        ip: '127.0.0.1',
        capabilities: AGENT_CAPABILITIES,
        agent_info: {
          hostname: 'host',
          resources: resources({ cpus: 64, mem: 65_536, disk: 10_000, ports: [31_000, 31_100] }),
        },
      },
    });
  }

  /** Drops one connection of some kind without a word. */
  drop(): void {
    const inputs = this.#inputs;
    const kind = inputs.below(3);
    if (kind === 0) inputs.pickAny(this.frameworks)?.stream.close();
    else if (kind === 1) inputs.pickAny(this.operators)?.close();
    else inputs.pickAny(this.agents)?.close();
    this.tidy();
  }

  /** Forgets what has ended and what is too old. */
  tidy(): void {
    const streams = [...this.frameworks.map(({ stream }) => stream), ...this.operators];
    // What held it may live on for a while in the HTTP client: not what it heard.
    for (const { events } of streams) if (events.ended) events.all.length = 0;
    for (const { frames } of this.agents) if (frames.ended) frames.all.length = 0;
    this.frameworks = this.frameworks.filter(({ stream }) => !stream.events.ended);
    this.operators = this.operators.filter(({ events }) => !events.ended);
    this.agents = this.agents.filter(({ frames }) => !frames.ended);
    const logs = [
      ...this.frameworks.map(({ stream }) => stream.events.all),
      ...this.operators.map(({ events }) => events.all),
      ...this.agents.map(({ frames }) => frames.all),
    ];
    for (const log of logs) if (log.length > REMEMBERED_MAX) log.splice(1, log.length - 100);
    for (const { stream } of this.frameworks) {
      const id = stream.events.all[0]?.subscribed?.framework_id.value;
      if (id !== undefined && !this.#frameworkIds.includes(id)) this.#frameworkIds.push(id);
    }
    while (this.#frameworkIds.length > FRAMEWORKS_MAX) this.#frameworkIds.shift();
  }

  /** Real names for the placeholders, as seen by this framework or any. */
  names(framework: Framework | undefined): ReadonlyMap<string, string> {
    const events = framework?.stream.events.all ?? [];
    const offer = events.findLast(({ offers }) => offers !== undefined)?.offers?.offers?.at(-1);
    const task = events.findLast(({ update }) => update !== undefined)?.update?.status.task_id
      .value;
    return new Map([
      ['@framework', events[0]?.subscribed?.framework_id.value ?? 'none'],
      ['@offer', offer?.id.value ?? 'none'],
      ['@agent', offer?.agent_id.value ?? 'none'],
      ['@task', task ?? 't1'],
    ]);
  }

  /** The last frame of a kind that an agent got. */
  lastFrame(agent: FakeAgent, type: agentProtocol.ToAgent_Type): agentProtocol.ToAgent | undefined {
    return agent.frames.all.findLast((frame) => frame.type === type);
  }

  close(): void {
    for (const { stream } of this.frameworks) stream.close();
    for (const stream of this.operators) stream.close();
    for (const agent of this.agents) agent.close();
  }
}

/** Closes a stream and forgets what it brought. */
function leave(stream: EventStream<unknown> | undefined): void {
  stream?.close();
  stream?.events.all.splice(0);
}
