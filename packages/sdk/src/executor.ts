/**
 * The executor client: keeps an executor subscribed at its agent, hands out what the agent wants, and
 * delivers status updates until they are acknowledged.
 *
 * Invariants: updates reach the agent in the order in which they were made; one whose delivery is in doubt
 * is told again by the next subscription, never by a second call; without checkpointing a lost agent ends the
 * connection at once, with it after the recovery time-out.
 * Source: executor API v1 of the original.
 */

import {
  errorText,
  OperationError,
  randomUuidBytes,
  type Cancel,
  type Clock,
  type Random,
} from '@dcos/base';
import {
  encodeAs,
  executor,
  MEDIA_TYPES,
  type Encoding,
  type TaskID,
  type TaskState,
} from '@dcos/wire';
import type { Phase } from './core/subscription.ts';
import { keyOf, Unacknowledged, UPDATES_WAITING_MAX } from './core/unacknowledged.ts';
import { executorEnvironment, type ExecutorEnvironment } from './executor-environment.ts';
import {
  EXECUTOR_HEARTBEAT_MS,
  type ExecutorConnection,
  type ExecutorOptions,
  type UpdateDetails,
} from './executor-connection.ts';
import { toExecutorEvent, type AgentEvent, type ExecutorEvent } from './executor-events.ts';
import { ANSWER_BYTES_MAX, CALL_MS_MAX, CALLS_WAITING_MAX } from './scheduler-connection.ts';
import { CallLane, type LaneAnswer } from './shell/call-lane.ts';
import type { StreamSource, Verdict } from './shell/event-stream.ts';
import { Subscriber, type Ending } from './shell/subscriber.ts';
import { readTls } from './shell/tls-files.ts';
import { systemClock, systemRandom } from './shell/system-ports.ts';
import type { TlsOptions } from './tls.ts';

const PATH = '/api/v1/executor';

/**
 * Subscribes an executor at the agent that started it.
 * @throws OperationError `SDK_ENVIRONMENT_INVALID`, also for files of TLS that cannot be read.
 */
export function connectExecutor(options: ExecutorOptions): ExecutorConnection {
  const connection = new Connection(
    options,
    options.environment ?? executorEnvironment(process.env),
  );
  connection.start();
  return connection;
}

class Connection implements ExecutorConnection {
  readonly environment: ExecutorEnvironment;
  readonly #options: ExecutorOptions;
  readonly #encoding: Encoding;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #tls: TlsOptions | undefined;
  readonly #subscriber: Subscriber<executor.Event, AgentEvent>;
  readonly #unacknowledged = new Unacknowledged();
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>();
  #lane: { readonly generation: number; readonly calls: CallLane } | undefined;
  #cancelRecovery: Cancel | undefined;
  #cancelHeartbeat: Cancel | undefined;
  #shuttingDown = false;
  #over = false;

  constructor(options: ExecutorOptions, environment: ExecutorEnvironment) {
    this.environment = environment;
    this.#options = options;
    this.#tls = environment.speaksTls ? readTls(environment) : undefined;
    this.#encoding = options.encoding ?? 'protobuf';
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    const { logger, listener } = options;
    this.#subscriber = new Subscriber({
      subject: 'executor',
      origins: [`${environment.speaksTls ? 'https' : 'http'}://${environment.agent}`],
      path: PATH,
      encoding: this.#encoding,
      eventType: executor.EventType,
      subscribeBody: () =>
        this.#body({ type: 'SUBSCRIBE', subscribe: this.#unacknowledged.list() }),
      headers: this.#authorization(),
      tls: this.#tls,
      retryMsMax: environment.subscriptionBackoffMsMax,
      clock: this.#clock,
      random: this.#random,
      logger,
      listener,
      judge: (event, source) => this.#judge(event, source),
      typed: toExecutorEvent,
      lost: (problem) => this.#lost(problem),
      over: (problem) => this.#ended(problem),
    });
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

  [Symbol.asyncIterator](): AsyncIterator<ExecutorEvent> {
    return this.#subscriber.iterate();
  }

  update(taskId: TaskID, state: TaskState, details: UpdateDetails = {}): Promise<void> {
    if (this.#over)
      return Promise.reject(new OperationError('SDK_DISCONNECTED', 'the connection is over'));
    if (this.#unacknowledged.full) {
      const problem = `${UPDATES_WAITING_MAX} updates wait for their acknowledgement`;
      return Promise.reject(new OperationError('SDK_QUEUE_FULL', problem, { retry: 'later' }));
    }
    const status = {
      timestamp: this.#clock.now() / 1000,
      executor_id: { value: this.environment.executorId },
      ...details,
      task_id: taskId,
      state,
      source: 'SOURCE_EXECUTOR',
      uuid: randomUuidBytes(this.#random),
    } as const;
    const acknowledged = Promise.withResolvers<void>();
    this.#waiting.set(keyOf(status.uuid), acknowledged);
    this.#unacknowledged.updated(status);
    if (this.#lane !== undefined) void this.#deliver({ status });
    acknowledged.promise.catch((error: unknown) => this.#warn(error));
    return acknowledged.promise;
  }

  async sendMessage(data: Uint8Array): Promise<void> {
    await this.#post({ type: 'MESSAGE', message: { data } });
  }

  async close(): Promise<void> {
    await this.#subscriber.close('closed by the executor');
  }

  #body(call: Omit<executor.Call, 'framework_id' | 'executor_id'>): Uint8Array {
    const { frameworkId, executorId } = this.environment;
    return encodeAs(this.#encoding, executor.CallType, {
      ...call,
      framework_id: { value: frameworkId },
      executor_id: { value: executorId },
    });
  }

  #authorization(): Readonly<Record<string, string>> {
    const { token } = this.environment;
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  #judge(event: executor.Event, source: StreamSource): Verdict {
    if (event.subscribed !== undefined) {
      this.#open(source);
      return { kind: 'subscribed', heartbeatIntervalMs: EXECUTOR_HEARTBEAT_MS };
    }
    if (event.error !== undefined) {
      const problem = `the agent refused the executor: ${event.error.message}`;
      return { kind: 'stop', reason: 'refused', problem };
    }
    if (event.launch !== undefined) this.#unacknowledged.launched(event.launch.task);
    for (const task of event.launch_group?.task_group.tasks ?? [])
      this.#unacknowledged.launched(task);
    if (event.acknowledged !== undefined) {
      const { task_id, uuid } = event.acknowledged;
      if (this.#unacknowledged.acknowledged(task_id.value, uuid)) this.#settle(uuid);
    }
    if (event.type === 'SHUTDOWN') this.#shuttingDown = true;
    return { kind: 'continue' };
  }

  #open(source: StreamSource): void {
    this.#closeLane('subscribed anew');
    this.#cancelRecovery?.();
    this.#cancelRecovery = undefined;
    const mediaType = MEDIA_TYPES[this.#encoding];
    const calls = new CallLane({
      origin: source.origin,
      path: PATH,
      headers: { ...this.#authorization(), 'content-type': mediaType, accept: mediaType },
      answerMsMax: CALL_MS_MAX,
      callsWaitingMax: UPDATES_WAITING_MAX + CALLS_WAITING_MAX,
      answerBytesMax: ANSWER_BYTES_MAX,
      tls: this.#tls,
    });
    this.#lane = { generation: source.generation, calls };
    for (const update of this.#unacknowledged.unlisted()) void this.#deliver(update);
    this.#beatLater();
  }

  #beatLater(): void {
    this.#cancelHeartbeat = this.#clock.setTimer(EXECUTOR_HEARTBEAT_MS, () => {
      this.#beatLater();
      this.#post({ type: 'HEARTBEAT' }).catch((error: unknown) => this.#warn(error));
    });
  }

  /** Sends an update; whatever goes wrong but a refusal, the next subscription tells it again. */
  async #deliver(update: executor.Call_Update): Promise<void> {
    const generation = this.#lane?.generation;
    try {
      await this.#post({ type: 'UPDATE', update });
    } catch (error) {
      const refused = error instanceof OperationError && error.retry === 'never';
      const { uuid } = update.status;
      if (refused && uuid !== undefined) {
        this.#unacknowledged.refused(uuid);
        this.#settle(uuid, error);
      } else if (generation !== undefined && generation === this.#lane?.generation)
        this.#subscriber.stale(generation, errorText(error));
    }
  }

  async #post(call: Omit<executor.Call, 'framework_id' | 'executor_id'>): Promise<void> {
    const lane = this.#lane;
    if (lane === undefined) {
      throw new OperationError('SDK_NOT_SUBSCRIBED', `${call.type}: not subscribed at the agent`, {
        retry: 'later',
      });
    }
    const answer: LaneAnswer = await lane.calls.post(this.#body(call));
    if (answer.status === 200 || answer.status === 202) return;
    const { status } = answer;
    const body = new TextDecoder().decode(answer.body).trim();
    // 403 says that the agent no longer knows the stream, 5xx that it is not ready.
    const again = status === 403 || status >= 500;
    throw new OperationError(
      'SDK_CALL_REFUSED',
      `the agent answered ${call.type} with ${status}: ${body}`,
      { retry: again ? 'later' : 'never', details: { status, body } },
    );
  }

  #settle(uuid: Uint8Array, error?: unknown): void {
    const key = keyOf(uuid);
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    if (error === undefined) waiting?.resolve();
    else waiting?.reject(error);
  }

  #warn(error: unknown): void {
    const problem = errorText(error);
    this.#options.logger.warn({ event: 'executor.call-failed', problem }, problem);
  }

  #closeLane(reason: string): void {
    this.#cancelHeartbeat?.();
    this.#lane?.calls.close(reason);
    this.#lane = undefined;
  }

  #lost(problem: string): boolean {
    this.#closeLane(problem);
    const { checkpoint, recoveryTimeoutMs } = this.environment;
    const patienceMs = checkpoint && !this.#shuttingDown ? recoveryTimeoutMs : 0;
    const reason = this.#shuttingDown ? 'closed' : 'agentLost';
    this.#cancelRecovery ??= this.#clock.setTimer(patienceMs, () =>
      this.#subscriber.stop(reason, `${problem}; gave up after ${patienceMs} ms`),
    );
    return true;
  }

  #ended(problem: string): void {
    this.#over = true;
    this.#closeLane(problem);
    this.#cancelRecovery?.();
    const error = new OperationError('SDK_DISCONNECTED', `the connection ended: ${problem}`);
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
