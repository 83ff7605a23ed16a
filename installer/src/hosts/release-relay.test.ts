import { expect, test } from 'vitest';
import { OperationError } from '@dcos/base';
import type { HostConnection, RunResult, UploadSource } from './connection.ts';
import { ReleaseRelay } from './release-relay.ts';

const ok: RunResult = { code: 0, stdout: '', stderr: '' };
const bad: RunResult = { code: 1, stdout: '', stderr: 'no' };
const source: UploadSource = {
  sizeBytes: 10,
  sha256: '0123456789abcdef',
  open: () => {
    throw new Error('nobody reads it here');
  },
};
const OPTIONS = { path: '/opt/archive', mode: 0o600 };

interface World {
  /** Bytes that the installer sent, by host; a part that is there already is not sent. */
  readonly sent: string[];
  readonly given: string[];
  readonly stopped: string[];
  readonly fails?: 'give' | 'take' | 'corrupt';
}

function host(world: World, address: string, mayGive = true) {
  let hasPart = false;
  let isCorrupt = false;
  const connection: HostConnection = {
    async run(argv) {
      await Promise.resolve();
      const [program, , , what, , giver] = argv;
      if (program === 'systemctl') world.stopped.push(address);
      if (what === 'give' && world.fails === 'give') return bad;
      if (what === 'take') {
        if (world.fails === 'take') return bad;
        hasPart = true;
        isCorrupt = world.fails === 'corrupt';
        world.given.push(`${String(giver)} to ${address}`);
      }
      return ok;
    },
    async upload() {
      await Promise.resolve();
      if (isCorrupt) {
        [hasPart, isCorrupt] = [false, false];
        throw new OperationError('HOST_UPLOAD_CORRUPT', 'wrong');
      }
      if (!hasPart) world.sent.push(address);
    },
    close: async () => await Promise.resolve(),
  };
  return { connection, address, mayGive };
}

async function toAll(world: World, count: number, masters = 0): Promise<ReleaseRelay> {
  const relay = new ReleaseRelay(count);
  const takers = Array.from({ length: count }, (_, index) =>
    host(world, `10.0.0.${index + 1}`, index >= masters),
  );
  await Promise.all(takers.map(async (taker) => await relay.upload(taker, source, OPTIONS)));
  return relay;
}

const world = (fails?: World['fails']): World => ({
  sent: [],
  given: [],
  stopped: [],
  ...(fails !== undefined && { fails }),
});

test('few hosts get everything from the installer', async () => {
  const seen = world();
  await (await toAll(seen, 5)).close();
  expect([seen.sent.length, seen.given.length, seen.stopped.length]).toEqual([5, 0, 0]);
});

test('of many, a few do; the others get it from one another, and nobody gives afterwards', async () => {
  const seen = world();
  const relay = await toAll(seen, 40, 3);
  expect(seen.sent.length + seen.given.length).toBe(40);
  expect(seen.sent.length).toBeLessThanOrEqual(6);
  // Masters only take.
  expect(seen.given.filter((line) => /^10\.0\.0\.[123] /.test(line))).toEqual([]);
  await relay.close();
  expect(seen.stopped).toHaveLength(37);
});

test.each(['give', 'take', 'corrupt'] as const)(
  'where it fails (%s), everything comes from the installer',
  async (fails) => {
    const seen = world(fails);
    await (await toAll(seen, 12, 1)).close();
    expect(seen.sent).toHaveLength(12);
  },
);

test('an installer that cannot send is an error, as without others', async () => {
  const relay = new ReleaseRelay(20);
  const broken = host(world(), '10.0.0.1');
  const failing: HostConnection = {
    ...broken.connection,
    upload: async () => await Promise.reject(new OperationError('HOST_UNREACHABLE', 'gone')),
  };
  await expect(
    relay.upload({ ...broken, connection: failing }, source, OPTIONS),
  ).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' });
  const seen = world();
  await relay.upload(host(seen, '10.0.0.2'), source, OPTIONS);
  expect(seen.sent).toEqual(['10.0.0.2']);
});
