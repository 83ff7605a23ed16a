import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { installationOf } from './installation.ts';

const top = mkdtempSync(join(tmpdir(), 'installation-'));
afterAll(() => rmSync(top, { recursive: true }));

function programBelow(mark: string, folder: string): string {
  const program = join(top, mark, folder);
  mkdirSync(program, { recursive: true });
  writeFileSync(join(top, mark, mark), '');
  return program;
}

test('a checkout keeps everything in itself', () => {
  expect(installationOf(programBelow('nx.json', 'packages/box/src'), '/home/dan')).toEqual({
    dataDirectory: join(top, 'nx.json', '.dcos'),
    uiDirectory: join(top, 'nx.json', 'packages', 'ui', 'dist'),
    cacheDirectory: join(top, 'nx.json', 'node_modules', '.cache', 'box'),
  });
});

test('a release is not written to', () => {
  expect(installationOf(programBelow('manifest.json', 'lib/box'), '/home/dan')).toEqual({
    dataDirectory: '/home/dan/.local/share/dcos',
    uiDirectory: join(top, 'manifest.json', 'ui'),
    cacheDirectory: '/home/dan/.cache/dcos-compiled',
  });
});

test('a program that is in neither says so', () => {
  const program = programBelow('nx.json', 'somewhere/far/below/it');
  expect(() => installationOf(program, '/home/dan')).toThrow('part of neither a release');
});
