/**
 * Runs the real command as a process, with a data directory of its own.
 */

import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../bin/dcos.mjs', import.meta.url));

export interface DcosResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface DcosOptions {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface DcosHome {
  readonly directory: string;
  /** Writes the configuration of one cluster, attached. */
  configure(url: string, id?: string): Promise<void>;
  run(words: readonly string[], options?: DcosOptions): Promise<DcosResult>;
  start(words: readonly string[], options?: DcosOptions): RunningDcos;
  remove(): Promise<void>;
}

export interface RunningDcos {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly result: Promise<DcosResult>;
  /** Resolves once standard output holds the text. */
  printed(text: string): Promise<void>;
}

/** Makes a home for one test; `remove` it at the end. */
export async function createDcosHome(): Promise<DcosHome> {
  const directory = await mkdtemp(join(tmpdir(), 'dcos-cli-'));
  const start = (words: readonly string[], options: DcosOptions = {}): RunningDcos =>
    startDcos(directory, words, options);
  return {
    directory,
    start,
    configure: async (url, id = 'cluster-1') => {
      const folder = join(directory, 'data', 'clusters', id);
      await mkdir(folder, { recursive: true });
      const core = `[core]\ndcos_acs_token = ""\ndcos_url = "${url}"\ntimeout = 20\n`;
      await writeFile(join(folder, 'dcos.toml'), `[cluster]\nname = "box"\n\n${core}`);
      await writeFile(join(folder, 'attached'), '');
    },
    run: (words, options) => start(words, options).result,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

function startDcos(directory: string, words: readonly string[], options: DcosOptions): RunningDcos {
  const child = spawn(process.execPath, [program, ...words], {
    cwd: directory,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: directory,
      DCOS_DIR: 'data',
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      ...options.environment,
    },
  });
  let stdout = '';
  let stderr = '';
  const waiting: (() => void)[] = [];
  child.stdout.on('data', (piece: Buffer) => {
    stdout += piece.toString('utf8');
    for (const check of waiting) check();
  });
  child.stderr.on('data', (piece: Buffer) => {
    stderr += piece.toString('utf8');
  });
  // A command that reads no input may be gone before the input is written.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const result = new Promise<DcosResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code: code ?? (signal === null ? -1 : 128), stdout, stderr });
    });
  });
  const printed = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (stdout.includes(text)) resolve();
      };
      waiting.push(check);
      check();
      child.on('close', () => reject(new Error(`ended without printing "${text}": ${stderr}`)));
    });
  return { child, result, printed };
}
