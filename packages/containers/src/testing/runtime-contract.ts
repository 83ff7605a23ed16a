/**
 * The contract of the container runtime port, run against every adapter. A factory gives a runtime, and
 * another one over the same state, as after a restart of the agent.
 */

import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { CommandInfo } from '@dcos/wire';
import type { ContainerRuntime, ContainerSpec } from '../runtime.ts';
import type { ContainerSession } from '../session.ts';

export interface RuntimeFixture {
  /** A runtime over the state of this fixture; earlier ones are presumed dead. */
  readonly open: () => ContainerRuntime;
  /** Where sandboxes go; removed by the fixture's owner. */
  readonly sandboxRoot: string;
  /** Completes a spec for this adapter, for example with an image. */
  readonly spec: (base: ContainerSpec) => ContainerSpec;
}

/** Waits for a condition; fails with the text when it does not come true in time. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`timed out waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

let counter = 0;

/** Declares the tests. */
export function runtimeContract(name: string, fixture: () => RuntimeFixture): void {
  describe(`${name} keeps the contract of a runtime`, () => {
    const opened: { readonly runtime: ContainerRuntime; readonly id: string }[] = [];
    afterEach(async () => {
      for (const { runtime, id } of opened.splice(0)) await runtime.remove(id);
    });

    const sandboxOf = (spec: ContainerSpec, file: string): string => join(spec.sandboxPath, file);

    async function launch(
      runtime: ContainerRuntime,
      command: CommandInfo,
      environment: Readonly<Record<string, string>> = {},
    ): Promise<{ readonly spec: ContainerSpec; readonly pid: number }> {
      const { sandboxRoot, spec: complete } = fixture();
      const id = `${process.pid}-${Date.now()}-${counter++}`;
      const sandboxPath = join(sandboxRoot, id);
      await mkdir(sandboxPath, { recursive: true });
      const spec = complete({
        id,
        sandboxPath,
        command,
        environment: { PATH: '/usr/bin:/bin', ...environment },
        cpus: 0.1,
        memoryBytes: 64 * 1024 * 1024,
      });
      opened.push({ runtime, id });
      await runtime.prepare(spec);
      await runtime.create(spec);
      const { pid } = await runtime.start(id);
      return { spec, pid };
    }

    test('output and exit code of a command arrive', async () => {
      const runtime = fixture().open();
      const { spec, pid } = await launch(
        runtime,
        { value: 'echo "$GREETING"; echo oops >&2; exit 7' },
        { GREETING: `it's "quoted" $HOME` },
      );
      expect(pid).toBeGreaterThanOrEqual(0);
      expect(await runtime.wait(spec.id)).toMatchObject({ kind: 'exited', code: 7 });
      expect(await readFile(sandboxOf(spec, 'stdout'), 'utf8')).toBe(`it's "quoted" $HOME\n`);
      expect(await readFile(sandboxOf(spec, 'stderr'), 'utf8')).toBe('oops\n');
    });

    test('an argument vector reaches the program untouched', async () => {
      const runtime = fixture().open();
      const argv = ['/usr/bin/printf', '[%s]', 'a b', '$HOME', "it's", '"; exit 3; "', '--', ''];
      const { spec } = await launch(runtime, {
        shell: false,
        value: '/usr/bin/printf',
        arguments: argv,
      });
      expect(await runtime.wait(spec.id)).toMatchObject({ kind: 'exited', code: 0 });
      expect(await readFile(sandboxOf(spec, 'stdout'), 'utf8')).toBe(
        `[a b][$HOME][it's]["; exit 3; "][--][]`,
      );
    });

    test('SIGTERM reaches the task, which may clean up', async () => {
      const runtime = fixture().open();
      const { spec } = await launch(runtime, {
        value: 'trap "echo bye; exit 5" TERM; echo ready; while :; do sleep 0.05; done',
      });
      await until(
        () => readFileSync(sandboxOf(spec, 'stdout'), 'utf8') === 'ready\n',
        'the task is ready',
      );
      await runtime.signal(spec.id, 'SIGTERM');
      expect(await runtime.wait(spec.id)).toMatchObject({ kind: 'exited', code: 5 });
      expect(await readFile(sandboxOf(spec, 'stdout'), 'utf8')).toBe('ready\nbye\n');
    });

    test('SIGKILL ends a task that ignores SIGTERM', async () => {
      const runtime = fixture().open();
      const { spec } = await launch(runtime, {
        value: 'trap "" TERM; echo ready; while :; do sleep 0.05; done',
      });
      await until(
        () => readFileSync(sandboxOf(spec, 'stdout'), 'utf8') === 'ready\n',
        'the task is ready',
      );
      await runtime.signal(spec.id, 'SIGTERM');
      await runtime.signal(spec.id, 'SIGKILL');
      const status = await runtime.wait(spec.id);
      expect([
        { kind: 'signaled', signal: 9 },
        { kind: 'exited', code: 137 },
      ]).toContainEqual(status);
    });

    test('a second command sees the surroundings of the first, and is stopped at its time-out', async () => {
      const runtime = fixture().open();
      const { spec } = await launch(
        runtime,
        { value: 'echo here >marker; sleep 60' },
        { COLOR: 'red' },
      );
      const probe = { value: 'until [ -e marker ]; do sleep 0.01; done; echo $COLOR; exit 4' };
      expect(await runtime.exec(spec.id, { command: probe, timeoutMs: 10_000 })).toMatchObject({
        exitCode: 4,
        timedOut: false,
        output: 'red\n',
      });
      const slow = await runtime.exec(spec.id, { command: { value: 'sleep 60' }, timeoutMs: 100 });
      expect(slow).toMatchObject({ exitCode: undefined, timedOut: true });
    });

    test('usage is told while it runs, and not after', async () => {
      const runtime = fixture().open();
      const { spec } = await launch(runtime, { value: 'sleep 60' });
      const stats = await runtime.stats(spec.id);
      expect(stats?.memoryResidentBytes).toBeGreaterThan(0);
      await runtime.signal(spec.id, 'SIGKILL');
      await runtime.wait(spec.id);
      expect(await runtime.stats(spec.id)).toBeUndefined();
    });

    test('an attached reader gets what is written from then on', async () => {
      const runtime = fixture().open();
      const { spec } = await launch(runtime, {
        value: 'echo early; until [ -e go ]; do sleep 0.02; done; echo late; sleep 60',
      });
      await until(
        () => readFileSync(sandboxOf(spec, 'stdout'), 'utf8') === 'early\n',
        'the task is ready',
      );
      let text = '';
      const detach = await runtime.attach(spec.id, (_stream, bytes) => {
        text += Buffer.from(bytes).toString('utf8');
      });
      await runtime.exec(spec.id, { command: { value: 'touch go' }, timeoutMs: 10_000 });
      await until(() => text === 'late\n', 'the line arrives');
      detach();
    });

    test('a session has the streams of a second command at hand', async () => {
      const runtime = fixture().open();
      const { spec } = await launch(runtime, { value: 'sleep 60' }, { COLOR: 'red' });
      const text = { stdout: '', stderr: '' };
      const session = await runtime.openSession(spec.id, {
        command: {
          value: 'echo "$COLOR"; echo oops >&2; read line; echo "got $line"; cat; exit 3',
        },
        onOutput: async (stream, bytes) => {
          text[stream] += Buffer.from(bytes).toString('utf8');
          await Promise.resolve();
        },
      });
      expect(session.pid).toBeGreaterThan(1);
      await session.write(Buffer.from('word\nrest'));
      session.endInput();
      expect(await session.ended).toEqual({ kind: 'exited', code: 3 });
      expect(text).toEqual({ stdout: 'red\ngot word\nrest', stderr: 'oops\n' });
    });

    test('a session has a terminal whose size can be changed', async () => {
      const runtime = fixture().open();
      const { spec } = await launch(runtime, { value: 'sleep 60' });
      let text = '';
      const session = await runtime.openSession(spec.id, {
        command: {
          value: [
            // Some engines set the size just after the start.
            'until [ "$(stty size)" = "11 77" ]; do sleep 0.02; done; stty size',
            'trap "stty size; exit 4" WINCH; echo ready; while :; do sleep 0.02; done',
          ].join('\n'),
        },
        terminal: { rows: 11, columns: 77 },
        onOutput: async (_stream, bytes) => {
          text += Buffer.from(bytes).toString('utf8');
          await Promise.resolve();
        },
      });
      await until(() => text.includes('ready'), 'the program has set its trap');
      session.resize({ rows: 0, columns: 0 });
      session.resize({ rows: 33, columns: 99 });
      expect(await session.ended).toEqual({ kind: 'exited', code: 4 });
      expect(text.replaceAll('\r', '')).toBe('11 77\nready\n33 99\n');
    });

    test('a reader that takes nothing stops a session that writes much', async () => {
      const runtime = fixture().open();
      const { spec } = await launch(runtime, { value: 'sleep 60' });
      const { promise: held, resolve: release } = Promise.withResolvers<void>();
      let bytesTaken = 0;
      const session = await runtime.openSession(spec.id, {
        command: { value: 'head -c 3000000 /dev/zero; echo done >wrote' },
        onOutput: async (_stream, bytes) => {
          bytesTaken += bytes.length;
          await held;
        },
      });
      await until(() => bytesTaken > 0, 'the first piece arrives');
      expect(existsSync(sandboxOf(spec, 'wrote'))).toBe(false);
      release();
      await session.ended;
      expect(bytesTaken).toBe(3_000_000);
    });

    test('a session ends by a signal, and with its container', async () => {
      const runtime = fixture().open();
      const { spec } = await launch(runtime, { value: 'sleep 60' });
      const open = async (): Promise<ContainerSession> =>
        await runtime.openSession(spec.id, {
          command: { value: 'sleep 60' },
          onOutput: async () => await Promise.resolve(),
        });
      const first = await open();
      first.signal(9);
      expect(await first.ended).toEqual({ kind: 'signaled', signal: 9 });
      const second = await open();
      await runtime.signal(spec.id, 'SIGKILL');
      await runtime.wait(spec.id);
      expect((await second.ended).kind).not.toBe('exited');
    });

    test('a running container is found again, with its pid, and can be stopped', async () => {
      const before = fixture().open();
      const { spec, pid } = await launch(before, {
        value: 'trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done',
      });
      await until(
        () => readFileSync(sandboxOf(spec, 'stdout'), 'utf8') === 'ready\n',
        'the task is ready',
      );
      await before.close();
      opened.length = 0;
      const after = fixture().open();
      opened.push({ runtime: after, id: spec.id });
      expect(await after.recover([spec])).toMatchObject([
        { kind: 'running', id: spec.id, started: { pid } },
      ]);
      await after.signal(spec.id, 'SIGTERM');
      expect(await after.wait(spec.id)).toMatchObject({ kind: 'exited', code: 3 });
      expect(await readFile(sandboxOf(spec, 'stdout'), 'utf8')).toBe('ready\n');
    });

    test('an end that nobody watched is found with its status', async () => {
      const before = fixture().open();
      const { spec } = await launch(before, {
        value: 'until [ -e go ]; do sleep 0.02; done; echo done; exit 9',
      });
      await before.exec(spec.id, { command: { value: 'touch go' }, timeoutMs: 10_000 });
      await before.close();
      opened.length = 0;
      const after = fixture().open();
      opened.push({ runtime: after, id: spec.id });
      const [found] = await after.recover([spec]);
      expect(['running', 'exited']).toContain(found?.kind);
      expect(await after.wait(spec.id)).toMatchObject({ kind: 'exited', code: 9 });
      expect(await readFile(sandboxOf(spec, 'stdout'), 'utf8')).toBe('done\n');
    });

    test('a container that was never started is absent', async () => {
      const { sandboxRoot, open, spec } = fixture();
      const base = {
        command: { value: 'true' },
        environment: {},
        cpus: 0.1,
        memoryBytes: 33554432,
      };
      const never = spec({ ...base, id: 'never-started', sandboxPath: sandboxRoot });
      expect(await open().recover([never])).toEqual([{ kind: 'absent', id: 'never-started' }]);
    });

    test('what is not in the list is killed as an orphan', async () => {
      const before = fixture().open();
      const { spec } = await launch(before, { value: 'echo ready; sleep 60' });
      opened.length = 0;
      const ended = before.wait(spec.id);
      const after = fixture().open();
      expect(await after.recover([])).toEqual([]);
      const status = await ended;
      expect(['signaled', 'exited', 'unknown']).toContain(status.kind);
      expect(status).not.toMatchObject({ kind: 'exited', code: 0 });
    });

    test('a forgotten container is unknown', async () => {
      const runtime = fixture().open();
      const { spec } = await launch(runtime, { value: 'sleep 60' });
      await runtime.remove(spec.id);
      await runtime.remove(spec.id);
      await expect(runtime.wait(spec.id)).rejects.toMatchObject({ code: 'CONTAINER_UNKNOWN' });
    });
  });
}
