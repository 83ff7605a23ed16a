import { expect, test } from 'vitest';
import { LocalConnection } from '../testing/local-connection.ts';
import { parseHostFacts } from '../core/host-facts.ts';
import { probeHost } from './probe.ts';

test.runIf(process.platform === 'linux')('this machine says what it is', async () => {
  const facts = await probeHost(new LocalConnection(), ['sh', 'no-such-program']);
  expect(facts.os).not.toBe('');
  expect(facts.memoryBytes).toBeGreaterThan(2 ** 28);
  expect(facts.diskFreeBytes).toBeGreaterThan(0);
  expect(facts.disks.get('/')?.sizeBytes).toBeGreaterThan(2 ** 30);
  expect(facts.clockSkewSeconds).toBe(0);
  expect(facts.cgroups).toBeGreaterThan(0);
  expect([...facts.programs]).toEqual(['sh']);
  expect(facts.addresses).toContain('127.0.0.1');
});

test('facts are read line by line', () => {
  const facts = parseHostFacts(
    [
      'os.id\tdebian',
      'user\t0',
      'systemd\t252',
      'memory.kib\t1024',
      'disk\t/opt\t/\t4096\t1024\t',
      'disk\t/var/lib\t/var\t4096\t1024\tnoexec',
      'clock\t1000',
      'port.loopback\t0035',
      'port\t13BA',
      'release.active\tabc',
      'file\t00ff\t644\t/etc/dcos/role',
      'unit\tdcos-marathon\tactive\tenabled\t3\tfeed',
      'unit\tdcos-mesos-dns\tfailed\tdisabled\t0\t',
      'end\tyes',
    ].join('\n'),
    { fromSeconds: 1000.5, untilSeconds: 1002 },
  );
  expect(facts).toMatchObject({
    ok: true,
    value: {
      isRoot: true,
      memoryBytes: 1_048_576,
      disks: new Map([
        ['/opt', { mount: '/', sizeBytes: 4_194_304, freeBytes: 1_048_576, isNoexec: false }],
        ['/var/lib', { mount: '/var', sizeBytes: 4_194_304, freeBytes: 1_048_576, isNoexec: true }],
      ]),
      loopbackPorts: new Set([53]),
      ports: new Set([5050]),
      activeRelease: 'abc',
      files: new Map([['/etc/dcos/role', '644 00ff']]),
      units: new Map([
        ['dcos-marathon', { active: 'active', isEnabled: true, restarts: 3, fingerprint: 'feed' }],
        ['dcos-mesos-dns', { active: 'failed', isEnabled: false, restarts: 0 }],
      ]),
    },
  });
});

test('a probe that was cut short is an error, never a bare host', () => {
  expect(parseHostFacts('os.id\tdebian\n', { fromSeconds: 0, untilSeconds: 0 })).toEqual({
    ok: false,
    error: 'the probe did not run to its end',
  });
});

test.each([
  ['a clock that is right to the second', 1000, 0],
  ['one that is within the time that the answer took', 1004, 0],
  ['one that is ahead', 1100, 95],
  ['one that is behind', 900, -99.5],
])('%s', (_what, clock, skew) => {
  const facts = parseHostFacts(`clock\t${clock}\nend\tyes`, {
    fromSeconds: 1000.5,
    untilSeconds: 1005,
  });
  expect(facts).toMatchObject({ ok: true, value: { clockSkewSeconds: skew } });
});
