// Infers the Nx targets of every package: `build` (tsc -b, cached) and `test` (vitest on the package).
// Nx core alone is used, since its own plugins need the JavaScript API that TypeScript 7 dropped.
import { dirname } from 'node:path';

export const createNodesV2 = [
  '{packages/*,installer}/package.json',
  (files) =>
    files.map((file) => {
      const root = dirname(file);
      const targets = {
        build: {
          command: root === 'packages/ui' ? 'vite build packages/ui' : `tsc -b ${root}`,
          cache: true,
          dependsOn: ['^build'],
          inputs: ['sources', '^sources'],
          outputs: ['{projectRoot}/dist'],
        },
        test: {
          command: `vitest run ${root}`,
          cache: true,
          inputs: ['sources', '^sources'],
        },
      };
      return [file, { projects: { [root]: { root, targets } } }];
    }),
];
