/**
 * A master of its own: settings from defaults, a file, `MESOS_*` variables and flags (the original's and ours),
 * the registry in a SQLite file of its data directory, in memory, or, with `--zk`, in ZooKeeper. Ends with 1 when it cannot go on, so that a supervisor starts it anew.
 */

import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { durationText } from '@dcos/base';
import { readTls, translateLibprocessTls } from '@dcos/http';
import { openMemoryStore, openSqliteStore } from '@dcos/store';
import { runProgram } from '@dcos/telemetry';
import { masterConfigSchema } from './shell/config.ts';
import { translateFlags } from './shell/given-flags.ts';
import { discoverIp } from './shell/ip-discovery.ts';
import { serveMaster } from './shell/start-master.ts';
import { clusterOf } from './shell/zookeeper-cluster.ts';

const processSchema = masterConfigSchema.extend({
  /** Where the registry is kept, without `zk`. */
  dataDir: z.string().min(1).default('.dcos/master'),
  /** A command that prints the address to listen on, in place of `ip`. */
  ipDiscoveryCommand: z.string().min(1).optional(),
  /**
   * `zk://[user:password@]host:port,host:port/path`, or the file that has it: several masters elect one of
   * them there, and keep the registry there.
   */
  zk: z.string().min(1).optional(),
  /** Whether connections to ZooKeeper are TLS, with the certificates of `ssl…`. */
  zkTls: z.boolean().default(false),
  /** How long ZooKeeper waits for a master that is silent. */
  zkSessionTimeoutMs: z.number().int().min(1_000).max(3_600_000).default(10_000),
  /** The `tickTime` of its servers, where it is known: a leader then bears it longer to be without them. */
  zkTickMs: z.number().int().min(100).max(60_000).optional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Standard error when absent. */
  logFile: z.string().min(1).optional(),
});

/** What the original calls them; it has none below INFO. */
const LEVELS = {
  debug: 'INFO',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  silent: 'ERROR',
} as const;

await runProgram({
  name: 'master',
  schema: processSchema,
  environmentPrefix: 'MESOS_',
  translate({ flags, environment }) {
    const tls = translateLibprocessTls(environment, 'MESOS_');
    const translated = translateFlags({ flags, environment: tls.environment });
    return { ...translated, notes: [...tls.notes, ...translated.notes] };
  },
  async start(settings, { logger, fail }) {
    const { dataDir, logLevel, logFile, ipDiscoveryCommand, zk, ...others } = settings;
    const { zkSessionTimeoutMs, zkTickMs, zkTls, ...config } = others;
    const ip = ipDiscoveryCommand === undefined ? config.ip : await discoverIp(ipDiscoveryCommand);
    mkdirSync(dataDir, { recursive: true });
    const cluster =
      zk === undefined
        ? undefined
        : clusterOf(zk, { zkSessionTimeoutMs, zkTickMs, zkTls, registry: config.registry });
    const tls = readTls(config);
    const connected = cluster?.connect(logger, tls.client);
    const store =
      connected !== undefined
        ? connected.store
        : config.registry === 'in_memory'
          ? openMemoryStore()
          : openSqliteStore(join(dataDir, 'registry.sqlite'));
    const flags = {
      work_dir: dataDir,
      logging_level: LEVELS[logLevel],
      zk_session_timeout: durationText(zkSessionTimeoutMs),
      ...(cluster !== undefined && { zk: cluster.shown }),
      ...(ipDiscoveryCommand !== undefined && { ip_discovery_command: ipDiscoveryCommand }),
      ...(logFile !== undefined && { log_dir: dirname(logFile) }),
    };
    const master = await serveMaster(
      { ...config, ip },
      { logger, store, flags, tls, onFatal: fail, waitsFor: () => connected?.waitsFor() },
    );
    let isClosing = false;
    // One of several is ready when it says who leads, or why nobody does.
    if (cluster === undefined) await master.leading;
    else master.leading.catch((error: unknown) => void (isClosing || fail(error)));
    process.stdout.write(`master ready at ${master.url}\n`);
    return {
      async close() {
        isClosing = true;
        await master.stepDown();
        await master.close();
        await store.close();
      },
    };
  },
});
