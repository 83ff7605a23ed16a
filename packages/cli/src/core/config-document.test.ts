import { describe, expect, test } from 'vitest';
import { chooseCurrent, findCluster } from './cluster-choice.ts';
import { isVersionSupported, normaliseClusterUrl } from './cluster-address.ts';
import {
  configValue,
  listConfig,
  parseConfigValue,
  withConfigValue,
  withoutConfigValue,
} from './config-document.ts';

const document = {
  cluster: { name: 'box' },
  core: { dcos_url: 'http://a', dcos_acs_token: 'secret', timeout: 180 },
};

describe('configuration', () => {
  test('lists sorted lines and masks the token', () => {
    expect(listConfig(document)).toEqual([
      'cluster.name box',
      'core.dcos_acs_token ********',
      'core.dcos_url http://a',
      'core.timeout 180',
    ]);
  });

  test('another URL drops the token, the same one keeps it', () => {
    const other = withConfigValue(document, 'core.dcos_url', 'http://b');
    expect(other.ok && configValue(other.value, 'core.dcos_acs_token')).toBeUndefined();
    const same = withConfigValue(document, 'core.dcos_url', 'http://a');
    expect(same.ok && configValue(same.value, 'core.dcos_acs_token')).toBe('secret');
    expect(
      configValue(withoutConfigValue(document, 'core.dcos_url'), 'core.dcos_acs_token'),
    ).toBeUndefined();
  });

  test('unset of something absent changes nothing', () => {
    expect(withoutConfigValue(document, 'core.nope')).toEqual(document);
    expect(withoutConfigValue(document, 'nope')).toEqual(document);
  });

  test.each([
    ['core.timeout', '0', 0],
    ['core.timeout', '86400', 86_400],
    ['core.reporting', 'TRUE', true],
    ['core.ssl_verify', 'false', 'false'],
    ['some.key', '5', '5'],
  ])('%s %s', (name, text, value) => {
    expect(parseConfigValue(name, text)).toEqual({ ok: true, value });
  });

  test.each([
    ['core.timeout', '86401'],
    ['core.timeout', '-1'],
    ['core.timeout', '1.5'],
    ['core.reporting', 'yes'],
  ])('%s refuses %s', (name, text) => {
    expect(parseConfigValue(name, text).ok).toBe(false);
  });

  test('a name needs a section and a key', () => {
    for (const name of ['timeout', '.timeout', 'core.', '']) {
      expect(withConfigValue(document, name, 1).ok).toBe(false);
    }
  });
});

const clusters = [
  { id: 'abc1', name: 'one', url: '', attached: false },
  { id: 'abc2', name: 'two', url: '', attached: true },
  { id: 'xyz', name: 'one', url: '', attached: false },
];

describe('choice of a cluster', () => {
  test('the environment wins over the marker, the marker over nothing', () => {
    expect(chooseCurrent(clusters, 'xyz')).toMatchObject({ ok: true, value: { id: 'xyz' } });
    expect(chooseCurrent(clusters, undefined)).toMatchObject({ ok: true, value: { id: 'abc2' } });
    expect(chooseCurrent(clusters.slice(0, 1), undefined)).toMatchObject({
      ok: true,
      value: { id: 'abc1' },
    });
  });

  test('what cannot be decided is an error', () => {
    expect(chooseCurrent(clusters, 'one')).toMatchObject({ ok: false });
    expect(chooseCurrent(clusters, 'abc')).toMatchObject({ ok: false });
    expect(chooseCurrent([], undefined)).toMatchObject({ ok: false });
    expect(
      chooseCurrent(
        [clusters[0], clusters[2]].filter((item) => item !== undefined),
        undefined,
      ),
    ).toMatchObject({ ok: false });
    const two = clusters.map((item) => ({ ...item, attached: true }));
    expect(chooseCurrent(two, undefined)).toMatchObject({
      ok: false,
      error: expect.stringContaining('several'),
    });
  });

  test('an argument is a name, an ID or the beginning of one', () => {
    expect(findCluster(clusters, 'two')).toMatchObject({ ok: true, value: { id: 'abc2' } });
    expect(findCluster(clusters, 'abc1')).toMatchObject({ ok: true, value: { id: 'abc1' } });
    expect(findCluster(clusters, 'x')).toMatchObject({ ok: true, value: { id: 'xyz' } });
    expect(findCluster(clusters, 'abc')).toMatchObject({
      ok: false,
      error: expect.stringContaining('several'),
    });
    expect(findCluster(clusters, 'q')).toEqual({ ok: false, error: 'unable to find cluster "q"' });
    expect(findCluster(clusters.slice(0, 1), '')).toMatchObject({ ok: false });
  });
});

describe('address of a cluster', () => {
  test.each([
    ['127.0.0.1:8180', 'http://127.0.0.1:8180'],
    ['localhost', 'http://localhost'],
    ['dcos.example.com', 'https://dcos.example.com'],
    ['HTTPS://DCOS.Example.com/Sub/', 'https://dcos.example.com/Sub'],
    ['http://[::1]:8180/', 'http://[::1]:8180'],
  ])('%s', (text, url) => {
    expect(normaliseClusterUrl(text)).toEqual({ ok: true, value: url });
  });

  test.each([
    '',
    'ftp://a',
    'http://',
    'http://a b',
    'http://user@host',
    'http://a?x=1',
    'http://a:port',
  ])('refuses %j', (text) => {
    expect(normaliseClusterUrl(text).ok).toBe(false);
  });

  test('versions from 1.10 on are supported', () => {
    expect(['1.9.4', '1.10', '1.13-dev', '2.2.0', 'dev'].map(isVersionSupported)).toEqual([
      false,
      true,
      true,
      true,
      undefined,
    ]);
  });
});
