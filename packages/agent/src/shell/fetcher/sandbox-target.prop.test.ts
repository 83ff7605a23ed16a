/** Whatever a sandbox holds and a file is to be called: it goes into the sandbox itself, or nowhere. */

import {
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import { makeTarget } from './sandbox-target.ts';

const NAMES = ['a', 'b', 'c'];
const name = fc.constantFrom(...NAMES);
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const planted = fc.record({
  at: path,
  kind: fc.constantFrom('file', 'directory', 'link'),
  leads: fc.oneof(path, fc.constantFrom('..', '../outside', '../outside/a', '/', '.', 'nowhere')),
});
const asked = fc.oneof(
  path,
  fc
    .array(fc.constantFrom(...NAMES, '..', '.', '', 'a\0'), { minLength: 1, maxLength: 5 })
    .map((parts) => parts.join('/')),
);

test('no link and no name leads out of a sandbox', async () => {
  let made = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(planted, { maxLength: 6 }), asked, async (things, wanted) => {
      const directory = temporaryDirectory('target');
      try {
        const sandbox = join(directory.path, 'sandbox');
        const outside = join(directory.path, 'outside');
        for (const root of [sandbox, outside]) mkdirSync(root);
        writeFileSync(join(outside, 'a'), '');
        for (const { at, kind, leads } of things) plant(sandbox, at, kind, leads);
        const target = await makeTarget(sandbox, wanted).catch(() => undefined);
        expect(readdirSync(directory.path)).toEqual(['outside', 'sandbox']);
        expect(readdirSync(outside)).toEqual(['a']);
        if (target === undefined) return;
        made += 1;
        expect(realpathSync(dirname(target))).toBe(dirname(target));
        expect(`${target}/`.startsWith(`${sandbox}/`) && target !== sandbox).toBe(true);
        expect(lstatSync(target, { throwIfNoEntry: false })).toBeUndefined();
      } finally {
        directory.remove();
      }
    }),
    { numRuns: 200 },
  );
  expect(made).toBeGreaterThan(0);
});

/** Puts something there, unless something else is in the way. */
function plant(root: string, path: string, kind: string, leads: string): void {
  const parts = path.split('/');
  let at = root;
  for (const [index, part] of parts.entries()) {
    at = join(at, part);
    const there = lstatSync(at, { throwIfNoEntry: false });
    const isLast = index === parts.length - 1;
    if (there !== undefined && (isLast || !there.isDirectory())) return;
    if (there !== undefined) continue;
    if (!isLast || kind === 'directory') mkdirSync(at);
    else if (kind === 'link') symlinkSync(leads, at);
    else writeFileSync(at, '');
  }
}
