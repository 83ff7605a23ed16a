/**
 * What every test of the command as a process needs: a home, stubs of clusters, and their end.
 */

import { testCertificate, testKey } from '@dcos/testkit';
import { createDcosHome } from './run-dcos.ts';
import type { DcosHome, DcosOptions, DcosResult } from './run-dcos.ts';
import { startStubCluster } from './stub-cluster.ts';
import type { StubCluster, StubRoutes } from './stub-cluster.ts';

export interface CliScene {
  readonly home: DcosHome;
  /** Starts a stub; `attach` configures it as the current cluster, too. */
  start(routes: StubRoutes, options?: { readonly tls: boolean }): Promise<StubCluster>;
  attach(routes: StubRoutes): Promise<StubCluster>;
  /** Runs `dcos` with these words, cut at blanks. */
  dcos(command: string, options?: DcosOptions): Promise<DcosResult>;
  end(): Promise<void>;
}

/** Opens a scene; `end` it after the test. */
export async function createCliScene(): Promise<CliScene> {
  const home = await createDcosHome();
  const clusters: StubCluster[] = [];
  const start = async (
    routes: StubRoutes,
    options: { readonly tls: boolean } = { tls: false },
  ): Promise<StubCluster> => {
    const tls = options.tls ? { key: testKey, cert: testCertificate } : undefined;
    const cluster = await startStubCluster(routes, tls);
    clusters.push(cluster);
    return cluster;
  };
  return {
    home,
    start,
    attach: async (routes) => {
      const cluster = await start(routes);
      await home.configure(cluster.url);
      return cluster;
    },
    dcos: (command, options) => home.run(command.split(' '), options),
    end: async () => {
      await Promise.all(clusters.map((cluster) => cluster.close()));
      await home.remove();
    },
  };
}
