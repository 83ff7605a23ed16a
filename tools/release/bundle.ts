/**
 * Bundles one component: `lib/<name>.js`, which opens the cache of compiled code and then loads the rest, and
 * `lib/<name>/`, with a file for the program and one for each part that is loaded when it is needed. Sources are the
 * input, so that what is released is never older than they are. Nothing is minified: stack traces stay readable.
 *
 * The output depends on the sources alone: neither on where the checkout lies nor on when it is built.
 */

import { join, relative, sep } from 'node:path';
import { rolldown, type Plugin } from 'rolldown';
import {
  ABSENT_MODULES,
  KNOW_THEIR_PLACE,
  LEFT_OUT,
  NATIVE_PACKAGES,
  type Component,
} from './components.ts';

export interface Bundle {
  /** Path below `lib/` to text. */
  readonly files: ReadonlyMap<string, string>;
  /** Absolute paths of all modules in it. */
  readonly modules: readonly string[];
}

const ENTRY = '\0entry';
const PLACE = /\b__(?:dirname|filename)\b|\bimport\.meta\.(?:dirname|filename|url)\b/;

/** @throws Error that names the module for one that cannot be in a bundle. */
export async function bundleComponent(root: string, component: Component): Promise<Bundle> {
  const problems: string[] = [];
  const build = await rolldown({
    cwd: root,
    input: { [component.name]: ENTRY },
    platform: 'node',
    tsconfig: false,
    resolve: { conditionNames: ['@dcos/source', 'node', 'import', 'default'] },
    external: [...NATIVE_PACKAGES, ...ABSENT_MODULES],
    plugins: [entry(root, component), leftOut(), placeGuard(root, problems)],
    onLog: (_level, log) => void problems.push(log.message),
  });
  try {
    const { output } = await build.generate({
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: `${component.name}/[name].js`,
      comments: { legal: false, annotation: false, jsdoc: false },
    });
    if (problems.length > 0) throw new Error(`${component.name}: ${problems.join('\n')}`);
    const chunks = output.filter((chunk) => chunk.type === 'chunk');
    return {
      files: new Map(chunks.map((chunk) => [chunk.fileName, chunk.code])),
      modules: chunks.flatMap((chunk) => chunk.moduleIds).filter((id) => !id.startsWith('\0')),
    };
  } finally {
    await build.close();
  }
}

function entry(root: string, { main }: Component): Plugin {
  const cache = JSON.stringify(join(root, 'tools', 'release', 'compiled-code.ts'));
  return {
    name: 'entry',
    resolveId: (id) => (id === ENTRY ? id : null),
    load: (id) =>
      id === ENTRY
        ? `import { keepCompiledCode } from ${cache};
keepCompiledCode();
await import(${JSON.stringify(join(root, main))});
`
        : null,
  };
}

function leftOut(): Plugin {
  return {
    name: 'left-out',
    load(id) {
      const purpose = LEFT_OUT[inPackage(id)];
      if (purpose === undefined) return null;
      const message = JSON.stringify(`${purpose}: not part of a release`);
      return `module.exports = function () { throw new Error(${message}); };\n`;
    },
  };
}

/** Code that looks for files beside itself finds none in a bundle. */
function placeGuard(root: string, problems: string[]): Plugin {
  return {
    name: 'place-guard',
    transform(code, id) {
      if (id.startsWith('\0') || !PLACE.test(code)) return null;
      const inside = id.includes(`${sep}node_modules${sep}`) ? inPackage(id) : relative(root, id);
      if (KNOW_THEIR_PLACE[inside] === undefined)
        problems.push(`${inside} knows its place: what does it look for there?`);
      return null;
    },
  };
}

/** `name/lib/file.js` of a module of an npm package; its absolute path otherwise. */
function inPackage(id: string): string {
  const mark = `${sep}node_modules${sep}`;
  const at = id.lastIndexOf(mark);
  return at === -1 ? id : id.slice(at + mark.length).replaceAll(sep, '/');
}
