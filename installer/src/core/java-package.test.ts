import { expect, test } from 'vitest';
import { javaPackage, missingPackages } from './java-package.ts';

test.each([
  ['debian', '', '12', 'default-jre-headless'],
  ['ubuntu', 'debian', '24.04', 'default-jre-headless'],
  ['rhel', 'fedora', '9.4', 'java-17-openjdk-headless'],
  ['rocky', 'rhel centos fedora', '8.10', 'java-17-openjdk-headless'],
  ['almalinux', 'rhel centos fedora', '10.0', 'java-21-openjdk-headless'],
  ['fedora', '', '41', 'java-21-openjdk-headless'],
  ['amzn', 'fedora', '2023', 'java-17-amazon-corretto-headless'],
])('%s (like "%s") %s', (os, osLike, osVersion, name) => {
  expect(javaPackage({ os, osLike, osVersion })).toBe(name);
});

test('masters need it that have no Java runtime yet', () => {
  const debian = { os: 'debian', osLike: '', osVersion: '12' };
  const bare = { ...debian, programs: new Set<string>() };
  expect(missingPackages({ role: 'master' }, bare)).toEqual(['default-jre-headless']);
  expect(missingPackages({ role: 'private' }, bare)).toEqual([]);
  const own = { ...debian, programs: new Set(['java']) };
  expect(missingPackages({ role: 'master' }, own)).toEqual([]);
});
