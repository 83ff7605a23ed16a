/**
 * What the launcher process runs: it starts shims for agents, since a fork costs as much as the forking process
 * is big, and stops it for as long. It is a small process on purpose and is started with `node -e`, from
 * the text of this function: nothing outside of the function exists there. What touches the shim's files is
 * done here too, at once instead of by turns with everything else that an agent does.
 *
 * It reads one request a line from standard input and writes one report a line to standard output; the shims
 * themselves report on descriptor 3, which it only passes on. It ends when its input ends, that is with the
 * agent however that dies, and decides nothing: the shims and their files do without it.
 */

import type { Readable } from 'node:stream';

/** One line of input. */
export type LauncherRequest = StartRequest | RemoveRequest | ToolRequest | SuperviseRequest;

export interface StartRequest {
  readonly kind: 'start';
  /** Number of the launch, unique for this launcher. */
  readonly launch: number;
  /** Made here, for the account. */
  readonly statePath: string;
  readonly vector: readonly string[];
  /** Working directory; `stdout` and `stderr` in it are appended to. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
}

/** A state directory that is done with. Nothing is reported; what stays is an orphan of the next start. */
export interface RemoveRequest {
  readonly kind: 'remove';
  readonly statePath: string;
}

/** A program of the host that is run to its end, such as an OCI runtime. */
export interface ToolRequest {
  readonly kind: 'tool';
  readonly launch: number;
  readonly file: string;
  readonly vector: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** A program that stays with a container: it says on descriptor 3, in one line, what became of it. */
export interface SuperviseRequest {
  readonly kind: 'supervise';
  readonly launch: number;
  readonly file: string;
  readonly vector: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Working directory. */
  readonly directory: string;
  /** Where its `stdout` and `stderr` are appended to, for this account. */
  readonly sandboxPath: string;
  readonly account: { readonly uid: number; readonly gid: number };
  readonly timeoutMs: number;
}

/** The word that tells launchers among the processes of the host; the agent's pid follows it. */
export const LAUNCHER_MARK = 'dcos-launcher';

/** One line of output. `failed`, `exited` and `ended` are the last of a launch. */
export type LauncherReport =
  | { readonly launch: number; readonly kind: 'spawned'; readonly pid: number }
  | { readonly launch: number; readonly kind: 'failed'; readonly message: string }
  | ({ readonly launch: number; readonly kind: 'ended' } & ToolEnd)
  | {
      readonly launch: number;
      readonly kind: 'exited';
      readonly code: number | null;
      readonly signal: string | null;
      /** What the shim left: the texts of its files, empty where there is none. */
      readonly status: string;
      readonly pid: string;
      readonly notices: string;
    };

/** How a program of the host ended. */
export interface ToolEnd {
  readonly succeeded: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program; its one argument is the program of the shim. */
export function launcherProgram(): void {
  const { execFile, spawn } = process.getBuiltinModule('node:child_process');
  const { chownSync, closeSync, constants, fchownSync, fstatSync, mkdirSync, openSync } =
    process.getBuiltinModule('node:fs');
  const { readFileSync, rmSync } = process.getBuiltinModule('node:fs');
  /** More of an answer is cut. */
  const ANSWER_CHARACTERS_MAX = 65_536;
  const [, shimProgram = ''] = process.argv;

  function tell(report: LauncherReport): void {
    process.stdout.write(`${JSON.stringify(report)}\n`);
  }

  /** For appending. A pipe or a link that was put there would block us, or lead out of the sandbox. */
  function openOutput(path: string): number {
    const flags =
      constants.O_WRONLY |
      constants.O_APPEND |
      constants.O_CREAT |
      constants.O_NOFOLLOW |
      constants.O_NONBLOCK;
    const descriptor = openSync(path, flags, 0o644);
    if (fstatSync(descriptor).isFile()) return descriptor;
    closeSync(descriptor);
    throw new Error(`${path} is not a file`);
  }

  function read(path: string): string {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      // It was never written; the reader of the report draws its conclusions.
      return '';
    }
  }

  function start(request: StartRequest): void {
    const { launch, directory, statePath, account } = request;
    const opened: number[] = [];
    try {
      mkdirSync(statePath, { mode: 0o700 });
      if (account !== undefined) chownSync(statePath, account.uid, account.gid);
      for (const name of ['stdout', 'stderr']) opened.push(openOutput(`${directory}/${name}`));
      const vector = [statePath, String(launch), ...request.vector];
      const child = spawn('/bin/sh', ['-c', shimProgram, 'dcos-shim', ...vector], {
        cwd: directory,
        env: request.environment,
        detached: true,
        stdio: ['ignore', opened[0], opened[1], 3],
        ...account,
      });
      child.on('error', ({ message }) => tell({ launch, kind: 'failed', message }));
      child.on('exit', (code, signal) => {
        const [status, pid, notices] = ['status', 'pid', 'notices'].map((name) =>
          read(`${statePath}/${name}`),
        ) as [string, string, string];
        tell({ launch, kind: 'exited', code, signal, status, pid, notices });
      });
      if (child.pid !== undefined) tell({ launch, kind: 'spawned', pid: child.pid });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      tell({ launch, kind: 'failed', message });
    } finally {
      for (const descriptor of opened) closeSync(descriptor);
    }
  }

  function runTool({ launch, file, vector, environment, timeoutMs }: ToolRequest): void {
    const options = { env: environment, timeout: timeoutMs };
    execFile(file, vector, options, (error, stdout, stderr) => {
      // What cannot even be started has said nothing.
      const said = stderr === '' && typeof error?.code === 'string' ? error.message : stderr;
      tell({ launch, kind: 'ended', succeeded: error === null, stdout, stderr: said });
    });
  }

  function supervise(request: SuperviseRequest): void {
    const { launch, sandboxPath, account } = request;
    const opened: number[] = [];
    let answer = '';
    let isTold = false;
    const end = (succeeded: boolean, stderr: string): void => {
      if (isTold) return;
      isTold = true;
      clearTimeout(timer);
      tell({ launch, kind: 'ended', succeeded, stdout: answer, stderr });
    };
    const timer = setTimeout(() => end(false, 'it did not answer in time'), request.timeoutMs);
    try {
      for (const name of ['stdout', 'stderr']) {
        const descriptor = openOutput(`${sandboxPath}/${name}`);
        opened.push(descriptor);
        fchownSync(descriptor, account.uid, account.gid);
      }
      const child = spawn(request.file, request.vector, {
        cwd: request.directory,
        env: request.environment,
        detached: true,
        stdio: ['ignore', opened[0], opened[1], 'pipe'],
      });
      child.on('error', ({ message }) => end(false, message));
      const pipe = child.stdio[3] as Readable;
      pipe.setEncoding('utf8');
      pipe.on('error', ({ message }) => end(false, message));
      pipe.on('end', () => end(true, ''));
      pipe.on('data', (chunk: string) => {
        answer = (answer + chunk).slice(0, ANSWER_CHARACTERS_MAX);
        if (!answer.includes('\n')) return;
        end(true, '');
        pipe.destroy();
      });
    } catch (error) {
      end(false, error instanceof Error ? error.message : String(error));
    } finally {
      for (const descriptor of opened) closeSync(descriptor);
    }
  }

  // Pieces of a line that has not ended: a long one is put together once, not with every piece.
  let pieces: string[] = [];
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', (chunk: string) => {
    const parts = chunk.split('\n');
    const rest = parts.pop() ?? '';
    const lines = parts.map((part, index) => (index === 0 ? pieces.join('') : '') + part);
    if (lines.length > 0) pieces = [];
    pieces.push(rest);
    for (const line of lines) {
      const request = JSON.parse(line) as LauncherRequest;
      if (request.kind === 'start') start(request);
      else if (request.kind === 'tool') runTool(request);
      else if (request.kind === 'supervise') supervise(request);
      else rmSync(request.statePath, { recursive: true, force: true });
    }
  });
  const leave = (): never => process.exit(0);
  process.stdin.on('end', leave);
  process.stdin.on('error', leave);
  process.stdout.on('error', leave);
}
