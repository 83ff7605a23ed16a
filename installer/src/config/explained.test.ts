import { expect, test } from 'vitest';
import { parseConfiguration } from './configuration.ts';
import { explainedConfiguration } from './explained.ts';
import { clusterSchema, PROVIDERS } from './schema.ts';

test.each(PROVIDERS)('what is written for %s is valid as it is', (provider) => {
  const text = explainedConfiguration(provider, 'demo');
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
  const text = explainedConfiguration('docker', 'demo');
  expect(text).toContain('# How long answers of Mesos-DNS may be kept.\ndnsTtlSeconds: 60\n');
  expect(text).toContain('  # How many private agents, which run apps.\n  privateAgents: 2\n');
  expect(text).toContain('\n# privateAgentResources:\n');
});
