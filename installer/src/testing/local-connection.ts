/** This machine as a host, as the user who runs the tests: what the host path sends is really run. */

import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type {
  HostConnection,
  RunOptions,
  RunResult,
  UploadOptions,
  UploadSource,
} from '../hosts/connection.ts';
import { uploadByPrograms } from '../hosts/upload.ts';

export class LocalConnection implements HostConnection {
  async run(argv: readonly string[], { input }: RunOptions = {}): Promise<RunResult> {
    const [command = '', ...words] = argv;
    const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'pipe'] });
    const texts = Promise.all([textOf(child.stdout), textOf(child.stderr)]);
    const code = new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode) => resolve(exitCode ?? -1));
    });
    const given = Readable.from(typeof input === 'object' ? input : [input ?? '']);
    // A program need not read what it is given.
    await pipeline(given, child.stdin).catch((error: unknown) => {
      if ((error as { readonly code?: string }).code !== 'EPIPE') throw error;
    });
    const [stdout, stderr] = await texts;
    return { code: await code, stdout, stderr };
  }

  async upload(source: UploadSource, remotePath: string, options: UploadOptions): Promise<void> {
    await uploadByPrograms(this, source, remotePath, options);
  }

  async close(): Promise<void> {
    // Nothing is open between two calls.
  }
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
