/**
 * Sockets, timers and the store around one core.
 *
 * Everything that happens becomes an event of the core, one after another; the core's effects are
 * performed in order behind their writes, and only while this master leads. A failed write, a lost lease or a bug
 * ends the master: what is durable is enough for the next one. One that is asked to end first steps down.
 */

import { type Allocator } from '@dcos/allocator';
import { errorText, OperationError, type Cancel, type Clock, type Logger } from '@dcos/base';
import { stepDown, type FastifyReply, type HttpServer, type readTls } from '@dcos/http';
import type { Lease, Store } from '@dcos/store';
import { addHostGauges, createMetrics } from '@dcos/telemetry';
import type { Encoding, masterApi, MasterInfo } from '@dcos/wire';
import { type Master, type MasterEvent, type RegistryEntry } from '../core/index.ts';
import { createMasterMetrics } from '../views/metrics.ts';
import type { MasterIdentity } from '../views/v0-state.ts';
import { AccessControl } from './access-control.ts';
import { AgentSockets } from './agent-sockets.ts';
import { NO_LEADER, NOT_RECOVERED, refuseNotTaken } from './answers.ts';
import { type ResolvedMasterConfig } from './config.ts';
import { CoreLoop } from './core-loop.ts';
import { Election } from './election.ts';
import { performEffect, type Performers } from './effects.ts';
import { addLeaderRedirect, type Elsewhere } from './leader-redirect.ts';
import { addJsonRoutes } from './json-routes.ts';
import { PendingRequests } from './pending-requests.ts';
import { IncidentStreams } from './incident-routes.ts';
import { Instruments } from './instruments.ts';
import { rateLimitsOf, Throttle } from './throttle.ts';
import { MasterLog } from './master-log.ts';
import { OperatorStreams } from './operator-streams.ts';
import { SchedulerStreams } from './streams.ts';
import { whitelistOf, type Whitelist } from './whitelist.ts';
import { Timers } from './timers.ts';
import { addV1Routes } from './v1-routes.ts';

export interface MasterDeps {
  readonly logger: Logger;
  readonly store: Store;
  readonly clock?: Clock;
  /** Flags of the program around it, by the original's names, for `/flags`. */
  readonly flags?: Readonly<Record<string, string>>;
  /** What was read of the certificates, where the store's connections need them too. */
  readonly tls?: ReturnType<typeof readTls>;
  /** Why the store can elect nobody yet, for those who ask; undefined when it can. */
  readonly waitsFor?: (() => string | undefined) | undefined;
  /** Called when the master cannot go on; it has stopped by then. Throws out of the event loop when absent. */
  readonly onFatal?: (error: unknown) => void;
}

/** What exists once this master leads. */
export interface Leadership {
  readonly core: Master;
  readonly allocator: Allocator;
  readonly identity: MasterIdentity;
  readonly masterInfo: MasterInfo;
  readonly lease: Lease;
}

/** Sockets, timers and the store around one core. */
export class MasterShell {
  readonly config: ResolvedMasterConfig;
  readonly log: MasterLog;
  readonly access: AccessControl;
  readonly requests = new PendingRequests();
  readonly operatorStreams: OperatorStreams;
  readonly incidentStreams = new IncidentStreams();
  readonly metrics = createMetrics();
  readonly instruments: Instruments;
  readonly throttle: Throttle;
  /** What is in force, by the original's names; known once the port is. */
  flags: Readonly<Record<string, string>> = {};
  readonly #deps: MasterDeps;
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #http: HttpServer;
  readonly #schedulerStreams: SchedulerStreams;
  readonly #agents: AgentSockets;
  readonly #timers: Timers;
  readonly #whitelist: Whitelist | undefined;
  readonly #election: Election;
  readonly #performers: Performers;
  #leadership: Leadership | undefined;
  #loop: CoreLoop | undefined;
  #masterMetrics: ReturnType<typeof createMasterMetrics> | undefined;
  #cancelBeat: Cancel = () => undefined;
  #isLeaving = false;
  #steppingDown: Promise<void> | undefined;
  readonly #ending = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(config: ResolvedMasterConfig, deps: MasterDeps, clock: Clock, http: HttpServer) {
    addHostGauges(this.metrics);
    this.access = new AccessControl(config, clock);
    this.throttle = new Throttle(rateLimitsOf(config.rateLimits), clock);
    this.log = new MasterLog(deps.logger, clock);
    this.config = config;
    if (this.access.listsOfAgents.length > 0) {
      this.log.info(
        { event: 'acls.of-agents', lists: this.access.listsOfAgents },
        'these access control lists are enforced by the agents, not by the master',
      );
    }
    this.#deps = deps;
    this.#clock = clock;
    this.#election = new Election(deps.store, this.log);
    this.#startedMs = clock.monotonicMs();
    this.#http = http;
    this.operatorStreams = new OperatorStreams({
      epoch: () => this.#leadership?.identity.id ?? '',
      streamsMax: config.operatorSubscribersMax,
      eventsKeptMax: config.operatorEventsKeptMax,
    });
    this.#schedulerStreams = new SchedulerStreams((streamId) =>
      this.dispatch({ kind: 'streamClosed', streamId }),
    );
    this.#timers = new Timers(clock, (timer) => this.dispatch({ kind: 'timer', timer }));
    this.#agents = new AgentSockets({
      frameBytesMax: config.agentFrameBytesMax,
      bufferedBytesMax: config.agentBufferedBytesMax,
      connectionsMax: config.agentConnectionsMax,
      registerTimeoutMs: config.agentRegisterTimeoutMs,
      clock,
      logger: this.log,
      logIn: this.access.agentLogIn,
      requiresCertificate: config.sslRequireAgentCert,
      elsewhere: () => this.elsewhere(),
      onFrame: (connection, frame, principal) =>
        this.dispatch({ kind: 'agentFrame', connection, frame, principal }),
      onClosed: (connection) => this.dispatch({ kind: 'agentClosed', connection }),
    });
    this.#whitelist = whitelistOf(config.whitelist, {
      clock,
      logger: this.log,
      onChange: (hostnames) => this.dispatch({ kind: 'whitelist', hostnames }),
    });
    this.instruments = new Instruments(this.metrics, () => clock.monotonicMs(), {
      effects: () => this.#loop?.effects ?? 0,
      writes: () => this.#loop?.writes ?? 0,
      requests: () => this.requests.size,
    });
    this.#performers = {
      config,
      log: this.log,
      requests: this.requests,
      viewerOf: (request) => this.access.viewerOf(request),
      schedulerStreams: this.#schedulerStreams,
      operatorStreams: this.operatorStreams,
      incidentStreams: this.incidentStreams,
      agents: this.#agents,
      timers: this.#timers,
      instruments: this.instruments,
      fail: (error) => this.#fail(error),
    };
  }

  /** The time by which the core measures what lasts. */
  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  /** Undefined unless this master leads, and for one that gives it up. */
  get leadership(): Leadership | undefined {
    if (this.#isLeaving) return undefined;
    return this.#leadership?.lease.isHeld() === true ? this.#leadership : undefined;
  }

  /** Whether this master will end, and takes nothing any more. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** Resolves when this master leads. */
  async stand(info: MasterInfo): Promise<Lease> {
    const lease = await this.#election.stand(info, this.#clock);
    if (!this.#isLeaving) return lease;
    await this.#election.release();
    throw closedBefore();
  }

  /** Where the leader is; undefined when this master leads. */
  elsewhere(): Elsewhere | undefined {
    if (this.leadership !== undefined) return undefined;
    const { isOwn, leader } = this.#election;
    if (isOwn) return { status: 503, text: this.#isLeaving ? NO_LEADER : NOT_RECOVERED };
    if (leader === undefined) {
      return { status: 503, text: this.#deps.waitsFor?.() ?? NO_LEADER };
    }
    const { hostname, address, port } = leader;
    const host = hostname ?? address?.hostname ?? address?.ip;
    return { status: 307, location: `//${host}:${port}` };
  }

  get masterMetrics(): ReturnType<typeof createMasterMetrics> | undefined {
    return this.leadership === undefined ? undefined : this.#masterMetrics;
  }

  addRoutes(): void {
    this.access.install(this.#http.app);
    addLeaderRedirect(this.#http.app, this);
    addV1Routes(this.#http.app, this);
    addJsonRoutes(this.#http.app, this);
    this.#agents.attach(this.#http.app.server);
  }

  /** Throws `MASTER_CLOSED` for one that has been asked to end meanwhile. */
  begin(leadership: Leadership, entries: readonly RegistryEntry[]): void {
    if (this.#isLeaving) throw closedBefore();
    this.#leadership = leadership;
    const { core, allocator, lease } = leadership;
    this.#masterMetrics = createMasterMetrics(
      this.metrics,
      { state: core.state, allocator },
      {
        uptimeSeconds: () => (this.#clock.monotonicMs() - this.#startedMs) / 1000,
        subscribers: () => this.operatorStreams.size,
        perFramework: this.config.publishPerFrameworkMetrics,
        principals: () => this.throttle.readings(),
      },
    );
    const clock = this.#clock;
    this.#loop = new CoreLoop({
      lease,
      clock,
      store: this.#deps.store,
      registryStoreTimeoutMs: this.config.registryStoreTimeoutMs,
      handle: (event) => {
        const handled =
          event.kind === 'timer' ? this.instruments.timerFired(event.timer) : undefined;
        const effects = core.handle(this.#identified(event), clock.now(), clock.monotonicMs());
        handled?.();
        return effects;
      },
      perform: (effect) => performEffect(effect, this.#performers),
      written: (writes, tookMs) => this.instruments.registryWritten(writes, tookMs),
      onFailure: (error) => this.#fail(error),
    });
    this.dispatch({ kind: 'recovered', entries });
    this.#whitelist?.start();
    this.#beat();
  }

  /** Keeps operator streams alive; the core sends the heartbeats of schedulers. */
  #beat(): void {
    this.#cancelBeat = this.#clock.setTimer(this.config.heartbeatIntervalMs, () => {
      this.operatorStreams.beat();
      this.incidentStreams.beat();
      this.#beat();
    });
  }

  /** Makes a call of the operator API; the core answers it, in JSON where the route does not say otherwise. */
  dispatchCall(reply: FastifyReply, call: masterApi.Call, encoding: Encoding = 'json'): void {
    // The body may have come after the leadership had gone.
    if (this.leadership === undefined) refuseNotTaken(reply);
    else {
      const request = this.requests.add({ reply, encoding });
      this.dispatch({ kind: 'operatorCall', request, call });
    }
  }

  /** Hands an event to the core and its effects to the queue. */
  dispatch(event: MasterEvent): void {
    if (this.#loop === undefined || this.#isLeaving) return;
    if (this.log.isVerbose) this.log.debug({ event: 'core.event', kind: event.kind }, 'event');
    this.#loop.dispatch(event);
  }

  /** The event with who caused it; every call comes through here, so that no route can forget it. */
  #identified(event: MasterEvent): MasterEvent {
    if (event.kind !== 'schedulerCall' && event.kind !== 'operatorCall') return event;
    const pending = this.requests.get(event.request);
    const principal = pending && this.access.principalOf(pending.reply.request);
    return principal === undefined ? event : { ...event, principal };
  }

  #fail(error: unknown): void {
    if (this.#closing !== undefined) return;
    this.log.error({ event: 'master.failed', error: errorText(error) }, 'the master cannot go on');
    void this.close();
    if (this.#deps.onFatal !== undefined) this.#deps.onFatal(error);
    else
      setImmediate(() => {
        throw error;
      });
  }

  /**
   * From now on this master answers as one that does not lead. What it took is finished, the next one leads, and
   * whoever has a connection here is told so until it ends. Resolves when `close` cuts nobody off, or the time is up.
   */
  async stepDown(): Promise<void> {
    if (this.#closing !== undefined) return;
    this.#isLeaving = true;
    this.#steppingDown ??= stepDown({
      server: this.#http,
      finish: () => this.#finish(),
      release: () => this.#release(),
      succeeded: () => this.#election.succeeded(),
      ending: this.#ending.signal,
    });
    await this.#steppingDown;
  }

  /** The core's answers to what it was asked leave. */
  async #finish(): Promise<void> {
    this.log.info({ event: 'master.steps-down' }, 'this master takes nothing any more');
    this.#election.withdraw();
    this.throttle.passOnAll();
    await this.#loop?.idle();
  }

  async #release(): Promise<void> {
    this.#endCore();
    await this.#election.release();
    this.#endStreams();
  }

  async close(): Promise<void> {
    this.#isLeaving = true;
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#ending.abort();
    this.#election.stop();
    this.#endCore();
    this.log.close();
    this.#endStreams();
    await this.#http.close();
    await this.#election.release();
  }

  /** Nothing is handled or performed any more; what was not answered is refused. */
  #endCore(): void {
    this.#loop?.stop();
    this.#timers.cancelAll();
    this.#whitelist?.stop();
    this.#cancelBeat();
    this.throttle.close();
    this.requests.refuseAll();
  }

  #endStreams(): void {
    this.operatorStreams.closeAll();
    this.incidentStreams.closeAll();
    this.#schedulerStreams.closeAll();
    this.#agents.closeAll();
  }
}

function closedBefore(): OperationError {
  return new OperationError('MASTER_CLOSED', 'the master was closed before it led');
}
