import { OperationError, seededRandom } from '@dcos/base';
import { expect, test } from 'vitest';
import type { HostConnection } from '../../../hosts/connection.ts';
import type { AwsHost } from '../aws-provider.ts';
import { virtualClock } from '../testing/virtual-clock.ts';
import { waitUntilReachable, type Connect } from './reach-hosts.ts';

function host(name: string): AwsHost {
  return {
    name,
    role: 'private',
    instanceId: `i-${name}`,
    region: 'eu-central-1',
    zone: 'eu-central-1a',
    privateAddress: '10.0.0.4',
    connection: { address: '10.0.0.4', port: 22, user: 'admin', privateKeyFile: '/none' },
  };
}

/** Hosts that answer by a list of codes, one an attempt; the last one stays. */
function scripted(codes: Readonly<Record<string, readonly string[]>>): {
  readonly connect: Connect;
  readonly attempts: Map<string, number>;
  readonly open: Set<HostConnection>;
} {
  const attempts = new Map<string, number>();
  const open = new Set<HostConnection>();
  const connect: Connect = async ({ name }) => {
    const attempt = attempts.get(name) ?? 0;
    attempts.set(name, attempt + 1);
    const list = codes[name] ?? [];
    const code = list[Math.min(attempt, list.length - 1)] ?? 'ok';
    const connection: HostConnection = {
      run: async () => {
        if (code !== 'ok') throw new OperationError(code, `${name}: ${code}`);
        return await Promise.resolve({ code: 0, stdout: '', stderr: '' });
      },
      upload: async () => await Promise.reject(new Error('not in this test')),
      close: async () => {
        open.delete(connection);
        await Promise.resolve();
      },
    };
    open.add(connection);
    return await Promise.resolve(connection);
  };
  return { connect, attempts, open };
}

test.for([
  ['answers at once', ['ok'], 1, 'a answers, 1 of 1'],
  [
    'is silent, then has not its key yet',
    ['HOST_UNREACHABLE', 'HOST_LOGIN_REFUSED', 'ok'],
    3,
    'a answers, 1 of 1',
  ],
  ['has another key', ['HOST_KEY_CHANGED'], 1, 'a does not answer: a: HOST_KEY_CHANGED'],
] as const)('a host that %s', async ([, codes, count, line]) => {
  const { connect, attempts, open } = scripted({ a: codes });
  const lines: string[] = [];
  const context = {
    clock: virtualClock(),
    random: seededRandom(1),
    onProgress: (text: string) => void lines.push(text),
  };
  await waitUntilReachable([host('a')], connect, context);
  expect(attempts.get('a')).toBe(count);
  expect(lines).toEqual([line]);
  expect(open.size).toBe(0);
});

test('a host that stays silent is told after a while, and holds up no other', async () => {
  const { connect, open } = scripted({ a: ['HOST_UNREACHABLE'], b: ['ok'] });
  const lines: string[] = [];
  const clock = virtualClock();
  await waitUntilReachable([host('a'), host('b')], connect, {
    clock,
    random: seededRandom(1),
    onProgress: (text) => void lines.push(text),
  });
  expect(lines).toEqual(['b answers, 1 of 2', 'a does not answer: a: HOST_UNREACHABLE']);
  expect(clock.monotonicMs()).toBeGreaterThan(3 * 60_000);
  expect(clock.monotonicMs()).toBeLessThan(6 * 60_000);
  expect(open.size).toBe(0);
});
