import { describe, expect, test } from 'vitest';
import { parseReference, referenceText } from './reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('names of images', () => {
  test.each<[name: string, full: string]>([
    ['busybox', 'docker.io/library/busybox:latest'],
    ['docker.io/busybox', 'docker.io/library/busybox:latest'],
    ['team/app:1.2', 'docker.io/team/app:1.2'],
    ['localhost/app', 'localhost/app:latest'],
    ['127.0.0.1:5000/app', '127.0.0.1:5000/app:latest'],
    ['[::1]:5000/a/b/c:x', '[::1]:5000/a/b/c:x'],
    ['registry.example.com/a__b/c-d:V_1', 'registry.example.com/a__b/c-d:V_1'],
    [`busybox@${DIGEST}`, `docker.io/library/busybox@${DIGEST}`],
    [`host:1/app:tag@${DIGEST}`, `host:1/app@${DIGEST}`],
  ])('%s', (name, full) => {
    expect(referenceText(parseReference(name))).toBe(full);
  });

  test.each([
    '',
    '/',
    'a//b',
    '../etc',
    'host.name/../x',
    'Upper',
    'a:',
    'a:b:c',
    'a@sha256:12',
    'a@md5:0123',
    'x y',
    'a'.repeat(256),
    'host.name/',
    'evil.host?x/app',
  ])('%j is refused', (name) => {
    expect(() => parseReference(name)).toThrow('Failed to parse docker image');
  });
});
