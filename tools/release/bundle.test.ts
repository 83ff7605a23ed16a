import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '@dcos/testkit';
import { bundleComponent } from './bundle.ts';

const scratch = temporaryDirectory('bundle');
afterAll(() => scratch.remove());

function folder(...names: readonly string[]): string {
  const path = join(scratch.path, ...names);
  mkdirSync(path, { recursive: true });
  return path;
}

describe('a bundle', () => {
  const LOADER = { name: 'part', main: 'main.ts' };
  /** A checkout with one component and the file that each component's entry needs. */
  function checkout(name: string, files: Readonly<Record<string, string>>): string {
    const root = folder(name);
    const entry = readFileSync(join(import.meta.dirname, 'compiled-code.ts'), 'utf8');
    const all = { 'tools/release/compiled-code.ts': entry, ...files };
    for (const [path, text] of Object.entries(all)) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return root;
  }

  const SOURCES = {
    'main.ts': `const later = await import('./later.ts'); process.stdout.write(later.text);`,
    'later.ts': `import { part } from 'part'; export const text: string = part + import.meta.url;`,
    'node_modules/part/package.json': '{"name":"part","version":"1.0.0"}',
    'node_modules/part/index.js': `module.exports = { part: 'bundled ' };`,
  };

  test('does not depend on where the checkout is, and loads late what is loaded late', async () => {
    const { 'later.ts': later, ...others } = SOURCES;
    const sources = { ...others, 'later.ts': later.replace('import.meta.url', "'later'") };
    const one = await bundleComponent(checkout('one', sources), LOADER);
    const other = await bundleComponent(checkout('another/place', sources), LOADER);
    expect([...one.files]).toEqual([...other.files]);
    expect([...one.files.keys()].sort()).toEqual(['part.js', 'part/later.js', 'part/main.js']);
    const place = folder('run');
    writeFileSync(join(place, 'package.json'), '{"type":"module"}');
    for (const [path, text] of one.files) {
      mkdirSync(join(place, path, '..'), { recursive: true });
      writeFileSync(join(place, path), text);
    }
    const ran = spawnSync(process.execPath, [join(place, 'part.js')], {
      encoding: 'utf8',
      env: {},
    });
    expect([ran.stdout, ran.stderr]).toEqual(['bundled later', '']);
  });

  test('is refused for code that nobody has looked at and that knows its place', async () => {
    const own = bundleComponent(checkout('own', SOURCES), LOADER);
    await expect(own).rejects.toThrow('part: later.ts knows its place');
    const foreign = checkout('foreign', {
      ...SOURCES,
      'later.ts': `import { part } from 'part'; export const text = part;`,
      'node_modules/part/index.js': 'module.exports = { part: __dirname };',
    });
    await expect(bundleComponent(foreign, LOADER)).rejects.toThrow('part/index.js knows its place');
  });

  test('is refused when something is missing', async () => {
    const root = checkout('missing', { 'main.ts': `import 'absent';` });
    await expect(bundleComponent(root, LOADER)).rejects.toThrow("Could not resolve 'absent'");
  });
});
