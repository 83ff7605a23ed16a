/** A container that acts as a host, reached through the Docker Engine: programs by exec, as root. */

import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import { OperationError } from '@dcos/base';
import {
  RUN_TIMEOUT_MS,
  type HostConnection,
  type RunOptions,
  type RunResult,
  type UploadOptions,
  type UploadSource,
} from '../../hosts/connection.ts';
import { lastOf } from '../../hosts/last-of.ts';
import { timedArgv, wasTimedOut } from '../../hosts/timed-program.ts';
import { uploadByPrograms } from '../../hosts/upload.ts';

export class DockerConnection implements HostConnection {
  readonly #engine: Docker;
  readonly #container: Docker.Container;
  readonly #name: string;

  constructor(engine: Docker, container: Docker.Container, name: string) {
    this.#engine = engine;
    this.#container = container;
    this.#name = name;
  }

  async run(
    argv: readonly string[],
    { input, timeoutMs = RUN_TIMEOUT_MS }: RunOptions = {},
  ): Promise<RunResult> {
    const seconds = Math.ceil(timeoutMs / 1000);
    try {
      const exec = await this.#container.exec({
        // The engine cannot end what it began, so the host does.
        Cmd: [...timedArgv(argv, seconds)],
        AttachStdin: input !== undefined,
        AttachStdout: true,
        AttachStderr: true,
      });
      const stream = await exec.start({ hijack: true, stdin: input !== undefined });
      const stdout = new PassThrough();
      const stderr = new PassThrough();
      this.#engine.modem.demuxStream(stream, stdout, stderr);
      const ended = new Promise<void>((resolve, reject) => {
        stream.once('end', resolve);
        stream.once('close', resolve);
        stream.once('error', reject);
      }).finally(() => {
        stdout.end();
        stderr.end();
      });
      const texts = Promise.all([lastOf(stdout), lastOf(stderr)]);
      if (input !== undefined) {
        // A program that ends without having read everything is not an error of its own: its exit code says what was.
        await pipeline(Readable.from(typeof input === 'string' ? [input] : input), stream, {
          end: true,
        }).catch((error: unknown) => {
          if ((error as { readonly code?: string }).code !== 'EPIPE') throw error;
        });
      }
      await ended;
      const [out, err] = await texts;
      const { ExitCode } = await exec.inspect();
      return this.#result(argv, { code: ExitCode ?? -1, stdout: out, stderr: err }, seconds);
    } catch (error) {
      if (error instanceof OperationError) throw error;
      throw new OperationError('HOST_UNREACHABLE', `${this.#name} cannot be reached`, {
        cause: error,
        retry: 'later',
      });
    }
  }

  #result(argv: readonly string[], result: RunResult, seconds: number): RunResult {
    if (!wasTimedOut(result)) return result;
    throw new OperationError(
      'HOST_TIMEOUT',
      `${this.#name}: ${argv[0] ?? ''} took more than ${seconds} s: ${result.stderr.trim().slice(-500)}`,
      { retry: 'later' },
    );
  }

  async upload(source: UploadSource, remotePath: string, options: UploadOptions): Promise<void> {
    await uploadByPrograms(this, source, remotePath, options);
  }

  async close(): Promise<void> {
    // Every call has its own connection to the engine.
  }
}
