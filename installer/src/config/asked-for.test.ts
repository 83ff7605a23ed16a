import { expect, test } from 'vitest';
import { askedFor } from './asked-for.ts';
import { readDocument } from './configuration.ts';

const REGION = { region: 'eu-central-1', adminLocations: ['203.0.113.7/32'] };

test.each([
  [
    'containers',
    { provider: 'docker', docker: { masters: 3, privateAgents: 1, publicAgents: 0 } },
    { master: ['master-1', 'master-2', 'master-3'], private: ['private-1'], public: [] },
  ],
  [
    'containers, by default',
    { provider: 'docker' },
    { master: ['master-1'], private: ['private-1', 'private-2'], public: ['public-1'] },
  ],
  [
    'instances',
    { provider: 'aws', aws: { ...REGION, masters: { count: 1 }, privateAgents: { count: 2 } } },
    { master: ['master-1'], private: ['private-1', 'private-2'], public: ['public-1'] },
  ],
  [
    'hosts that are there',
    { provider: 'ssh', hosts: { masters: ['10.0.0.1'], publicAgents: ['10.0.0.2'] } },
    { master: ['10.0.0.1'], private: [], public: ['10.0.0.2'] },
  ],
])('names of %s', (_name, document, names) => {
  const read = readDocument(document);
  expect(read.ok && askedFor(read.value)).toEqual(names);
});
