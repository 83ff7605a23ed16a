import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import { agentConfigSchema } from '../config.ts';
import { containerDnsOf } from './container-dns.ts';

const scratch = temporaryDirectory('container-dns');
afterAll(() => scratch.remove());

const dns = { nameservers: ['10.0.0.53'], search: ['a.example'] };
const SETTING = {
  mesos: [{ network_mode: 'CNI', network_name: 'blue', dns: { ...dns, domain: 'b.example' } }],
  docker: [
    { network_mode: 'BRIDGE', dns },
    { network_mode: 'USER', network_name: 'green', dns: { options: ['timeout:1'] } },
  ],
};

test('nothing is said without the setting', () => {
  const { defaultContainerDns } = agentConfigSchema.parse({});
  expect(containerDnsOf(defaultContainerDns)).toEqual({ mesos: [], docker: [] });
});

test('it is read from JSON, or from a file with it', () => {
  const file = join(scratch.path, 'dns.json');
  writeFileSync(file, JSON.stringify(SETTING));
  for (const setting of [SETTING, file, `file://${file}`]) {
    const config = agentConfigSchema.parse({ defaultContainerDns: setting });
    expect(containerDnsOf(config.defaultContainerDns)).toEqual({
      mesos: [
        {
          mode: 'CNI',
          network: 'blue',
          dns: {
            nameservers: ['10.0.0.53'],
            search: ['a.example'],
            options: [],
            domain: 'b.example',
          },
        },
      ],
      docker: [
        {
          mode: 'BRIDGE',
          dns: { nameservers: ['10.0.0.53'], search: ['a.example'], options: [] },
        },
        {
          mode: 'USER',
          network: 'green',
          dns: { nameservers: [], search: [], options: ['timeout:1'] },
        },
      ],
    });
  }
});

test.each<[string, unknown, RegExp]>([
  ['another mode', { docker: [{ network_mode: 'CNI', dns }] }, /network_mode/],
  ['a domain with Docker', { docker: [{ network_mode: 'HOST', dns: { domain: 'x' } }] }, /domain/],
  ['no dns', { mesos: [{ network_mode: 'CNI' }] }, /dns/],
  [
    'several for one network',
    { docker: ['HOST', 'HOST'].map((network_mode) => ({ network_mode, dns })) },
    /several entries for HOST/,
  ],
  [
    'a name server that is none',
    { mesos: [{ network_mode: 'CNI', dns: { nameservers: ['a b'] } }] },
    /nameservers/,
  ],
])('%s is refused', (_name, setting, problem) => {
  expect(() => containerDnsOf(JSON.stringify(setting))).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(problem) }),
  );
});
