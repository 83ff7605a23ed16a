import { expect, test } from 'vitest';
import type { Readiness } from '../core/wanted-host.ts';
import type { HostConnection } from './connection.ts';
import { hostProgram } from './host-programs.ts';
import { passGate } from './pass-gate.ts';

const CLUSTER: Readiness = {
  kind: 'cluster',
  scheme: 'http',
  masters: ['10.0.0.10'],
  masterPort: 5050,
  marathonPort: 8080,
  agents: 1,
};
const UNIT = {
  name: 'dcos-marathon',
  fingerprint: '',
  readiness: CLUSTER,
  isUseless: false,
  ports: [],
};

interface Answers {
  /** Of the look whether the cluster is whole, one after the other. */
  readonly whole?: readonly (string | undefined)[];
  /** Of systemd about restarts, one after the other. */
  readonly restarts?: readonly number[];
  /** Called when the soak is about to begin. */
  readonly onShown?: () => void;
}

/** A host that answers this, the last of each again and again; and how often it was asked. */
function hostThatSays({ whole = [undefined], restarts = [0], onShown }: Answers): {
  readonly connection: HostConnection;
  readonly asked: { whole: number; restarts: number };
} {
  const asked = { whole: 0, restarts: 0 };
  const nth = <T>(all: readonly T[], index: number): T | undefined =>
    all[Math.min(index, all.length - 1)];
  const run = async (argv: readonly string[]) => {
    await Promise.resolve();
    let stdout = '';
    if (argv.includes(hostProgram('ready.mjs'))) {
      const reason = nth(whole, asked.whole++);
      stdout = JSON.stringify({ ready: reason === undefined, reason });
    } else if (argv.includes('NRestarts,MainPID')) {
      stdout = `NRestarts=${nth(restarts, asked.restarts++)}\nMainPID=7\n`;
      onShown?.();
    } else if (argv[0] === 'journalctl') stdout = 'its last words\n';
    return { code: 0, stdout, stderr: '' };
  };
  const upload = async (): Promise<void> => await Promise.reject(new Error('not asked for'));
  return { connection: { run, upload, close: async () => await Promise.resolve() }, asked };
}

async function pass(
  answers: Answers,
  options: { readonly soakMs?: number; readonly signal?: AbortSignal } = {},
): Promise<{ readonly whole: number; readonly restarts: number }> {
  const { connection, asked } = hostThatSays(answers);
  await passGate({
    readiness: CLUSTER,
    asked: connection,
    watched: [{ name: 'master-1', connection, units: [UNIT] }],
    soakMs: 1,
    signal: new AbortController().signal,
    ...options,
  });
  return asked;
}

test('the cluster is whole before and after what was started stays up', async () => {
  expect(await pass({})).toEqual({ whole: 2, restarts: 2 });
});

test('without a soak it is asked once', async () => {
  expect(await pass({}, { soakMs: 0 })).toEqual({ whole: 1, restarts: 0 });
});

test.each<[string, Answers, string, RegExp]>([
  ['that is not whole', { whole: ['no agents'] }, 'CLUSTER_NOT_WHOLE', /not whole: no agents/],
  [
    'that is not whole any more after a while',
    { whole: [undefined, 'nobody leads'] },
    'CLUSTER_NOT_WHOLE',
    /nobody leads/,
  ],
  [
    'of which a unit ended meanwhile',
    { restarts: [0, 1] },
    'UNIT_NOT_READY',
    /master-1: dcos-marathon.service served, and ended again[^]*its last words/,
  ],
])('a cluster %s does not pass', async (_what, answers, code, message) => {
  await expect(pass(answers)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});

test('Ctrl-C ends the wait at once', async () => {
  const interruption = new AbortController();
  const answers = { onShown: () => interruption.abort() };
  // Of an hour.
  const passed = pass(answers, { soakMs: 3_600_000, signal: interruption.signal });
  await expect(passed).rejects.toMatchObject({ code: 'INSTALLER_INTERRUPTED' });
});
