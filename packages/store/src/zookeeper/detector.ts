/**
 * Follows which Mesos master leads, for those who want to know whom to talk to. Reads what the original's
 * masters write, and needs no right but that to read.
 */

import { isJsonObject, type Clock, type JsonValue, type Logger, type Random } from '@dcos/base';
import type { ZooKeeperAddress } from '../core/zookeeper/index.ts';
import type { ElectionLayout } from './candidates.ts';
import { ZooKeeperClient, type ZooKeeperClientOptions } from './client.ts';
import { watchLeader } from './leader-watch.ts';

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
  /** Called with whoever leads now, if anybody does, and after each change. */
  readonly listener: (master: MasterAddress | undefined) => void;
}

/** Where masters have their candidates: below the path of their `--zk`, as the original's. */
export function masterElectionLayout(path: string): ElectionLayout {
  return { directory: path, prefix: 'json.info_' };
}

/** Begins to follow; the returned function ends it, and its session. */
export function detectMaster(options: MasterDetectorOptions): () => Promise<void> {
  const { listener, address, ...rest } = options;
  const { logger } = rest;
  const client = new ZooKeeperClient({ ...rest, address: { ...address, path: '/' } });
  let isKnown = false;
  client.start();
  const stop = watchLeader({
    client,
    logger,
    layout: masterElectionLayout(address.path),
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
