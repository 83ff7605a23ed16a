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
  type AgentID,
  type TaskID,
  type TaskStatus,
} from '@dcos/wire';
import { isStaleAnswer, stopReasonOf } from './core/answers.ts';
import { masterOrigin } from './core/redirect.ts';
import type { Phase, StopReason } from './core/subscription.ts';
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
  type SchedulerEvent,
} from './scheduler-events.ts';
import { CallLane, type LaneAnswer } from './shell/call-lane.ts';
import { deliverByIteration, deliverTo, type Delivery } from './shell/delivery.ts';
import { EventStream, type StreamSource, type Verdict } from './shell/event-stream.ts';
import { systemClock, systemRandom } from './shell/system-ports.ts';

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
  readonly #stream: EventStream<scheduler.Event>;
  readonly #delivery: Delivery<SchedulerEvent>;
  readonly #done = Promise.withResolvers<{ reason: StopReason; problem: string }>();
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
    this.#delivery =
      options.listener === undefined ? deliverByIteration() : deliverTo(options.listener);
    this.#stream = new EventStream({
      masters: options.masters.map(masterOrigin),
      path: PATH,
      encoding: this.#encoding,
      eventType: scheduler.EventType,
      subscribeBody: () => this.#subscribeBody(),
      headers: options.headers ?? {},
      retryMsMax: options.retryMsMax,
      clock: options.clock ?? systemClock,
      random: options.random ?? systemRandom,
      logger: options.logger,
      receiver: {
        judge: (event, source) => this.#judge(event, source),
        deliver: (event, source) => this.#deliver(event, source),
        disconnected: (problem, retryInMs) => this.#disconnected(problem, retryInMs),
        stopped: (reason, problem) => this.#stopped(reason, problem),
        failed: (error) => this.#failed(error),
      },
    });
  }

  get frameworkId(): FrameworkId | undefined {
    const id = this.#framework.id?.value;
    return id === undefined || id === '' ? undefined : frameworkId(id);
  }

  get phase(): Phase {
    return this.#stream.phase;
  }

  get done(): Promise<{ readonly reason: StopReason; readonly problem: string }> {
    return this.#done.promise;
  }

  start(): void {
    this.#stream.start();
  }

  [Symbol.asyncIterator](): AsyncIterator<SchedulerEvent> {
    return this.#delivery.iterate(() => this.#stream.stop('closed', 'the iteration was left'));
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
    this.#stream.stop('closed', 'the framework was torn down');
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
      const stopped = await Promise.race([this.#done.promise, this.#subscribed.promise]);
      if (stopped === undefined) return false;
      if (stopped.reason === 'removed') return true;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#stream.stop('closed', 'closed by the framework');
    await this.#done.promise.catch(() => undefined);
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
      const seconds = event.subscribed.heartbeat_interval_seconds;
      return { kind: 'subscribed', heartbeatIntervalMs: heartbeatIntervalMsOf(seconds) };
    }
    if (event.error !== undefined) {
      const problem = `the master refused the subscription: ${event.error.message}`;
      const reason = stopReasonOf(event.error.message);
      return reason === undefined ? { kind: 'lost', problem } : { kind: 'stop', reason, problem };
    }
    return { kind: 'continue' };
  }

  #deliver(event: scheduler.Event, source: StreamSource): void | Promise<void> {
    const typed = toSchedulerEvent(event, source.origin);
    if (typed !== undefined) return this.#delivery.push(typed);
    this.#options.logger.debug(
      { event: 'subscription.event-unknown', type: event.type },
      'unknown event',
    );
    return undefined;
  }

  #openLanes(source: StreamSource): void {
    this.#closeLanes('subscribed anew');
    const { headers, callMsMax, callsWaitingMax } = this.#options;
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
    if (stale) this.#stream.stale(generation, problem);
    throw new OperationError('SDK_CALL_REFUSED', problem, {
      retry: stale || answer.status >= 500 ? 'later' : 'never',
      details: { status: answer.status, body },
    });
  }

  #disconnected(problem: string, retryInMs: number): void {
    // The answer to the teardown that closed the stream may still be on its way.
    if (this.#tearingDown) return;
    this.#closeLanes(problem);
    this.#options.logger.warn({ event: 'framework.disconnected', problem, retryInMs }, problem);
    this.#push({ kind: 'disconnected', problem, retryInMs });
  }

  #stopped(reason: StopReason, problem: string): void {
    this.#closeLanes(problem);
    this.#options.logger.info({ event: 'framework.stopped', reason, problem }, problem);
    this.#push({ kind: 'stopped', reason, problem });
    this.#delivery.end();
    this.#done.resolve({ reason, problem });
  }

  /** Delivers what the connection says about itself; these events hold nobody back. */
  #push(event: SchedulerEvent): void {
    const failed = (error: unknown): void => {
      this.#failed(error);
      this.#stream.stop('closed', errorText(error));
    };
    try {
      const delivered = this.#delivery.push(event);
      if (delivered !== undefined) void delivered.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #failed(error: unknown): void {
    const problem = errorText(error);
    this.#options.logger.error({ event: 'framework.listener-failed', problem }, problem);
    this.#delivery.end(error);
    this.#done.reject(error);
  }
}

function subscribeFields(options: UpdateOptions): Omit<scheduler.Call_Subscribe, 'framework_info'> {
  const { suppressedRoles, offerConstraints } = options;
  return {
    ...(suppressedRoles === undefined ? {} : { suppressed_roles: suppressedRoles }),
    ...(offerConstraints === undefined ? {} : { offer_constraints: offerConstraints }),
  };
}
