/**
 * What every adapter keeps for containers at a terminal, run against each: typing, the size of the window, output in
 * the sandbox, the end, and all of it also for the next agent.
 */

import { readFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { CommandInfo } from '@dcos/wire';
import type { ContainerRuntime, ContainerSpec } from '../runtime.ts';
import { hasProcess } from '../process/process-table.ts';
import { until, type RuntimeFixture } from './runtime-contract.ts';

let counter = 0;

/** Declares the tests. */
export function terminalContract(name: string, fixture: () => RuntimeFixture): void {
  describe(`${name}: a container at a terminal`, () => {
    const opened: { readonly runtime: ContainerRuntime; readonly id: string }[] = [];
    afterEach(async () => {
      for (const { runtime, id } of opened.splice(0)) await runtime.remove(id);
    });

    async function launch(
      command: CommandInfo,
      more: Partial<ContainerSpec> = {},
    ): Promise<{ runtime: ContainerRuntime; spec: ContainerSpec; said: () => string }> {
      const { sandboxRoot, spec: complete, open } = fixture();
      const runtime = open();
      const id = `tty-${process.pid}-${Date.now()}-${counter++}`;
      const sandboxPath = join(sandboxRoot, id);
      await mkdir(sandboxPath, { recursive: true });
      const spec = complete({
        id,
        sandboxPath,
        command,
        container: { type: 'MESOS', tty_info: { window_size: { rows: 31, columns: 97 } } },
        environment: { PATH: '/usr/bin:/bin', TERM: 'xterm' },
        cpus: 0.1,
        memoryBytes: 64 * 1024 * 1024,
        ...more,
      });
      opened.push({ runtime, id });
      await runtime.prepare(spec);
      await runtime.create(spec);
      await runtime.start(id);
      const said = (): string => readFileSync(join(sandboxPath, 'stdout'), 'utf8');
      return { runtime, spec, said };
    }

    test('it has the window that was asked for; all output is one stream, whole at its end', async () => {
      const { runtime, spec, said } = await launch({
        // An engine may tell the size a moment later.
        value:
          'tty >/dev/null; until [ "$(stty size)" = "31 97" ]; do sleep 0.01; done; echo oops >&2; seq 5000; exit 7',
      });
      expect(await runtime.wait(spec.id)).toMatchObject({ kind: 'exited', code: 7 });
      const lines = said().split('\r\n');
      expect(lines.slice(0, 2)).toEqual(['oops', '1']);
      expect(lines.slice(-2)).toEqual(['5000', '']);
      expect(lines).toHaveLength(5_002);
      expect(await readFile(join(spec.sandboxPath, 'stderr'), 'utf8')).toBe('');
    });

    test('it reads what is typed, hears of a new size, and of the end of input', async () => {
      const { runtime, spec, said } = await launch({
        value:
          'stty -echo; echo ready; while read -r line; do echo "$line"; stty size; done; exit 3',
      });
      await until(() => said().includes('ready'), 'it is ready');
      const terminal = await runtime.openTerminal(spec.id);
      await terminal.write(Buffer.from(`${'x'.repeat(2_000)}\n`));
      await until(() => said().includes('x'.repeat(2_000)), 'it answers');
      // A check beside it has none.
      const check = { command: { value: 'tty' }, timeoutMs: 60_000 };
      expect(await runtime.exec(spec.id, check)).toMatchObject({ output: 'not a tty\n' });
      terminal.resize({ rows: 0, columns: 0 });
      terminal.resize({ rows: 44, columns: 123 });
      // An engine is told apart from what is typed.
      while (!said().includes('44 123\r\n')) {
        const before = said().length;
        await terminal.write(Buffer.from('\n'));
        await until(() => said().length > before, 'it answers again');
      }
      terminal.endInput();
      expect(await runtime.wait(spec.id)).toMatchObject({ kind: 'exited', code: 3 });
      terminal.close();
      await expect(runtime.openTerminal(spec.id)).rejects.toMatchObject({
        code: 'CONTAINER_UNKNOWN',
      });
    });

    test('keys send signals to what is in front', async () => {
      const { runtime, spec, said } = await launch({
        value: 'trap "echo caught; exit 5" INT; echo ready; while :; do sleep 0.05; done',
      });
      await until(() => said().includes('ready'), 'it is ready');
      const terminal = await runtime.openTerminal(spec.id);
      await terminal.write(Uint8Array.of(3));
      expect(await runtime.wait(spec.id)).toMatchObject({ kind: 'exited', code: 5 });
      expect(said()).toContain('caught');
      terminal.close();
    });

    test('the next agent has its terminal, its output and its end', async () => {
      const { runtime, spec, said } = await launch({
        value: 'stty -echo; echo ready; read line; echo "first $line"; read line; exit "$line"',
      });
      await until(() => said().includes('ready'), 'it is ready');
      const terminal = await runtime.openTerminal(spec.id);
      await terminal.write(Buffer.from('one\n'));
      await until(() => said().includes('first one'), 'it has read');
      await runtime.close();
      const next = fixture().open();
      opened.push({ runtime: next, id: spec.id });
      expect(await next.recover([spec])).toMatchObject([{ kind: 'running', id: spec.id }]);
      const again = await next.openTerminal(spec.id);
      await again.write(Buffer.from('9\n'));
      expect(await next.wait(spec.id)).toMatchObject({ kind: 'exited', code: 9 });
      again.close();
      terminal.close();
    });

    test('SIGKILL ends it, and all that it started', async () => {
      const { runtime, spec, said } = await launch({
        value: 'trap "" HUP TERM; sleep 600 & echo "ready $!"; wait; sleep 600',
      });
      await until(() => said().includes('ready'), 'it is ready');
      await runtime.signal(spec.id, 'SIGKILL');
      // Of a terminal's session too.
      expect([
        { kind: 'signaled', signal: 9 },
        { kind: 'exited', code: 137 },
      ]).toContainEqual(await runtime.wait(spec.id));
      const child = Number(/ready (\d+)/.exec(said())?.[1]);
      if (name === 'process') await until(() => !hasProcess(child), 'its child is gone');
    });

    test('a program that is not there', async () => {
      const { runtime, spec, said } = await launch({ value: 'exec /no/such/program' });
      expect(await runtime.wait(spec.id)).toMatchObject({ kind: 'exited', code: 127 });
      expect(said()).toContain('/no/such/program');
    });

    test('one without a terminal has none', async () => {
      const { runtime, spec } = await launch(
        { value: 'exec sleep 600' },
        { container: { type: 'MESOS' } },
      );
      await expect(runtime.openTerminal(spec.id)).rejects.toMatchObject({
        code: 'CONTAINER_UNKNOWN',
      });
    });
  });
}
