/**
 * Follows which Mesos master leads, for those who want to know whom to talk to. Reads what the original's
 * masters write, and needs no right but that to read.
 */

import {
  isJsonObject,
  OperationError,
  type Clock,
  type JsonValue,
  type Logger,
  type Random,
} from '@dcos/base';
import { parseZooKeeperAddress, type ZooKeeperAddress } from '../core/zookeeper/index.ts';
import type { ElectionLayout } from './candidates.ts';
import { ZooKeeperClient, type ZooKeeperClientOptions } from './client.ts';
import { watchLeader } from './leader-watch.ts';
import type { Transport } from './transport.ts';

export interface MasterAddress {
  readonly ip: string;
  /** What it is called; its address when it does not say. */
  readonly hostname: string;
  readonly port: number;
}

export interface MasterDetectorOptions {
  /** Its path is that of the masters' `--zk`. */
  readonly address: ZooKeeperAddress;
  readonly sessionTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly tls?: ZooKeeperClientOptions['tls'];
  readonly transport?: Transport;
  /** Called with whoever leads now, if anybody does, and after each change. */
  readonly listener: (master: MasterAddress | undefined) => void;
  /** Called with all masters that stand for election, the leader first, after each change, before `listener`. */
  readonly onMasters?: ((masters: readonly MasterAddress[]) => void) | undefined;
  /** Called when a server answers, and when none does any more. */
  readonly onReach?: (isReached: boolean) => void;
}

/** Where masters have their candidates: below the path of their `--zk`, as the original's. */
export function masterElectionLayout(path: string): ElectionLayout {
  return { directory: path, prefix: 'json.info_' };
}

/** Begins to follow; the returned function ends it, and its session. */
export function detectMaster(options: MasterDetectorOptions): () => Promise<void> {
  const { listener, onMasters, address, ...rest } = options;
  const { logger } = rest;
  const client = new ZooKeeperClient({ ...rest, address: { ...address, path: '/' } });
  let isKnown = false;
  client.listen({ onState: (state) => options.onReach?.(state === 'connected') });
  client.start();
  const stop = watchLeader({
    client,
    logger,
    layout: masterElectionLayout(address.path),
    onCandidates:
      onMasters &&
      ((candidates) => onMasters(candidates.flatMap((text) => masterAddressOf(text) ?? []))),
    listener: (leader) => {
      const master = leader && masterAddressOf(leader.candidate);
      if (leader !== undefined && master === undefined) {
        logger.warn({ event: 'leader.unreadable' }, 'the leading master does not say where it is');
      }
      // From nobody to one that says nothing is no change.
      if (isKnown || master !== undefined) listener(master);
      isKnown = master !== undefined;
    },
  });
  return async () => {
    stop();
    await client.close();
  };
}

export interface FollowMasterOptions extends Omit<
  MasterDetectorOptions,
  'address' | 'listener' | 'sessionTimeoutMs'
> {
  /** Whether masters speak TLS, which their election does not say. */
  readonly hasTls: boolean;
}

/** As the original's agents and drivers ask for. */
const SESSION_TIMEOUT_MS = 10_000;

/** Whoever leads, as a list of masters that has one entry, or none while nobody does. */
export interface FollowedMaster {
  follow(listener: (masters: readonly string[]) => void): () => Promise<void>;
}

/**
 * Masters as settings name them: a list, which is given back, or `zk://…`, where the leader is found. Throws `ZK_INVALID`.
 */
export function mastersOf(
  setting: string | readonly string[],
  { hasTls, ...options }: FollowMasterOptions,
): readonly string[] | FollowedMaster {
  if (typeof setting !== 'string') return setting;
  const address = parseZooKeeperAddress(setting);
  if (!address.ok) throw new OperationError('ZK_INVALID', `masters: ${address.error}`);
  return {
    follow: (listener) =>
      detectMaster({
        ...options,
        address: address.value,
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
        listener(master) {
          // Certificates are for names, not for addresses.
          const url = master && (hasTls ? `https://${master.hostname}` : `http://${master.ip}`);
          const masters = master === undefined ? [] : [`${url}:${master.port}`];
          const fields = { event: 'master.detected', master: masters[0] ?? 'none' };
          options.logger.info(fields, 'who leads has changed');
          listener(masters);
        },
      }),
  };
}

/** Masters as they are set, without what an address of ZooKeeper logs in with. */
export function shownMasters(setting: string | readonly string[]): readonly string[] {
  return typeof setting === 'string' ? [setting.replace(/^zk:\/\/.*@/, 'zk://')] : setting;
}

/** The address in a MasterInfo as JSON; undefined when there is none. */
export function masterAddressOf(info: string): MasterAddress | undefined {
  let json: JsonValue;
  try {
    json = JSON.parse(info) as JsonValue;
  } catch {
    // Not what a master writes.
    return undefined;
  }
  if (!isJsonObject(json) || !isJsonObject(json['address'])) return undefined;
  const { ip, hostname, port } = json['address'];
  if (typeof ip !== 'string' || typeof port !== 'number') return undefined;
  return { ip, port, hostname: typeof hostname === 'string' ? hostname : ip };
}
