/** `npm start`, and `dcos-box` of a release: reads the flags, opens the data folder, starts the box, stops it when asked. */

import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { errorText, operationErrorCode, silentLogger } from '@dcos/base';
import { createLogger } from '@dcos/telemetry';
import { openDataDirectory } from './data-directory.ts';
import { HELP, parseFlags } from './flags.ts';
import { installationOf } from './installation.ts';
import { checkPorts } from './ports.ts';
import { humanProgress, jsonProgress } from './progress.ts';

const EXIT_FAILED = 1;
const EXIT_FLAGS = 2;
const EXIT_CODES: Readonly<Record<string, number>> = {
  PORT_IN_USE: 3,
  PORT_FORBIDDEN: 3,
  DATA_DIRECTORY_VERSION: 4,
  DATA_DIRECTORY_FOREIGN: 4,
  RESTORE_NOT_EMPTY: 4,
  DATA_DIRECTORY_IN_USE: 5,
};

async function main(): Promise<void> {
  const startedMs = performance.now();
  const installation = installationOf(import.meta.dirname, homedir());
  const parsed = parseFlags(process.argv.slice(2), installation.dataDirectory);
  if (!parsed.ok) {
    process.stderr.write(`${parsed.error}\n\n${HELP}`);
    process.exitCode = EXIT_FLAGS;
    return;
  }
  const flags = parsed.value;
  if (flags.help) {
    process.stdout.write(HELP);
    return;
  }
  const write = (text: string): void => void process.stdout.write(text);
  const progress = flags.json ? jsonProgress(write) : humanProgress(write);

  await checkPorts('127.0.0.1', [
    { port: flags.port, flag: '--port', udp: false },
    { port: flags.masterPort, flag: '--master-port', udp: false },
    { port: flags.marathonPort, flag: '--marathon-port', udp: false },
    { port: flags.dnsPort, flag: '--dns-port', udp: true },
  ]);
  // The components are loaded only now: wrong flags and a locked folder must answer at once.
  enableCompileCache(installation.cacheDirectory);
  const { startBox, stopLeftovers } = await import('./box.ts');
  const directory = await openDataDirectory(flags.dataDirectory, {
    fresh: flags.fresh,
    newClusterId: randomUUID(),
    beforeRemoval: async (path) => {
      const agents = join(path, 'agents');
      await stopLeftovers(path, existsSync(agents) ? readdirSync(agents) : [], silentLogger);
    },
  });
  const logger = createLogger({ name: 'box', level: 'info', file: directory.logFile });
  try {
    if (flags.restore !== undefined) {
      const { restoreState } = await import('./restored-state.ts');
      const entries = await restoreState(flags.restore, directory.stateFile);
      progress.step('state', 'ready', `${entries} entries of ${flags.restore}`);
    }
    const box = await startBox(flags, directory, {
      logger,
      progress,
      uiDirectory: installation.uiDirectory,
      taskPath: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    });
    stopOnSignal({
      stop: async () => {
        await box.stop();
        directory.unlock();
      },
      abandon: () => box.abandonTasks(),
    });
    progress.ready({ ...box.facts, readyMs: Math.round(performance.now() - startedMs) });
  } catch (error) {
    directory.unlock();
    throw error;
  }
}

/**
 * A terminal sends Ctrl-C to everything that it started, so one may arrive twice: signals so soon after the
 * first are the same one.
 */
const SAME_SIGNAL_MS = 1000;

/** SIGINT, SIGTERM and SIGHUP stop the box; a second one ends the patience with tasks that do not end. */
function stopOnSignal(box: {
  readonly stop: () => Promise<void>;
  readonly abandon: () => void;
}): void {
  let stoppingSinceMs: number | undefined;
  const onSignal = (): void => {
    if (stoppingSinceMs === undefined) {
      stoppingSinceMs = performance.now();
      box.stop().then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      );
    } else if (performance.now() - stoppingSinceMs > SAME_SIGNAL_MS) {
      box.abandon();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
}

function fail(error: unknown): never {
  // The cause of an expected error is in the log; a person needs what happened and what to do.
  const code = operationErrorCode(error);
  const text = code !== undefined && error instanceof Error ? error.message : errorText(error);
  process.stderr.write(`${text}\n`);
  process.exit(EXIT_CODES[code ?? ''] ?? EXIT_FAILED);
}

main().catch(fail);
