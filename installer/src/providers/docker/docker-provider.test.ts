/** What the provider makes of what the engine lists; hosts that really boot are in the suite of the installer in `e2e`. */

import type Docker from 'dockerode';
import { expect, test } from 'vitest';
import { DockerProvider } from './docker-provider.ts';

const LABELS = { 'dcos.cluster': 'demo' };

/** An engine that has a network with these labels, and masters with these numbers. */
function engineWith(
  networkLabels: Readonly<Record<string, string>>,
  masters: readonly number[],
): Docker {
  const network = {
    Labels: { ...LABELS, 'dcos.cluster-id': 'an-id', ...networkLabels },
    IPAM: { Config: [{ Subnet: '10.214.0.0/24' }] },
  };
  const containers = masters.map((number) => ({
    Id: `id-${number}`,
    Names: [`/dcos-demo-master-${number}`],
    Labels: { ...LABELS, 'dcos.role': 'master', 'dcos.address': `10.214.0.${9 + number}` },
    State: 'running',
  }));
  const engine = {
    listNetworks: async () => await Promise.resolve([network]),
    listContainers: async () => await Promise.resolve(containers),
  };
  return engine as unknown as Docker;
}

const providerOf = (engine: Docker, masters: number): DockerProvider =>
  new DockerProvider(engine, 'demo', {
    masters,
    privateAgents: 0,
    publicAgents: 0,
    image: 'host',
    baseImage: 'debian',
    uiPort: 8180,
    isUiPortFixed: false,
    outbound: false,
    routerPort: 80,
  });

const SAYS_THREE = { 'dcos.masters': '3' };

test.each<[string, Docker, number, readonly string[]]>([
  ['as it says', engineWith(SAYS_THREE, [1, 2, 3]), 3, []],
  ['as it says, and one is gone', engineWith(SAYS_THREE, [1, 2]), 3, ['host dcos-demo-master-3']],
  ['it does not say, and all are there', engineWith({}, [1, 2, 3]), 3, []],
  ['it does not say, and one is gone', engineWith({}, [1, 3]), 3, ['host dcos-demo-master-2']],
  ['it does not say, and none is there', engineWith({}, []), 1, ['host dcos-demo-master-1']],
])('as many masters as the cluster was made with: %s', async (_what, engine, wanted, missing) => {
  const changes = await providerOf(engine, wanted).changes();
  expect(changes.map(({ what }) => what)).toEqual(missing);
});

test.each<[string, Docker, string]>([
  ['it says', engineWith(SAYS_THREE, [1]), 'the cluster has 3 masters, the configuration wants 1:'],
  ['are there', engineWith({}, [1]), 'the cluster has 1 master, the configuration wants 5:'],
  ['it says no number', engineWith({ 'dcos.masters': 'x' }, [1, 2, 3]), 'has 3 masters,'],
])('another number of masters than %s is refused', async (_what, engine, text) => {
  const wanted = Number(/wants (\d)/.exec(text)?.[1] ?? 5);
  await expect(providerOf(engine, wanted).changes()).rejects.toThrow(text);
});
