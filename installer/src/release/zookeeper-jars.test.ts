import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workspaceRoot } from '@dcos/testkit';
import { bringsAll, jarPath, parseJars } from './zookeeper-jars.ts';

const jars = parseJars(
  readFileSync(join(workspaceRoot, 'infra', 'zookeeper', 'jars.json'), 'utf8'),
);
const files = jars.map((jar) => ({ path: jarPath(jar), sha256: jar.sha256 }));

test('a release has to bring every file of the list, as it is', () => {
  const [first, ...rest] = files;
  expect(bringsAll(jars, [{ path: 'bin/node', sha256: '00' }, ...files])).toBe(true);
  expect(bringsAll(jars, rest)).toBe(false);
  expect(bringsAll(jars, [{ path: first?.path ?? '', sha256: '00' }, ...rest])).toBe(false);
});
