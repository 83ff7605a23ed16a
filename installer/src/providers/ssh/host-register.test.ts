import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import { HostRegister } from './host-register.ts';
import { placesOf } from './ssh-targets.ts';

const directory = temporaryDirectory('register');
afterAll(() => directory.remove());

const places = (masters: readonly string[], privateAgents: readonly string[]) =>
  placesOf({ masters, privateAgents, publicAgents: [] });

test('knows hosts that the configuration has no more, until they are removed', () => {
  const file = join(directory.path, 'cluster', 'hosts.json');
  const before = places(['10.0.0.1'], ['10.0.0.2', '10.0.0.3']);
  const now = places(['10.0.0.1'], ['10.0.0.3', '10.0.0.4']);
  new HostRegister(file).add(before);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const register = new HostRegister(file);
  expect(register.others(before)).toEqual([]);
  register.add(now);
  register.add(now);
  expect(register.others(now).map(({ address }) => address)).toEqual(['10.0.0.2']);
  register.remove(register.others(now));
  expect(register.list()).toEqual(now);
});

test.each([
  ['another one', ['10.0.0.1', '10.0.0.2', '10.0.0.4']],
  ['fewer', ['10.0.0.1']],
  ['more', ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5']],
  ['another order, and so other ids', ['10.0.0.2', '10.0.0.1', '10.0.0.3']],
])('refuses other masters: %s', (name, masters) => {
  const register = new HostRegister(join(directory.path, `${name}.json`));
  const known = places(['10.0.0.1', '10.0.0.2', '10.0.0.3'], []);
  register.checkMasters(places(masters, []));
  register.add(known);
  register.checkMasters(known);
  expect(() => register.checkMasters(places(masters, []))).toThrow('fixed for the life');
});

test('a file that is no list of hosts is told', () => {
  const file = join(directory.path, 'broken.json');
  writeFileSync(file, '[{"address": 7}]');
  expect(() => new HostRegister(file).list()).toThrow('no list of hosts');
});
