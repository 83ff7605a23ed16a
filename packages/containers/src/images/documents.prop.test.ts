/** Documents of strangers: whatever they hold, they are read as what they should be, or refused in our words. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OperationError } from '@dcos/base';
import { parseDockerConfig } from './docker-config.ts';
import {
  LAYERS_MAX,
  parseImageDocument,
  parseIndexEntries,
  parseManifest,
  type Descriptor,
} from './manifest.ts';
import { DIGEST } from './reference.ts';

const KEYS =
  'schemaVersion manifests layers config digest size mediaType platform os architecture variant annotations rootfs ' +
  'diff_ids Env User Cmd auths auth username password identitytoken credsStore credHelpers __proto__ docker.io';
const leaf = fc.oneof(
  fc.constantFrom<unknown>(1, 2, null, true, -1, 1e300, 0.5, '', 'linux', 'amd64', 'a\0b'),
  fc.constantFrom<unknown>(`sha256:${'a'.repeat(64)}`, 'sha256:../../x', 'YW5uOndvcmQ=', '::'),
  fc.constant<unknown>('application/vnd.oci.image.layer.v1.tar+gzip'),
);
const { node } = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5 },
    { weight: 2, arbitrary: leaf },
    { weight: 2, arbitrary: fc.array(tie('node'), { maxLength: 4 }) },
    {
      weight: 5,
      arbitrary: fc.dictionary(fc.constantFrom(...KEYS.split(' ')), tie('node'), { maxKeys: 6 }),
    },
  ),
}));

/** A manifest that is right but for one place. */
const nearly = fc
  .tuple(fc.constantFrom('schemaVersion', 'config', 'layers', 'manifests', 'rootfs'), node)
  .map(([place, value]) => {
    const descriptor = { digest: `sha256:${'b'.repeat(64)}`, size: 3 };
    const right = { schemaVersion: 2, config: descriptor, layers: [descriptor] };
    return { ...right, [place]: value };
  });
const bytes = fc
  .oneof(node, nearly)
  .map((value) => new TextEncoder().encode(JSON.stringify(value)))
  .chain((text) => fc.constantFrom(text, text.subarray(0, text.length - 1)));

/** What was read; undefined when it was refused as it should be. */
function readOr<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    expect(error).toBeInstanceOf(OperationError);
    return undefined;
  }
}
const check = ({ digest, size }: Descriptor): void => {
  expect(digest).toMatch(DIGEST);
  expect(Number.isSafeInteger(size) && size >= 0).toBe(true);
};

test('manifests, indexes, configurations and credentials', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(bytes, (text) => {
      const manifest = readOr(() => parseManifest(text, { os: 'linux', architecture: 'amd64' }));
      if (manifest?.kind === 'index') check(manifest.chosen);
      if (manifest?.kind === 'image') {
        check(manifest.config);
        manifest.layers.forEach(check);
        expect(manifest.layers.length).toBeLessThanOrEqual(LAYERS_MAX);
      }
      readOr(() => parseIndexEntries(text))?.forEach(check);
      const document = readOr(() => parseImageDocument(text));
      for (const id of document?.diffIds ?? []) expect(id).toMatch(DIGEST);
      const logins = readOr(() => parseDockerConfig(new TextDecoder().decode(text)));
      for (const login of logins?.values() ?? []) seen.add(login.kind);
      seen.add(manifest?.kind ?? 'refused');
    }),
    { numRuns: 2_000 },
  );
  // It is no test if nothing is ever read.
  expect(seen).toContain('image');
  expect(seen).toContain('refused');
});
