/** The store on a server that is not there yet, or that speaks TLS only. */

import { seededRandom, silentLogger } from '@dcos/base';
import {
  startZooKeeperEnsemble,
  strangersCertificate,
  strangersKey,
  temporaryDirectory,
  testCertificate,
  testKey,
  waitFor,
  writeTlsFiles,
  zooKeeper,
  zooKeeperWithTls,
  type ZooKeeperEnsemble,
} from '@dcos/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseZooKeeperAddress } from '../core/zookeeper/index.ts';
import type { Store } from '../store.ts';
import { realClock } from '../testing/real-clock.ts';
import { bytes } from '../testing/store-contract.ts';
import {
  awaitZooKeeperStore,
  openZooKeeperStore,
  type ZooKeeperStoreOptions,
} from './zookeeper-store.ts';

/** How long an attempt takes that meets nobody. */
const SESSION_TIMEOUT_MS = 1_000;

function optionsOf(text: string, rest: Partial<ZooKeeperStoreOptions> = {}): ZooKeeperStoreOptions {
  const address = parseZooKeeperAddress(text);
  if (!address.ok) throw new Error(address.error);
  return {
    address: address.value,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    clock: realClock,
    random: seededRandom(1),
    logger: silentLogger,
    ...rest,
  };
}

const opened: Store[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

describe.skipIf(!zooKeeper().available)(`a server that comes later${zooKeeper().note}`, () => {
  let ensemble: ZooKeeperEnsemble;
  beforeAll(async () => {
    ensemble = await startZooKeeperEnsemble(1);
  });
  afterAll(async () => {
    await ensemble?.stop();
  });

  test('elections wait for it, and a store that is closed meanwhile ends them', async () => {
    const [server] = ensemble.servers;
    await server?.kill();
    let vain = 0;
    const options = optionsOf(ensemble.address('/later'), { sessionTimeoutMs: 8_000 });
    const patient = awaitZooKeeperStore(options, () => (vain += 1));
    const closed = awaitZooKeeperStore(optionsOf(ensemble.address('/closed')), () => undefined);
    opened.push(patient.store);
    const elected = patient.store.elect('leader', 'one');
    const given = closed.store.elect('leader', 'one');
    await waitFor('an attempt in vain', () => vain > 0);
    await closed.store.close();
    await expect(given).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(closed.opened).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    server?.start();
    await patient.opened;
    const lease = await elected;
    await patient.store.commit([{ kind: 'put', key: 'a', value: bytes('1') }], { lease });
    expect(await patient.store.get('a')).toMatchObject({ value: bytes('1') });
  });
});

const tlsFacility = zooKeeperWithTls();
describe.skipIf(!tlsFacility.available)(`a server with TLS${tlsFacility.note}`, () => {
  const scratch = temporaryDirectory('zookeeper-tls');
  let ensemble: ZooKeeperEnsemble;
  beforeAll(async () => {
    const files = writeTlsFiles(scratch.path);
    const tls = { ...files, sslCaFile: files.sslCertFile };
    ensemble = await startZooKeeperEnsemble(1, { tls });
  });
  afterAll(async () => {
    await ensemble?.stop();
    scratch.remove();
  });

  const trusted = { ca: testCertificate, cert: testCertificate, key: testKey };

  test('is used like any other', async () => {
    const tls = trusted;
    const options = optionsOf(ensemble.address('/tls'), { tls, sessionTimeoutMs: 10_000 });
    const store = await openZooKeeperStore(options);
    opened.push(store);
    const lease = await store.elect('leader', 'one');
    await store.commit([{ kind: 'put', key: 'a', value: bytes('1') }], { lease });
    expect(await store.get('a')).toMatchObject({ value: bytes('1') });
  });

  test.each([
    ['plain', undefined],
    ['that trusts somebody else', { ...trusted, ca: strangersCertificate }],
    ['without a certificate', { ca: testCertificate }],
    ['of a stranger', { ...trusted, cert: strangersCertificate, key: strangersKey }],
  ])('a client %s gets nowhere', async (_name, tls) => {
    const options = optionsOf(ensemble.address('/tls'), { tls });
    await expect(openZooKeeperStore(options)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});
