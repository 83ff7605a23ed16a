/** The installer as people run it: a process with words, one event a line. */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { workspaceRoot } from '@dcos/testkit';

const SHARED_CACHE = join(workspaceRoot, 'dist', 'e2e-releases');
const MAIN = join(workspaceRoot, 'installer', 'src', 'main.ts');

export interface InstallerEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

export interface InstallerRun {
  /** Null for a process that a signal ended. */
  readonly code: number | null;
  readonly events: readonly InstallerEvent[];
  readonly stderr: string;
}

export interface RunInstaller {
  /** Folder for what the installer keeps. */
  readonly directory: string;
  readonly config: string;
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Called for each event; what it resolves to `kill` ends the process as `kill -9` does. */
  readonly onEvent?: (event: InstallerEvent) => 'kill' | void;
  /** Ends the process as `kill -9` does, whatever it is at. */
  readonly killedBy?: AbortSignal;
}

/** The release of the checkout is built once for all suites. */
function shareRelease(directory: string): void {
  const cache = join(directory, 'cache');
  if (existsSync(cache)) return;
  mkdirSync(SHARED_CACHE, { recursive: true });
  symlinkSync(SHARED_CACHE, cache);
}

/** Runs a command with `--json` to its end. */
export async function runInstaller(
  words: readonly string[],
  { directory, config, environment = {}, onEvent, killedBy }: RunInstaller,
): Promise<InstallerRun> {
  shareRelease(directory);
  const flags = ['--conditions=@dcos/source', '--disable-warning=ExperimentalWarning', MAIN];
  const child = spawn(process.execPath, [...flags, ...words, '--config', config, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment, DCOS_INSTALLER_DIR: directory },
  });
  const kill = (): void => void child.kill('SIGKILL');
  killedBy?.addEventListener('abort', kill, { once: true });
  const events: InstallerEvent[] = [];
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as InstallerEvent;
    events.push(event);
    if (onEvent?.(event) === 'kill') kill();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, events, stderr };
}

/** The installer of one suite: the same folder and configuration in every run. */
export function installerOf(
  common: Pick<RunInstaller, 'directory' | 'config' | 'environment'>,
): (
  words: readonly string[],
  onEvent?: RunInstaller['onEvent'],
  killedBy?: AbortSignal,
) => Promise<InstallerRun> {
  return async (words, onEvent, killedBy) =>
    await runInstaller(words, {
      ...common,
      ...(onEvent !== undefined && { onEvent }),
      ...(killedBy !== undefined && { killedBy }),
    });
}

/** What a run said, for the message of a test that failed. */
export function saidBy({ code, events, stderr }: InstallerRun): string {
  return [`exit code ${code}`, ...events.map((event) => JSON.stringify(event)), stderr].join('\n');
}
