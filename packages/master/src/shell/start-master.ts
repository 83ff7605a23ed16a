/**
 * A master process: election, registry, the core, HTTP and agents' connections.
 */

import { createAllocator } from '@dcos/allocator';
import { masterId, randomUuid } from '@dcos/base';
import { createHttpServer, readTls, watchTls } from '@dcos/http';
import { createMaster, type MasterSnapshot } from '../core/index.ts';
import type { MasterIdentity } from '../views/v0-state.ts';
import { masterConfigSchema, type MasterConfig } from './config.ts';
import { readRegistry } from './registry-reading.ts';
import { shownFlags } from './flags.ts';
import { BUILD, domainOf, masterInfoOf } from './identity.ts';
import { allocatorOptionsOf, optionsOf } from './core-options.ts';
import { createSystemRandom, systemClock } from './system-ports.ts';
import { MasterShell, type MasterDeps } from './master-shell.ts';

export type { MasterDeps } from './master-shell.ts';

export interface RunningMaster {
  readonly port: number;
  /** `http://ip:port`, or `https://…` */
  readonly url: string;
  readonly masterId: string;
  /** A plain copy of what invariants are about, for checkers; undefined after the end. */
  snapshot(): MasterSnapshot | undefined;
  /**
   * Ends the leadership so that no request fails: what was taken is finished, the next master leads, and who still asks
   * here is sent there. `close` comes after it, and may come in the middle. Idempotent.
   */
  stepDown(): Promise<void>;
  /** Ends streams and connections, keeps what is durable. Idempotent. */
  close(): Promise<void>;
}

export interface ServingMaster extends RunningMaster {
  /** Resolves when it leads and has read the registry; rejects when it cannot, or is closed before. */
  readonly leading: Promise<void>;
}

/**
 * Starts a master. Resolves when it leads, has read the registry and serves. Throws `PORT_IN_USE`, `STORE_*`,
 * `TLS_INVALID`.
 */
export async function startMaster(given: MasterConfig, deps: MasterDeps): Promise<RunningMaster> {
  const master = await serveMaster(given, deps);
  await master.leading;
  return master;
}

/** Starts a master. Resolves when it serves; until it leads it sends clients to whoever does. */
export async function serveMaster(given: MasterConfig, deps: MasterDeps): Promise<ServingMaster> {
  const config = masterConfigSchema.parse(given);
  const clock = deps.clock ?? systemClock;
  const random = createSystemRandom();
  const id = masterId(randomUuid(random));
  const startTime = clock.now() / 1000;
  const tls = deps.tls ?? readTls(config);
  const http = createHttpServer({
    logger: deps.logger,
    bodyBytesMax: config.bodyBytesMax,
    tls: tls.server,
  });
  watchTls({ settings: config, tls, server: http, logger: deps.logger });
  const shell = new MasterShell(config, deps, clock, http);
  shell.addRoutes();
  const { port, url } = await http.listen({ host: config.ip, port: config.port });
  const flags = shownFlags({ ...config, port }, deps.flags);
  shell.flags = flags;
  const lead = async (): Promise<void> => {
    try {
      const ip = config.advertiseIp ?? config.ip;
      const candidate: Omit<MasterIdentity, 'electedTime'> = {
        id,
        ip,
        port: config.advertisePort ?? port,
        hostname: config.hostname ?? ip,
        cluster: config.cluster,
        startTime,
        build: BUILD,
        capabilities: ['AGENT_UPDATE', 'AGENT_DRAINING', 'QUOTA_V2'],
        flags,
        ...(config.domain !== undefined && { domain: domainOf(config.domain) }),
      };
      const lease = await shell.stand(masterInfoOf(candidate));
      const registry = await readRegistry(deps.store, clock, config.registryFetchTimeoutMs);
      shell.instruments.registryRead(registry);
      const identity = { ...candidate, electedTime: clock.now() / 1000 };
      const allocator = createAllocator({ random, ...allocatorOptionsOf(config, identity) });
      const options = optionsOf(config, identity);
      const { authorizer } = shell.access;
      const core = createMaster({ masterId: id, random, allocator, authorizer, options });
      const { masterInfo } = options;
      shell.begin({ core, allocator, identity, masterInfo, lease }, registry.entries);
      shell.log.info({ event: 'master.started', url, masterId: id }, 'master leads and serves');
    } catch (error) {
      // One that steps down goes on sending clients to whoever leads.
      if (!shell.isLeaving) await shell.close();
      throw error;
    }
  };
  const leading = lead();
  // Whoever waits for it is told; nobody has to.
  leading.catch(() => undefined);
  return {
    port,
    url,
    masterId: id,
    leading,
    snapshot: () => shell.leadership?.core.snapshot(),
    stepDown: () => shell.stepDown(),
    close: () => shell.close(),
  };
}
