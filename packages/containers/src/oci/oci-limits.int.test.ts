/** Limits and isolation by the kernel, for real. */

import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ContainerSpec } from '../runtime.ts';
import { ociObstacle, ociScene, type Launched, type OciScene } from '../testing/oci-scene.ts';
import { findCgroups } from './cgroup-host.ts';
import { hasSwapCount } from './preflight.ts';
import { until } from '../testing/runtime-contract.ts';

const reason = await ociObstacle();
if (reason !== undefined) console.warn(`SKIPPED limits of the oci runtime: ${reason}`);

const cgroups = reason === undefined ? await findCgroups() : undefined;

const MEGABYTE = 1024 * 1024;

/** Whether this kernel counts swap; a scene without a limit for it is one of version 2. */
const hasSwapLimit =
  cgroups?.version === 1 && (await hasSwapCount(1, cgroups.directory('memory', '/')));
/** A device that most hosts have and that reading does not change. */
const LOOPS = '/dev/loop-control';
const allowedDevices = existsSync(LOOPS)
  ? [{ device: { path: LOOPS }, access: { read: true } }]
  : [];

describe.skipIf(reason !== undefined)('the oci runtime limits and isolates', () => {
  const scene = ociScene(() => ({ cgroups: { pidsMax: 40, hasSwapLimit }, allowedDevices }));
  const launch: OciScene['launch'] = async (value, more) => await scene().launch(value, more);
  const said: OciScene['said'] = async (value, more) => await scene().said(value, more);

  test('memory above the limit is the end, with the numbers', async () => {
    const spec = await launch('head -c 200m /dev/zero | tail >/dev/null; sleep 60');
    expect(await scene().runtime.wait(spec.id)).toEqual({
      kind: 'signaled',
      signal: 9,
      outOfMemory: true,
      memory: { limitBytes: 64 * MEGABYTE, peakBytes: 64 * MEGABYTE },
    });
  });

  test('a limit apart from the request is the one that counts', async () => {
    const more = { memoryBytes: 32 * MEGABYTE, limits: { memoryBytes: 128 * MEGABYTE } };
    const spec = await launch('head -c 60m /dev/zero | tail -c 60m >/dev/null; exit 5', more);
    expect(await scene().runtime.wait(spec.id)).toEqual({ kind: 'exited', code: 5 });
  });

  test.runIf(cgroups?.version === 1)('the kernel has what was asked for', async () => {
    const more = { cpus: 0.5, memoryBytes: 64 * MEGABYTE, limits: { cpus: 2 } };
    const { id } = await launch('exec sleep 60', more);
    const files = [
      ['cpu', 'cpu.shares', '512'],
      ['cpu', 'cpu.cfs_quota_us', '200000'],
      ['cpu', 'cpu.cfs_period_us', '100000'],
      ['memory', 'memory.limit_in_bytes', '67108864'],
      ['memory', 'memory.soft_limit_in_bytes', '67108864'],
      ['pids', 'pids.max', '40'],
      ...(hasSwapLimit ? [['memory', 'memory.memsw.limit_in_bytes', '67108864'] as const] : []),
    ] as const;
    for (const [controller, file, value] of files) {
      const path = join(cgroups?.directory(controller, `/mesos/${id}`) ?? '', file);
      expect(`${file}=${readFileSync(path, 'utf8').trim()}`).toBe(`${file}=${value}`);
    }
  });

  test('a fork bomb stops at the bound and dies as a whole', async () => {
    // The shell that multiplies gives up when it is refused; what it made stays.
    const spec = await launch('(while :; do sleep 60 & done); echo full; exec sleep 60');
    await until(
      () => readFileSync(join(spec.spec.sandboxPath, 'stdout'), 'utf8') === 'full\n',
      'no process can be made any more',
    );
    expect((await scene().runtime.stats(spec.id))?.threads).toBeGreaterThan(30);
    expect((await scene().runtime.stats(spec.id))?.threads).toBeLessThanOrEqual(40);
    expect(await spec.output('stderr')).toMatch(/cannot fork/i);
    await scene().runtime.signal(spec.id, 'SIGKILL');
    expect(await scene().runtime.wait(spec.id)).toMatchObject({ kind: 'signaled', signal: 9 });
  });

  test('busy containers share the cpus as they asked', async () => {
    // More of them than any host's cpus need not be: both are held to one by the first cpu's number.
    const busy = 'exec taskset -c 0 sh -c "while :; do :; done"';
    const small = await launch(busy, { cpus: 0.25 });
    const big = await launch(busy, { cpus: 1 });
    const used = async ({ id }: Launched): Promise<number> =>
      (await scene().runtime.stats(id))?.cpuUserSeconds ?? 0;
    const from = [await used(small), await used(big)] as const;
    let ratio = 0;
    let total = 0;
    while (total < 2) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const [few, many] = [(await used(small)) - from[0], (await used(big)) - from[1]];
      total = few + many;
      ratio = many / Math.max(few, 0.01);
    }
    console.info(`cpu shares 1 : 0.25 gave ${ratio.toFixed(2)} : 1`);
    expect(ratio).toBeGreaterThan(2);
  });

  test('a quota is seen in the usage', async () => {
    const spec = await launch('while :; do :; done', { limits: { cpus: 0.1 } });
    let throttled = 0;
    await until(() => {
      void scene()
        .runtime.stats(spec.id)
        .then((stats) => (throttled = stats?.cpuThrottledPeriods ?? 0));
      return throttled > 2;
    }, 'the container was throttled');
    expect(await scene().runtime.stats(spec.id)).toMatchObject({ cpuQuotaUs: 10_000 });
  });

  test.each<[what: string, command: string, answer: string | RegExp]>([
    ['sees its own processes only', 'cat /proc/1/comm', 'tini-static\n'],
    ['has no directory of the host for an input', 'readlink /proc/self/fd/0', '/dev/null\n'],
    ['gets no descriptors of ours', 'ls /proc/self/fd | wc -l', '4\n'],
    ['cannot mount', 'mount -t tmpfs none /mnt', /denied|not permitted/],
    ['cannot make a user namespace', 'unshare -U true', /not permitted/],
    ['cannot set the clock', 'date -s @0 >/dev/null', /not permitted/],
    ['cannot open devices of the host', 'head -c 1 /dev/vda', /not permitted|No such file/],
    ['has few capabilities', 'grep CapEff /proc/self/status', /00000000a80425fb/],
    ['gains no privileges', 'grep NoNewPrivs /proc/self/status', /1\n/],
    ['is filtered', 'grep Seccomp: /proc/self/status', /2\n/],
  ])('a container %s', async (_what, command, answer) => {
    const text = await said(command);
    if (typeof answer === 'string') expect(text).toBe(answer);
    else expect(text).toMatch(answer);
  });

  test.runIf(allowedDevices.length > 0)('a device is used as far as it is allowed', async () => {
    expect(await said(`: <${LOOPS} && echo read`)).toBe('read\n');
    expect(await said(`: >>${LOOPS}`)).toMatch(/not permitted/);
  });

  // What it counted is in a model: recent kernels count only where there is a bound on it.
  test.runIf(cgroups !== undefined && existsSync(cgroups.directory('blkio', '/')))(
    'what the kernel counted on devices is told',
    async () => {
      const { id } = await launch('exec sleep 60');
      const total = { total: expect.any(Number) as number };
      expect((await scene().runtime.stats(id))?.blockIo).toContainEqual({
        bytes: total,
        requests: total,
      });
    },
  );

  test('the devices of the host stay as they are', async () => {
    const before = lstatSync('/dev/ptmx');
    await said('true');
    const after = lstatSync('/dev/ptmx');
    expect([after.ino, after.mode]).toEqual([before.ino, before.mode]);
  });

  test('a container runs as the account that was asked for, in its sandbox', async () => {
    const text = await said('id -un; grep CapEff /proc/self/status', { user: 'nobody' });
    expect(text).toBe('nobody\nCapEff:\t0000000000000000\n');
  });

  test('capabilities, limits and shared processes are as asked', async () => {
    const container: ContainerSpec['container'] = {
      type: 'MESOS',
      linux_info: {
        effective_capabilities: { capabilities: ['NET_BIND_SERVICE'] },
        share_pid_namespace: true,
        ipc_mode: 'PRIVATE',
        shm_size: 8,
      },
      rlimit_info: { rlimits: [{ type: 'RLMT_NOFILE', soft: 100, hard: 200 }] },
    };
    const text = await said(
      'grep CapEff /proc/self/status; ulimit -Sn; ulimit -Hn; df --output=size /dev/shm | tail -1; [ $$ -gt 10 ] && echo shared',
      { container },
    );
    expect(text.replaceAll(' ', '')).toBe('CapEff:\t0000000000000400\n100\n200\n8192\nshared\n');
  });

  test('volumes appear where they are asked for', async () => {
    const data = join(scene().root, 'data');
    await mkdir(data);
    const container: ContainerSpec['container'] = {
      type: 'MESOS',
      volumes: [
        { mode: 'RW', host_path: data, container_path: 'data' },
        { mode: 'RO', host_path: data, container_path: 'again' },
      ],
    };
    const text = await said('echo word >data/file; cat again/file; touch again/x', { container });
    expect(text).toMatch(/^word\n.*Read-only file system/);
    expect(await readFile(join(data, 'file'), 'utf8')).toBe('word\n');
  });

  test('a program that is not there ends with 127', async () => {
    const spec = await launch('', { command: { shell: false, value: '/no/such/program' } });
    expect(await scene().runtime.wait(spec.id)).toEqual({ kind: 'exited', code: 127 });
  });
});
