/** Keeps the framework subscribed; makes a new framework when the master has removed this one. */

import { OperationError, type Logger } from '@dcos/base';
import type { ClientTls } from '@dcos/http';
import {
  systemClock,
  systemRandom,
  type SchedulerConnection,
  type SchedulerEvent,
  type SchedulerOptions,
} from '@dcos/sdk';
import { mastersOf } from '@dcos/store';
import type { MarathonState } from '../core/index.ts';
import type { MarathonConfig } from './config.ts';
import type { Engine, SchedulerPort } from './engine.ts';
import { frameworkInfo, schedulerPort, toMarathonEvent } from './mesos-scheduler.ts';

export interface MesosLinkInput {
  readonly config: MarathonConfig;
  readonly engine: Engine;
  readonly state: MarathonState;
  readonly url: string;
  readonly logger: Logger;
  readonly connect: (options: SchedulerOptions) => SchedulerConnection;
  readonly failed: (error: unknown) => void;
  readonly tls: ClientTls;
}

export class MesosLink {
  readonly subscribed: Promise<void>;
  readonly port: SchedulerPort;
  readonly #input: MesosLinkInput;
  #connection: SchedulerConnection;
  #closing = false;
  readonly #subscribed = Promise.withResolvers<void>();

  constructor(input: MesosLinkInput) {
    this.#input = input;
    this.subscribed = this.#subscribed.promise;
    this.#connection = this.#connect(input.state.frameworkId);
    this.port = schedulerPort(
      () => this.#connection,
      (roles) => this.#info(roles, input.state.frameworkId),
    );
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#connection.close();
  }

  #info(roles: readonly string[], id: string | undefined): ReturnType<typeof frameworkInfo> {
    const { config, url } = this.#input;
    return frameworkInfo(config, {
      roles,
      webuiUrl: config.webuiUrl ?? url,
      ...(id === undefined ? {} : { id }),
    });
  }

  #connect(frameworkId: string | undefined): SchedulerConnection {
    const { config, state, logger, connect, tls } = this.#input;
    return connect({
      masters: mastersOf(config.masters, {
        clock: systemClock,
        random: systemRandom,
        logger,
        hasTls: config.sslCertFile !== undefined || config.sslCaFile !== undefined,
        tls: config.zkTls ? tls : undefined,
      }),
      tls,
      framework: this.#info(state.subscribedRoles, frameworkId),
      logger,
      // Only when the consequences of an update are stored.
      acknowledge: 'manual',
      listener: (event) => this.#hear(event),
    });
  }

  #hear(event: SchedulerEvent): Promise<void> | undefined {
    if (this.#closing) return undefined;
    const marathonEvent = toMarathonEvent(event);
    if (marathonEvent !== undefined) this.#input.engine.post(marathonEvent);
    if (event.kind === 'subscribed') this.#subscribed.resolve();
    if (event.kind !== 'stopped') return this.#input.engine.pressure();
    if (event.reason === 'removed') {
      // The core forgets the id in the event above; the new framework gets a new one.
      queueMicrotask(() => void (this.#connection = this.#connect(undefined)));
      return undefined;
    }
    const error = new OperationError('MARATHON_NOT_SUBSCRIBED', event.problem);
    this.#subscribed.reject(error);
    this.#input.failed(error);
    return undefined;
  }
}
