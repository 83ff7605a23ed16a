/**
 * Where a cluster keeps its state: a file in the box, paths of ZooKeeper elsewhere. Keys begin with the component
 * that they belong to, so that state can go from the one to the other.
 */

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OperationError, type Logger } from '@dcos/base';
import { systemClock, systemRandom } from '@dcos/sdk';
import {
  openSqliteReader,
  openSqliteStore,
  openZooKeeperStore,
  parseZooKeeperAddress,
  type Store,
  type ZooKeeperStoreOptions,
} from '@dcos/store';

/** Name of the file in the folder of a box. */
export const BOX_STATE_FILE = 'state.db';
const SESSION_TIMEOUT_MS = 10_000;
/** Components with state, and their path in ZooKeeper unless the caller says otherwise. */
const COMPONENTS = [
  { prefix: 'master/', path: '/mesos' },
  { prefix: 'marathon/', path: '/marathon' },
] as const;

/** How places are reached. */
export interface PlaceOptions {
  readonly logger: Logger;
  /** Of connections to ZooKeeper; plain without. */
  readonly tls?: ZooKeeperStoreOptions['tls'];
}

/** A store and which keys are in it. */
export interface StorePart {
  /** For messages. */
  readonly name: string;
  readonly store: Store;
  readonly holds: (key: string) => boolean;
}

export interface Reader {
  readonly store: Pick<Store, 'list'>;
  close(): Promise<void>;
}

const isCluster = (place: string): boolean => place.startsWith('zk://');

/**
 * Opens the state of a place for reading, whoever writes it: `zk://host:port,…` without a path, a file of a box, or the
 * folder of one. Throws `PLACE_INVALID`, and what stores throw.
 */
export async function openReaders(
  place: string,
  options: PlaceOptions,
): Promise<readonly Reader[]> {
  if (isCluster(place))
    return (await openCluster(place, options)).map(({ store }) => readerOf(store));
  const file =
    statSync(place, { throwIfNoEntry: false })?.isDirectory() === true
      ? join(place, BOX_STATE_FILE)
      : place;
  if (!existsSync(file))
    throw new OperationError(
      'PLACE_INVALID',
      `${file} is not there; expected zk://host:port or the folder of a box`,
    );
  return [readerOf(openSqliteReader(file))];
}

function readerOf(store: Pick<Store, 'list' | 'close'>): Reader {
  return { store, close: async () => await store.close() };
}

/** Opens the places into which a backup goes: `zk://host:port,…`, or a file that is not there yet. */
export async function openTargets(
  place: string,
  options: PlaceOptions,
): Promise<readonly StorePart[]> {
  if (isCluster(place)) return await openCluster(place, options);
  if (statSync(place, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new OperationError(
      'PLACE_INVALID',
      `${place} is a folder: a box takes a backup over with npm start -- --restore <file>`,
    );
  return [{ name: place, store: openSqliteStore(place), holds: () => true }];
}

async function openCluster(
  place: string,
  { logger, tls }: PlaceOptions,
): Promise<readonly StorePart[]> {
  const address = parseZooKeeperAddress(place);
  if (!address.ok) throw new OperationError('PLACE_INVALID', `--zk: ${address.error}`);
  if (address.value.path !== '/')
    throw new OperationError(
      'PLACE_INVALID',
      'the address of ZooKeeper has no path here: state of components is at /mesos and /marathon',
    );
  const parts: StorePart[] = [];
  try {
    for (const { prefix, path } of COMPONENTS) {
      const store = await openZooKeeperStore({
        address: { ...address.value, path },
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
        clock: systemClock,
        random: systemRandom,
        logger,
        tls,
      });
      parts.push({ name: path, store, holds: (key) => key.startsWith(prefix) });
    }
  } catch (error) {
    for (const { store } of parts) await store.close();
    throw error;
  }
  return parts;
}
