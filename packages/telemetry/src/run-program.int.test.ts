/** Signals, which only a process of its own can get. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';

/** A program that is long in coming to its end. */
const PROGRAM = `
import { runProgram } from '@dcos/telemetry';
await runProgram({
  name: 'slow',
  environmentPrefix: 'SLOW_',
  schema: { shape: {}, safeParse: (data) => ({ success: true, data }) },
  async start() {
    setInterval(() => undefined, 1_000);
    // Once it has started it hears signals.
    setImmediate(() => console.log('runs'));
    return {
      close: async () => {
        console.log('ends');
        await new Promise(() => undefined);
      },
    };
  },
});
`;

test.each([
  ['SIGTERM', 'SIGTERM'],
  ['SIGTERM', 'SIGINT'],
  ['SIGINT', 'SIGINT'],
] as const)('%s lets a program end in its way, %s after it at once', async (first, second) => {
  const child = spawn(
    process.execPath,
    ['--conditions=@dcos/source', '--input-type=module', '--eval', PROGRAM],
    { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await said.next()).value).toBe('runs');
  child.kill(first);
  expect((await said.next()).value).toBe('ends');
  child.kill(second);
  expect(await exit).toEqual([null, second]);
});
