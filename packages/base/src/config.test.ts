import { expect, test } from 'vitest';
import { describeConfig, mergeConfig, Secret } from './config.ts';

const sources = {
  environment: {},
  environmentPrefix: 'MESOS_',
  flags: [],
  keys: ['port', 'workDir', 'roles', 'checkpoint'],
};

test('a flag beats the environment, which beats the file', () => {
  const merged = mergeConfig({
    ...sources,
    file: { port: 1, workDir: 'file', roles: ['a'] },
    environment: { MESOS_PORT: '2', MESOS_WORK_DIR: '/e' },
    flags: ['--port=3'],
  });
  expect(merged).toEqual({
    ok: true,
    value: {
      values: { port: 3, workDir: '/e', roles: ['a'] },
      origins: { port: 'flag', workDir: 'environment', roles: 'file' },
    },
  });
});

test.each([
  [['--work-dir', '/x'], { workDir: '/x' }],
  [['--work_dir=/x'], { workDir: '/x' }],
  [['--checkpoint'], { checkpoint: true }],
  [['--no-checkpoint'], { checkpoint: false }],
  [['--roles=["a","b"]'], { roles: ['a', 'b'] }],
  [['--roles=[31000-32000]'], { roles: '[31000-32000]' }],
])('%j is read as %j', (flags, values) => {
  expect(mergeConfig({ ...sources, flags })).toMatchObject({ ok: true, value: { values } });
});

test.each([
  [['--nope'], "unknown flag '--nope'"],
  [['stray'], "unexpected argument 'stray'"],
])('%j is refused', (flags, error) => {
  expect(mergeConfig({ ...sources, flags })).toEqual({ ok: false, error });
});

test('secrets are never printed', () => {
  const text = describeConfig({ token: new Secret('t0p') }, {});
  expect(text).toBe('token = "[secret]"  (default)');
  expect(String(new Secret('t0p'))).toBe('[secret]');
});
