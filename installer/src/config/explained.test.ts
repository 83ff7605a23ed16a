import { expect, test } from 'vitest';
import { parseConfiguration } from './configuration.ts';
import { explainedConfiguration } from './explained.ts';
import { clusterSchema, PROVIDERS } from './schema.ts';

test.each(PROVIDERS)('what is written for %s is valid as it is', (provider) => {
  const text = explainedConfiguration(provider, { name: 'demo' });
  const parsed = parseConfiguration(text);
  expect(parsed.ok ? [] : parsed.error).toEqual([]);
  expect(parsed.ok && [parsed.value.provider, parsed.value.settings.name]).toEqual([
    provider,
    'demo',
  ]);
});

test('every key of the schema is explained', () => {
  for (const schema of Object.values(clusterSchema.shape))
    expect(schema.description).toMatch(/\.$/);
  const text = explainedConfiguration('docker', { name: 'demo' });
  expect(text).toContain('# How long answers of Mesos-DNS may be kept.\ndnsTtlSeconds: 60\n');
  expect(text).toContain('  # How many private agents, which run apps.\n  privateAgents: 2\n');
  expect(text).toContain('\n# privateAgentResources:\n');
});

test('given values are written in place of defaults and examples', () => {
  const given = { name: 'demo', hosts: { masters: ['10.1.1.1'] }, ssh: { port: 2222 } };
  const parsed = parseConfiguration(explainedConfiguration('ssh', given));
  expect(parsed.ok && parsed.value.document).toMatchObject({
    hosts: { masters: ['10.1.1.1'], privateAgents: [] },
    ssh: { port: 2222, user: 'root' },
  });
});
