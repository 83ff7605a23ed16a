/** Masters and their clients that live as long as one test: this file registers its own `afterEach`. */

import { afterEach } from 'vitest';
import { silentLogger } from '@dcos/base';
import { openMemoryStore, type Store } from '@dcos/store';
import type { MasterConfig } from '../shell/config.ts';
import { startMaster, type RunningMaster } from '../shell/start-master.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Has something closed when the test is over, the last first. */
export function closeAfterTest<T extends { close(): Promise<void> | void }>(opened: T): T {
  closers.push(() => opened.close());
  return opened;
}

/** A master on a free port with an empty registry, or the given one. */
export async function startTestMaster(
  config: MasterConfig = {},
  store: Store = openMemoryStore(),
): Promise<RunningMaster> {
  return closeAfterTest(await startMaster({ port: 0, ...config }, { logger: silentLogger, store }));
}
