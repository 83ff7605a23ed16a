import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import { launcher } from './launcher.ts';

const scratch = temporaryDirectory('launcher');
afterAll(() => scratch.remove());

test('a launcher gives its arguments as they are, from any folder and through links', () => {
  const place = join(scratch.path, `it's "here" $HOME`, '-bin');
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'node'), '#!/bin/sh\nfor word; do echo "<$word>"; done\nexit 3\n');
  writeFileSync(join(place, 'dcos'), launcher('dcos'));
  for (const name of ['node', 'dcos']) chmodSync(join(place, name), 0o755);
  symlinkSync(join(place, 'dcos'), join(scratch.path, 'linked'));
  const words = ['a b', '', '$HOME', '*', '--', '-n', "'", 'two\nlines'];
  const run = spawnSync('./linked', words, { cwd: scratch.path, encoding: 'utf8' });
  const program = join(place, '..', 'lib', 'dcos.js');
  expect(run.stdout).toBe([program, ...words].map((word) => `<${word}>\n`).join(''));
  expect(run.status).toBe(3);
});
