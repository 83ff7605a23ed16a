/**
 * Joins a core to what performs its effects: shell, launcher, containers that were launched through the API, streams
 * of executors, connection to the master. Each of them reads what it needs from the core at the time of use.
 */

import { errorText } from '@dcos/base';
import { mastersOf } from '@dcos/store';
import type { Agent, AgentSnapshot } from '../core/index.ts';
import type { AgentConfig } from '../config.ts';
import type { AgentParts } from './agent-parts.ts';
import { AgentShell } from './agent-shell.ts';
import { systemClock, systemRandom } from './clock.ts';
import { createCredential } from './credential.ts';
import { watchedRunOf } from './disk-watch.ts';
import { containersOf } from './executor-container.ts';
import { ExecutorStreams } from './executor-streams.ts';
import { executorVariables } from './executor-variables.ts';
import type { Fetcher } from './fetcher/fetcher.ts';
import { LaunchedContainers } from './launched-containers.ts';
import { createLauncher, type Launcher } from './launcher.ts';
import { createMasterConnection, type MasterConnection } from './master-connection.ts';
import { createMasterDetector } from './master-detector.ts';
import { hasRevocable } from './oversubscription.ts';

export interface WiringOptions {
  readonly parts: AgentParts;
  readonly core: Agent;
  readonly fetcher: Fetcher;
  /** Where this agent listens. */
  readonly port: () => number;
  readonly onRegistered: (agentId: string) => void;
  /** The agent can or may not go on. */
  readonly onEnded: (reason: string) => void;
  /** Another master answers. */
  readonly onMaster: (hostname: string) => void;
}

export interface WiredAgent {
  readonly shell: AgentShell;
  readonly launcher: Launcher;
  readonly launched: LaunchedContainers;
  readonly executors: ExecutorStreams;
}

/** Joins them; nothing happens before the first event. */
export function wireAgent(options: WiringOptions): WiredAgent {
  const { parts, core, onRegistered, onEnded } = options;
  const shell = new AgentShell({
    core,
    clock: systemClock,
    journal: parts.journal,
    logger: parts.logger,
    onRegistered,
    onStopped: onEnded,
    onFailed: (error) => onEnded(errorText(error)),
  });
  const launcher = launcherOf(options, shell);
  const executors = new ExecutorStreams((event) => shell.emit(event));
  const connection = connectionOf(options, shell);
  const launched = new LaunchedContainers({
    runtimes: parts.runtimes,
    secrets: parts.secrets,
    hostPathVolumeAllow: parts.config.hostPathVolumeAllow,
    logger: parts.logger,
    specOf: (container) => {
      const { live, executors: others } = core.snapshot();
      const task = [...live, ...containersOf(others)].find(
        ({ containerId }) => containerId === container.task,
      );
      const around = task && { task, framework: shell.frameworkOf(task) };
      return launcher.launchedSpec(container, around);
    },
    emit: (event) => shell.emit(event),
  });
  shell.attach({ launcher, launched, executors, connection });
  return { shell, launcher, launched, executors };
}

function launcherOf({ parts, core, fetcher, port }: WiringOptions, shell: AgentShell): Launcher {
  const { config, logger, runtimes, secrets, tokens, quotas } = parts;
  const workDir = parts.directory.path;
  const executorIn = (id: string | undefined): AgentSnapshot['executors'][number] | undefined =>
    core.snapshot().executors.find(({ containerId }) => containerId === id);
  return createLauncher({
    workDir,
    ip: config.ip,
    executorEnvironment: config.executorEnvironment,
    hostPathVolumeAllow: config.hostPathVolumeAllow,
    secrets,
    runtimes,
    fetcher,
    logger,
    self: () => ({ port: port(), agentId: core.snapshot().agentId ?? '' }),
    emit: (event) => shell.emit(event),
    boundDisk: async (run) => {
      const watched = quotas && watchedRunOf(workDir, core.snapshot(), run);
      if (watched !== undefined) await quotas?.hold(watched);
    },
    hasLowPriority: ({ info }) =>
      config.revocableCpuLowPriority && hasRevocable(info.resources, 'cpus'),
    executorOf: ({ group }) => executorIn(group?.containerId)?.info,
    executorVariables: async (id) => {
      const one = executorIn(id);
      return one?.process === undefined ? {} : await executorVariables(one, config, tokens);
    },
    shutdownGraceMs: (id) => {
      const own = executorIn(id)?.info.shutdown_grace_period?.nanoseconds;
      return own === undefined ? config.executorShutdownGraceMs : own / 1e6;
    },
  });
}

/** As the original, which speaks TLS with everybody or with nobody. */
function hasTls({ sslCertFile, sslCaFile }: AgentConfig): boolean {
  return sslCertFile !== undefined || sslCaFile !== undefined;
}

function connectionOf({ parts, onMaster }: WiringOptions, shell: AgentShell): MasterConnection {
  const { config, logger, tls } = parts;
  return createMasterConnection({
    masters: createMasterDetector(
      mastersOf(config.masters, {
        clock: systemClock,
        random: systemRandom,
        logger,
        hasTls: hasTls(config),
        tls: config.zkTls ? tls : undefined,
      }),
    ),
    logger,
    authorization: createCredential(config.credential, logger),
    tls,
    onConnected: (master) => {
      onMaster(new URL(master).hostname);
      shell.emit({ kind: 'connected' });
    },
    onMessage: (message) => shell.emit({ kind: 'received', message }),
    onDisconnected: (reason) => shell.emit({ kind: 'disconnected', reason }),
    onMasterChanged: () => shell.emit({ kind: 'masterChanged' }),
  });
}
