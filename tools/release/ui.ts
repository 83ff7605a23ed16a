/** Builds the web console for a release: from its sources, into a folder of its own. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import type { ReleaseFile } from '@dcos/installer/release';
import { copiedFolder } from './files.ts';

export interface UiBuild {
  readonly files: readonly ReleaseFile[];
  /** Absolute paths of all modules and files in it. */
  readonly modules: readonly string[];
}

export async function buildUi(root: string): Promise<UiBuild> {
  const project = join(root, 'packages', 'ui');
  // Whatever it is here: in any other case the parts name the files that they were made of, and are slow.
  process.env['NODE_ENV'] = 'production';
  const folder = mkdtempSync(join(tmpdir(), 'dcos-ui-'));
  try {
    const built = await build({
      root: project,
      logLevel: 'error',
      build: { outDir: folder, emptyOutDir: true },
    });
    if (!('output' in built)) throw new Error('the console was not built as one page');
    // A font comes in by way of a style sheet: it is a file, and no module.
    const modules = built.output.flatMap((part) =>
      part.type === 'chunk'
        ? part.moduleIds
        : part.originalFileNames.map((name) => resolve(project, name)),
    );
    return {
      files: copiedFolder('ui', folder, () => true),
      modules: modules.filter((id) => !id.startsWith('\0')).map((id) => id.replace(/\?.*$/, '')),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
