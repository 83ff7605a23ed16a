/**
 * A substitute for EC2 that speaks its API: moto, from PyPI, on loopback and with nothing but what a test puts into it.
 * Tests reach no other address: a client for them is made by {@link MotoServer.endpoint} alone.
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { program, type Facility } from './facility.ts';

/** Python reads several hundred files first. */
const START_TIMEOUT_MS = 120_000;

/** The program `moto_server`. */
export function motoServer(): Facility {
  return program('moto_server');
}

export interface MotoServer {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  /** Forgets everything. */
  reset(): Promise<void>;
  /** Ends the process. */
  close(): Promise<void>;
}

/** Starts one on a free port. */
export async function startMotoServer(): Promise<MotoServer> {
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONUNBUFFERED: '1' },
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  // Without this a program that is missing would end the tests, too.
  child.once('error', () => undefined);
  const said: string[] = [];
  const endpoint = await new Promise<string>((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`moto_server ${why}: ${said.join('\n')}`));
    const timer = setTimeout(() => fail('does not listen'), START_TIMEOUT_MS);
    for (const input of [child.stdout, child.stderr]) {
      // It is read to the end, so that the server never waits for room to write.
      createInterface({ input }).on('line', (line) => {
        const found = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
        if (found === undefined) {
          if (said.length < 50) said.push(line);
          return;
        }
        clearTimeout(timer);
        resolve(found);
      });
    }
    void ended.then(() => {
      clearTimeout(timer);
      fail('ended');
    });
  });
  return {
    endpoint,
    async reset() {
      const answer = await fetch(`${endpoint}/moto-api/reset`, { method: 'POST' });
      await answer.text();
      if (!answer.ok) throw new Error(`moto did not reset: ${answer.status}`);
    },
    async close() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
