/**
 * Where the agent looks for its master: in a list that is tried in turn, or in ZooKeeper, which names the
 * leader. While nobody leads, the agent waits; when another leads, it leaves the one that it has.
 */

import { OperationError, type Logger } from '@dcos/base';
import { detectMaster, parseZooKeeperAddress } from '@dcos/store';
import { systemClock, systemRandom } from './clock.ts';

/** As the original's agents ask for. */
const SESSION_TIMEOUT_MS = 10_000;

export interface MasterDetector {
  /** Gives the master to try next, as `http://host:port`, once there is one. The returned function takes the wish back. */
  next(give: (master: string) => void): () => void;
  /** Calls back when another master than the last one leads. */
  onChange(listener: (master: string) => void): void;
  stop(): Promise<void>;
}

/** Masters that are tried in turn. */
export function listedMasters(masters: readonly string[]): MasterDetector {
  let index = 0;
  return {
    next(give) {
      give(masters[index % masters.length] ?? '');
      index += 1;
      return () => undefined;
    },
    onChange: () => undefined,
    stop: async () => undefined,
  };
}

/** The master that leads by what a `zk://` address names. Throws `ZK_INVALID`. */
export function electedMaster(
  address: string,
  { logger, hasTls }: { readonly logger: Logger; readonly hasTls: boolean },
): MasterDetector {
  const parsed = parseZooKeeperAddress(address);
  if (!parsed.ok) throw new OperationError('ZK_INVALID', `masters: ${parsed.error}`);
  let leader: string | undefined;
  let waiting: ((master: string) => void) | undefined;
  let changed: (master: string) => void = () => undefined;
  const stop = detectMaster({
    address: parsed.value,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    clock: systemClock,
    random: systemRandom,
    logger,
    listener: (master) => {
      // Certificates are for names, not for addresses.
      leader =
        master &&
        (hasTls
          ? `https://${master.hostname}:${master.port}`
          : `http://${master.ip}:${master.port}`);
      logger.info({ event: 'master.detected', master: leader ?? 'none' }, 'who leads has changed');
      if (leader === undefined) return;
      const give = waiting;
      waiting = undefined;
      if (give === undefined) changed(leader);
      else give(leader);
    },
  });
  return {
    next(give) {
      if (leader !== undefined) {
        give(leader);
        return () => undefined;
      }
      waiting = give;
      return () => (waiting = undefined);
    },
    onChange: (listener) => void (changed = listener),
    stop,
  };
}
