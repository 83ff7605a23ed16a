import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentConfigSchema } from '../config.ts';
import { faultDomain } from './fault-domain.ts';

const DOMAIN = { fault_domain: { region: { name: 'aws/eu-1' }, zone: { name: 'aws/eu-1a' } } };
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dcos-domain-'));
});
afterEach(async () => await rm(directory, { recursive: true, force: true }));

async function file(content: string): Promise<string> {
  const path = join(directory, 'file');
  await writeFile(path, content);
  await chmod(path, 0o755);
  return path;
}

test('a domain is JSON, a file, or what a program prints', async () => {
  expect(await faultDomain(agentConfigSchema.parse({}))).toBeUndefined();
  expect(await faultDomain(agentConfigSchema.parse({ domain: DOMAIN }))).toEqual(DOMAIN);
  const path = await file(JSON.stringify(DOMAIN));
  for (const domain of [path, `file://${path}`])
    expect(await faultDomain(agentConfigSchema.parse({ domain }))).toEqual(DOMAIN);
  const script = await file(`#!/bin/sh\necho '${JSON.stringify(DOMAIN)}'\n`);
  expect(await faultDomain({ faultDomainScript: script })).toEqual(DOMAIN);
});

test.each([
  ['echo "no provider answers" >&2; exit 3', 'no provider answers'],
  ['echo eu-1a', 'does not say a domain as JSON'],
  [`echo '{"fault_domain":{"region":{"name":"a"}}}'`, 'fault_domain.zone'],
  [
    `echo '{"fault_domain":{"region":{"name":""},"zone":{"name":"b"}}}'`,
    'fault_domain.region.name',
  ],
  ['yes', 'maxBuffer'],
])('a program that does %s keeps the agent from starting', async (program, message) => {
  const faultDomainScript = await file(`#!/bin/sh\n${program}\n`);
  await expect(faultDomain({ faultDomainScript })).rejects.toThrow(message);
});

test('a program that hangs is ended', async () => {
  const faultDomainScript = await file('#!/bin/sh\nexec sleep 1000\n');
  await expect(faultDomain({ faultDomainScript }, 10)).rejects.toThrow('did not end within 10 ms');
});

test('what contradicts itself or is not there is said', async () => {
  await expect(faultDomain({ domain: DOMAIN, faultDomainScript: '/x' })).rejects.toThrow('exclude');
  await expect(faultDomain({ domain: '/nowhere' })).rejects.toThrow('/nowhere cannot be read');
  await expect(faultDomain({ faultDomainScript: '/nowhere' })).rejects.toThrow('ENOENT');
});
