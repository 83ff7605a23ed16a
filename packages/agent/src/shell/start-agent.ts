/**
 * Puts an agent together from core, checkpoint, runtimes, connection and HTTP server.
 *
 * `close` leaves the tasks running; `shutdown({ killTasks: true })` ends them first, and what there is to tell
 * about it is told now or, if no master listens, after the next start.
 */

import { join } from 'node:path';
import type { Logger } from '@dcos/base';
import { createHttpServer, readTls, watchTls } from '@dcos/http';
import { agentConfigSchema, type AgentConfigInput } from '../config.ts';
import { AgentProcess, type RunningAgent } from './agent-process.ts';
import { openDiskQuotas } from './disk-quotas.ts';
import { tokensOf } from './executor-variables.ts';
import { GPU_PLACES, type GpuPlaces } from './host-gpus.ts';
import { isRecordStream } from './http/container-api.ts';
import type { LoadOfHost } from './oversubscription.ts';
import { openPatientJournal } from './patient-journal.ts';
import { openRuntimes } from './runtimes.ts';
import { journalPath } from './sandbox-paths.ts';
import { ContainerSecrets, refuseReferences, type SecretResolver } from './secrets.ts';
import { VerboseLogger } from './verbose-logger.ts';
import { openWorkDirectory } from './work-directory.ts';
import { QUOTA_PLACES, type QuotaPlaces } from './xfs-quota.ts';

export type { RunningAgent } from './agent-process.ts';

export interface StartOptions {
  readonly logger: Logger;
  /** Looks up secrets that are references; without it they are refused. */
  readonly resolveSecret?: SecretResolver;
  /** Stands in for the load averages of the host. */
  readonly load?: LoadOfHost;
  /** Stands in for the places of the host's GPUs. */
  readonly gpuPlaces?: GpuPlaces;
  /** Stands in for the tool of project quotas and the table of mounts. */
  readonly quotaPlaces?: QuotaPlaces;
}

/** Starts an agent; resolves when it serves and the first attempt to register is under way. */
export async function startAgent(
  input: AgentConfigInput,
  {
    logger: given,
    load,
    gpuPlaces = GPU_PLACES,
    quotaPlaces = QUOTA_PLACES,
    resolveSecret = refuseReferences,
  }: StartOptions,
): Promise<RunningAgent> {
  const logger = new VerboseLogger(given);
  const config = agentConfigSchema.parse(input);
  const directory = await openWorkDirectory(config.workDir);
  const opened: (() => Promise<void>)[] = [];
  try {
    const workDir = directory.path;
    const quotas = await openDiskQuotas({ config, workDir, places: quotaPlaces, logger });
    const { runtimes, images } = await openRuntimes(config, {
      workDir,
      devicesPath: gpuPlaces.devices,
      logger,
    });
    opened.push(async () => {
      for (const runtime of runtimes.values()) await runtime.close();
    });
    const tls = readTls(config);
    const server = createHttpServer({ logger, isLongRequest: isRecordStream, tls: tls.server });
    watchTls({ settings: config, tls, server, logger });
    opened.push(async () => await server.close());
    const journal = await openPatientJournal({ path: journalPath(workDir), logger });
    opened.push(async () => await journal.close());
    const running = new AgentProcess({
      config,
      directory,
      logger,
      runtimes,
      images,
      journal,
      server,
      tls: tls.client,
      tokens: tokensOf(config),
      load,
      gpuPlaces,
      quotas,
      secrets: new ContainerSecrets({
        directory: config.secretsDir ?? join(workDir, 'run', 'secrets'),
        resolve: resolveSecret,
        logger,
      }),
    });
    await running.start();
    return running;
  } catch (error) {
    for (const close of opened.reverse()) await close();
    directory.unlock();
    throw error;
  }
}
