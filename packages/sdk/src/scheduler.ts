/**
 * The scheduler client: keeps a framework subscribed at the leading master, hands out its events and
 * makes its calls.
 *
 * Invariants: calls reach the master in the order in which they were made, acknowledgements in theirs
 * (on a connection of their own, so that a burst of them never delays a launch); a call is sent at most
 * once; calls of a lost stream fail rather than reach the stream after it.
 * Source: scheduler API v1 of the original.
 */

import { errorText, frameworkId, OperationError, type FrameworkId } from '@dcos/base';
import {
  decodeAs,
  encodeAs,
  MEDIA_TYPES,
  scheduler,
  type Encoding,
  type Filters,
  type FrameworkInfo,
  type KillPolicy,
  type Offer_Operation,
  type OfferID,
  type OperationStatus,
  type AgentID,
  type TaskID,
  type TaskStatus,
} from '@dcos/wire';
import { isStaleAnswer, stopReasonOf } from './core/answers.ts';
import type { Phase } from './core/subscription.ts';
import {
  ANSWER_BYTES_MAX,
  CALL_MS_MAX,
  CALLS_WAITING_MAX,
  type SchedulerCall,
  type SchedulerConnection,
  type SchedulerOptions,
  type UpdateOptions,
} from './scheduler-connection.ts';
import {
  heartbeatIntervalMsOf,
  toSchedulerEvent,
  type MasterEvent,
  type SchedulerEvent,
} from './scheduler-events.ts';
import { CallLane, type LaneAnswer } from './shell/call-lane.ts';
import type { StreamSource, Verdict } from './shell/event-stream.ts';
import { Reconciler } from './shell/reconciler.ts';
import { Subscriber, type Ending } from './shell/subscriber.ts';
import { systemClock } from './shell/system-ports.ts';

const PATH = '/api/v1/scheduler';

/** Subscribes a framework and keeps it subscribed until it is closed or the master ends it. */
export function connectScheduler(options: SchedulerOptions): SchedulerConnection {
  const connection = new Connection(options);
  connection.start();
  return connection;
}

interface Lanes {
  readonly generation: number;
  readonly calls: CallLane;
  readonly acknowledgements: CallLane;
}

class Connection implements SchedulerConnection {
  readonly #options: SchedulerOptions;
  readonly #encoding: Encoding;
  readonly #subscriber: Subscriber<scheduler.Event, MasterEvent>;
  readonly #reconciler: Reconciler;
  readonly #text = new TextDecoder('utf-8', { fatal: true });
  #framework: FrameworkInfo;
  #update: UpdateOptions;
  #lanes: Lanes | undefined;
  #tearingDown = false;
  /** Settles with the next subscription. */
  #subscribed = Promise.withResolvers<undefined>();

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#encoding = options.encoding ?? 'protobuf';
    this.#framework = options.framework;
    this.#update = {
      ...(options.suppressedRoles === undefined
        ? {}
        : { suppressedRoles: options.suppressedRoles }),
      ...(options.offerConstraints === undefined
        ? {}
        : { offerConstraints: options.offerConstraints }),
    };
    const { headers, tls, retryMsMax, clock, random, logger, listener } = options;
    this.#reconciler = new Reconciler(clock ?? systemClock, (tasks) =>
      this.#sendInBackground('RECONCILE', () => this.reconcile(tasks)),
    );
    this.#subscriber = new Subscriber({
      subject: 'framework',
      origins: options.masters,
      path: PATH,
      encoding: this.#encoding,
      eventType: scheduler.EventType,
      subscribeBody: () => this.#subscribeBody(),
      headers,
      tls,
      retryMsMax,
      clock,
      random,
      logger,
      listener,
      judge: (event, source) => this.#judge(event, source),
      typed: (event, source) => toSchedulerEvent(event, source.origin),
      handled: (event, source) => this.#handled(event, source),
      lost: (problem) => this.#lost(problem),
      over: (problem) => this.#closeLanes(problem),
    });
  }

  get frameworkId(): FrameworkId | undefined {
    const id = this.#framework.id?.value;
    return id === undefined || id === '' ? undefined : frameworkId(id);
  }

  get phase(): Phase {
    return this.#subscriber.phase;
  }

  get done(): Promise<Ending> {
    return this.#subscriber.done;
  }

  start(): void {
    this.#subscriber.start();
  }

  [Symbol.asyncIterator](): AsyncIterator<SchedulerEvent> {
    return this.#subscriber.iterate();
  }

  async call(call: SchedulerCall): Promise<scheduler.Response | undefined> {
    const lanes = this.#lanes;
    const id = this.#framework.id;
    if (lanes === undefined || id === undefined) {
      throw new OperationError('SDK_NOT_SUBSCRIBED', `${call.type}: not subscribed at a master`, {
        retry: 'later',
      });
    }
    const acknowledges =
      call.type === 'ACKNOWLEDGE' || call.type === 'ACKNOWLEDGE_OPERATION_STATUS';
    const lane = acknowledges ? lanes.acknowledgements : lanes.calls;
    const body = encodeAs(this.#encoding, scheduler.CallType, { ...call, framework_id: id });
    const answer = await lane.post(body);
    return this.#answered(call.type, lanes.generation, answer);
  }

  async accept(
    offers: readonly OfferID[],
    operations: readonly Offer_Operation[],
    filters?: Filters,
  ): Promise<void> {
    const accept = { offer_ids: offers, operations, ...(filters === undefined ? {} : { filters }) };
    await this.call({ type: 'ACCEPT', accept });
  }

  async decline(offers: readonly OfferID[], filters?: Filters): Promise<void> {
    const decline = { offer_ids: offers, ...(filters === undefined ? {} : { filters }) };
    await this.call({ type: 'DECLINE', decline });
  }

  async acknowledge(status: TaskStatus): Promise<void> {
    const { uuid, agent_id, task_id } = status;
    if (uuid === undefined || uuid.length === 0 || agent_id === undefined) return;
    await this.call({ type: 'ACKNOWLEDGE', acknowledge: { agent_id, task_id, uuid } });
  }

  async acknowledgeOperation(status: OperationStatus): Promise<void> {
    const { uuid, operation_id, agent_id, resource_provider_id } = status;
    if (uuid === undefined || operation_id === undefined) return;
    await this.call({
      type: 'ACKNOWLEDGE_OPERATION_STATUS',
      acknowledge_operation_status: {
        operation_id,
        uuid: uuid.value,
        ...(agent_id === undefined ? {} : { agent_id }),
        ...(resource_provider_id === undefined ? {} : { resource_provider_id }),
      },
    });
  }

  async kill(task: TaskID, options: { agent?: AgentID; policy?: KillPolicy } = {}): Promise<void> {
    const { agent, policy } = options;
    const kill = {
      task_id: task,
      ...(agent === undefined ? {} : { agent_id: agent }),
      ...(policy === undefined ? {} : { kill_policy: policy }),
    };
    await this.call({ type: 'KILL', kill });
  }

  async reconcile(tasks: readonly scheduler.Call_Reconcile_Task[]): Promise<void> {
    await this.call({ type: 'RECONCILE', reconcile: { tasks } });
  }

  async revive(roles: readonly string[] = []): Promise<void> {
    await this.call({ type: 'REVIVE', revive: { roles } });
  }

  async suppress(roles: readonly string[] = []): Promise<void> {
    await this.call({ type: 'SUPPRESS', suppress: { roles } });
  }

  async updateFramework(framework: FrameworkInfo, options: UpdateOptions = {}): Promise<void> {
    const { id } = this.#framework;
    const framework_info = id === undefined ? framework : { ...framework, id };
    await this.call({
      type: 'UPDATE_FRAMEWORK',
      update_framework: { framework_info, ...subscribeFields(options) },
    });
    this.#framework = framework_info;
    this.#update = options;
  }

  async teardown(): Promise<void> {
    this.#tearingDown = true;
    try {
      while (!(await this.#tryTeardown()));
    } finally {
      this.#tearingDown = false;
    }
    this.#subscriber.stop('closed', 'the framework was torn down');
  }

  /**
   * The master closes the stream of a framework that it removes, often before it answers. Whether a call
   * without an answer took effect shows when subscribing again: a framework that is gone is refused.
   */
  async #tryTeardown(): Promise<boolean> {
    try {
      await this.call({ type: 'TEARDOWN' });
      return true;
    } catch (error) {
      if (!(error instanceof OperationError) || error.retry !== 'later') throw error;
      const stopped = await Promise.race([this.#subscriber.done, this.#subscribed.promise]);
      if (stopped === undefined) return false;
      if (stopped.reason === 'removed') return true;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#subscriber.close('closed by the framework');
  }

  #subscribeBody(): Uint8Array {
    const { id } = this.#framework;
    return encodeAs(this.#encoding, scheduler.CallType, {
      type: 'SUBSCRIBE',
      ...(id === undefined ? {} : { framework_id: id }),
      subscribe: { framework_info: this.#framework, ...subscribeFields(this.#update) },
    });
  }

  #judge(event: scheduler.Event, source: StreamSource): Verdict {
    if (event.subscribed !== undefined) {
      this.#framework = { ...this.#framework, id: event.subscribed.framework_id };
      this.#openLanes(source);
      // Before anything that the listener asks for: the answers come before offers that it revives.
      if (this.#options.tasks !== undefined) this.#reconciler.begin(this.#options.tasks());
      const seconds = event.subscribed.heartbeat_interval_seconds;
      return { kind: 'subscribed', heartbeatIntervalMs: heartbeatIntervalMsOf(seconds) };
    }
    if (event.update !== undefined) this.#reconciler.heard(event.update.status.task_id.value);
    if (event.error !== undefined) {
      const problem = `the master refused the subscription: ${event.error.message}`;
      const reason = stopReasonOf(event.error.message);
      return reason === undefined ? { kind: 'lost', problem } : { kind: 'stop', reason, problem };
    }
    return { kind: 'continue' };
  }

  /** The listener is done with an event: what it told is acknowledged. */
  #handled(event: MasterEvent, { generation }: StreamSource): void {
    // An acknowledgement belongs to the stream that brought the update; a newer one brings it again.
    if (this.#options.acknowledge === 'manual' || this.#lanes?.generation !== generation) return;
    if (event.kind === 'update')
      this.#sendInBackground('ACKNOWLEDGE', () => this.acknowledge(event.status));
    else if (event.kind === 'operationUpdate')
      this.#sendInBackground('ACKNOWLEDGE_OPERATION_STATUS', () =>
        this.acknowledgeOperation(event.status),
      );
  }

  /** Makes a call that nobody waits for: when it fails, what it was for comes again. */
  #sendInBackground(type: scheduler.Call_Type, send: () => Promise<void>): void {
    send().catch((error: unknown) => {
      const problem = errorText(error);
      this.#options.logger.warn({ event: 'framework.call-failed', type, problem }, problem);
    });
  }

  #openLanes(source: StreamSource): void {
    this.#closeLanes('subscribed anew');
    const { headers, tls, callMsMax, callsWaitingMax } = this.#options;
    const mediaType = MEDIA_TYPES[this.#encoding];
    const lane = (): CallLane =>
      new CallLane({
        origin: source.origin,
        path: PATH,
        headers: {
          ...headers,
          'content-type': mediaType,
          accept: mediaType,
          ...(source.streamId === undefined ? {} : { 'mesos-stream-id': source.streamId }),
        },
        answerMsMax: callMsMax ?? CALL_MS_MAX,
        callsWaitingMax: callsWaitingMax ?? CALLS_WAITING_MAX,
        answerBytesMax: ANSWER_BYTES_MAX,
        tls,
      });
    this.#lanes = { generation: source.generation, calls: lane(), acknowledgements: lane() };
    this.#subscribed.resolve(undefined);
    this.#subscribed = Promise.withResolvers();
    const { origin } = source;
    this.#options.logger.info(
      { event: 'framework.subscribed', frameworkId: this.frameworkId, master: origin },
      'subscribed at the leading master',
    );
  }

  #closeLanes(reason: string): void {
    this.#reconciler.cancel();
    this.#lanes?.calls.close(reason);
    this.#lanes?.acknowledgements.close(reason);
    this.#lanes = undefined;
  }

  #answered(
    type: scheduler.Call_Type,
    generation: number,
    answer: LaneAnswer,
  ): scheduler.Response | undefined {
    if (answer.status === 200 || answer.status === 202) {
      if (answer.body.length === 0 || type !== 'RECONCILE_OPERATIONS') return undefined;
      return decodeAs(this.#encoding, scheduler.ResponseType, answer.body, (bytes) =>
        this.#text.decode(bytes),
      );
    }
    const body = new TextDecoder().decode(answer.body).trim();
    const problem = `the master answered ${type} with ${answer.status}${body === '' ? '' : `: ${body}`}`;
    const stale = isStaleAnswer(answer.status, body);
    if (stale) this.#subscriber.stale(generation, problem);
    throw new OperationError('SDK_CALL_REFUSED', problem, {
      retry: stale || answer.status >= 500 ? 'later' : 'never',
      details: { status: answer.status, body },
    });
  }

  #lost(problem: string): boolean {
    // The answer to the teardown that closed the stream may still be on its way.
    if (this.#tearingDown) return false;
    this.#closeLanes(problem);
    return true;
  }
}

function subscribeFields(options: UpdateOptions): Omit<scheduler.Call_Subscribe, 'framework_info'> {
  const { suppressedRoles, offerConstraints } = options;
  return {
    ...(suppressedRoles === undefined ? {} : { suppressed_roles: suppressedRoles }),
    ...(offerConstraints === undefined ? {} : { offer_constraints: offerConstraints }),
  };
}
