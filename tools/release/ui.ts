/** Builds the web console for a release: from its sources, into a folder of its own. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import type { ReleaseFile } from '@dcos/installer/release';
import { copiedFolder } from './files.ts';

export interface UiBuild {
  readonly files: readonly ReleaseFile[];
  /** Absolute paths of all modules in it. */
  readonly modules: readonly string[];
}

export async function buildUi(root: string): Promise<UiBuild> {
  const folder = mkdtempSync(join(tmpdir(), 'dcos-ui-'));
  try {
    const built = await build({
      root: join(root, 'packages', 'ui'),
      logLevel: 'error',
      build: { outDir: folder, emptyOutDir: true },
    });
    if (!('output' in built)) throw new Error('the console was not built as one page');
    const modules = built.output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
    return {
      files: copiedFolder('ui', folder, () => true),
      modules: modules.filter((id) => !id.startsWith('\0')).map((id) => id.replace(/\?.*$/, '')),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
