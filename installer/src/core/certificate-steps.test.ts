import { expect, test } from 'vitest';
import { isOfCertificates } from './certificate-steps.ts';
import { AUTHORITIES_FILE, NODE_FILE } from './certificates.ts';
import type { Step } from './plan.ts';
import { unitPath } from './wanted-host.ts';

const base = { id: 'master-1/step', host: 'master-1', after: [] };
const file = (path: string) => ({ path, text: '', mode: 0o644, sha256: '' });
const unit = (name: string) => {
  const readiness = { kind: 'http', url: 'https://10.0.0.10' } as const;
  return { name, fingerprint: '', readiness, ports: [], isUseless: false };
};

test.each<[string, boolean, Step]>([
  [
    'files of certificates and the unit that names them',
    true,
    {
      ...base,
      kind: 'configuration',
      files: [file(NODE_FILE), file(AUTHORITIES_FILE), file(unitPath('dcos-zookeeper'))],
      removed: [],
    },
  ],
  ['a restart of ZooKeeper', true, restart('dcos-zookeeper')],
  ['a wait for the cluster', true, { ...base, kind: 'gate', watched: ['master-1'] }],
  ['a restart of anything else', false, restart('dcos-marathon')],
  ['other files beside', false, configuration([NODE_FILE, '/etc/dcos/marathon.json'])],
  ['files that go', false, { ...configuration([NODE_FILE]), removed: ['/etc/dcos/old'] }],
  ['another release', false, { ...configuration([NODE_FILE]), activate: 'ab' }],
  ['a release on its way', false, { ...base, kind: 'release', hash: 'ab' }],
])('%s: %s', (_what, expected, step) => {
  expect(isOfCertificates(step)).toBe(expected);
});

function restart(name: string): Step {
  return { ...base, kind: 'unit', unit: unit(name), action: 'restart' };
}

function configuration(paths: readonly string[]): Step & { readonly kind: 'configuration' } {
  return { ...base, kind: 'configuration', files: paths.map(file), removed: [] };
}
