/**
 * Runs a command of a user's description to its end: checks inside a task's surroundings, and the argument
 * vector that a description means.
 */

import { spawn } from 'node:child_process';
import type { CommandInfo } from '@dcos/wire';
import { containerError } from '../errors.ts';
import { EXEC_OUTPUT_BYTES_MAX, type ExecResult } from '../runtime.ts';

/**
 * The argument vector of a command: `/bin/sh -c value`, or the program `value` with the arguments after the
 * first one, which names the program. Throws CONTAINER_INVALID when there is nothing to run, or nothing that can be.
 */
export function commandVector(command: CommandInfo): readonly [string, ...string[]] {
  const vector = vectorOf(command);
  if (vector.some((text) => text.includes('\0')))
    throw containerError('CONTAINER_INVALID', 'the command holds a NUL character');
  return vector;
}

function vectorOf(command: CommandInfo): readonly [string, ...string[]] {
  const { value } = command;
  if (command.shell ?? true) {
    if (value === undefined)
      throw containerError('CONTAINER_INVALID', 'a shell command needs a value');
    return ['/bin/sh', '-c', value];
  }
  const [program, ...rest] = command.arguments ?? [];
  const file = value ?? program;
  if (file === undefined) throw containerError('CONTAINER_INVALID', 'the command names no program');
  return [file, ...rest];
}

/** Names of variables that a shell hands on. */
const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The vector as the shim starts it. The shim is a shell, and shells may drop variables whose names are none to
 * them, such as `cluster.name`: a program gets those by `env`. A shell command would not see them anyway.
 */
export function vectorInShim(
  command: CommandInfo,
  environment: Readonly<Record<string, string>>,
): readonly string[] {
  const vector = commandVector(command);
  const odd = Object.entries(environment).filter(([name]) => !SHELL_NAME.test(name));
  if (odd.length === 0 || (command.shell ?? true)) return vector;
  if (vector[0].includes('='))
    throw containerError(
      'CONTAINER_INVALID',
      'a program with = in its path cannot get such variables',
    );
  return ['/usr/bin/env', ...odd.map(([name, value]) => `${name}=${value}`), ...vector];
}

export interface RunCommandOptions {
  readonly command: CommandInfo;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly account: { readonly uid: number; readonly gid: number } | undefined;
  readonly timeoutMs: number;
}

/** Runs it in a group of its own, which is killed at the time-out. A missing program is exit code 127. */
export async function runCommand(options: RunCommandOptions): Promise<ExecResult> {
  const [file, ...vector] = commandVector(options.command);
  const { promise, resolve } = Promise.withResolvers<ExecResult>();
  let output = '';
  let timedOut = false;
  const child = spawn(file, vector, {
    cwd: options.directory,
    env: options.environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options.account,
  });
  const keep = (chunk: Buffer): void => {
    if (output.length < EXEC_OUTPUT_BYTES_MAX) {
      output += chunk.toString('utf8').slice(0, EXEC_OUTPUT_BYTES_MAX - output.length);
    }
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const killGroup = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The group has ended by itself.
    }
  };
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup();
  }, options.timeoutMs);
  child.on('error', (error) => {
    clearTimeout(timer);
    resolve({ exitCode: 127, timedOut: false, output: error.message });
  });
  child.on('exit', (code) => {
    clearTimeout(timer);
    // What the command left behind would hold the pipes open.
    killGroup();
    resolve({ exitCode: timedOut || code === null ? undefined : code, timedOut, output });
  });
  return await promise;
}
