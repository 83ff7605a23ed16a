/**
 * The boundary check: reads the imports of every source file with a parser and holds them against the
 * table. Pure packages and `src/core/` may use neither the environment nor impure packages; components
 * never import one another; every npm package must stand in the importing package's package.json.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseSync } from 'oxc-parser';
import { LAYER_RULES, PURE_NPM, TEST_LAYERS, type Layer } from './boundary-table.ts';

interface Package {
  readonly name: string;
  readonly directory: string;
  readonly layer: Layer;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
}

interface SourceFile {
  readonly owner: Package;
  readonly path: string;
  readonly isTest: boolean;
  readonly isPure: boolean;
}

interface PackageJson {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly nx?: { readonly tags?: readonly string[] };
}

/** Packages that are not in `packages/`. */
const FURTHER_PACKAGES = ['installer'];

/** Problems of all packages below `<root>/packages`, and of further ones; one line each, empty when there are none. */
export function checkBoundaries(root: string): readonly string[] {
  const problems: string[] = [];
  const packages = readPackages(packageDirectories(root), problems);
  const rootDependencies = new Set(Object.keys(readPackageJson(root)?.devDependencies ?? {}));
  for (const owner of packages.values()) {
    for (const path of sourceFiles(owner.directory)) {
      const file = describe(owner, path);
      for (const specifier of importsOf(path)) {
        const problem = judge(file, specifier, packages, rootDependencies);
        if (problem !== undefined)
          problems.push(`${relative(root, path)}: ${specifier}: ${problem}`);
      }
    }
  }
  return problems;
}

function readPackageJson(directory: string): PackageJson | undefined {
  const file = join(directory, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as PackageJson) : undefined;
}

/** Where the packages of the workspace are that have a layer. */
export function packageDirectories(root: string): readonly string[] {
  const inside = readdirSync(join(root, 'packages')).map((entry) => join(root, 'packages', entry));
  return [...inside, ...FURTHER_PACKAGES.map((entry) => join(root, entry))];
}

function readPackages(
  directories: readonly string[],
  problems: string[],
): ReadonlyMap<string, Package> {
  const packages = new Map<string, Package>();
  for (const directory of directories) {
    const json = readPackageJson(directory);
    if (json === undefined) continue;
    const tag = json.nx?.tags?.find((text) => text.startsWith('layer:'))?.slice('layer:'.length);
    if (tag === undefined || !(tag in LAYER_RULES)) {
      problems.push(`${json.name}: package.json must name its layer as nx tag 'layer:…'`);
      continue;
    }
    packages.set(json.name, {
      name: json.name,
      directory,
      layer: tag as Layer,
      dependencies: new Set(Object.keys(json.dependencies ?? {})),
      devDependencies: new Set(Object.keys(json.devDependencies ?? {})),
    });
  }
  return packages;
}

function sourceFiles(directory: string): readonly string[] {
  const files: string[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (['dist', 'node_modules', 'fixtures', 'testdata', 'generated'].includes(entry.name))
      continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) files.push(...sourceFiles(path));
    else if (/\.(ts|tsx|mts|mjs)$/.test(entry.name)) files.push(path);
  }
  return files;
}

function describe(owner: Package, path: string): SourceFile {
  const inside = relative(owner.directory, path).split(sep);
  const isTest =
    /\.test\.tsx?$/.test(path) ||
    inside.includes('testing') ||
    inside[0] === 'e2e' ||
    inside[0] === 'examples' ||
    inside[0] === 'tools';
  const isConfiguration = inside.length === 1;
  const isPure =
    !isTest && !isConfiguration && (owner.layer === 'pure' || coreFolder(inside) !== undefined);
  return { owner, path, isTest: isTest || isConfiguration, isPure };
}

/** The folder of the core in which a file is: `src/core`, or the `core` of a part of the package. */
function coreFolder(inside: readonly string[]): string | undefined {
  const depth = inside.indexOf('core');
  if (inside[0] !== 'src' || depth < 0 || depth === inside.length - 1) return undefined;
  return inside.slice(0, depth + 1).join(sep);
}

/** Every module that a file names: static imports, re-exports and dynamic imports of a literal. */
function importsOf(path: string): readonly string[] {
  const source = readFileSync(path, 'utf8');
  const { module, errors } = parseSync(path, source);
  if (errors.length > 0) return [];
  const specifiers = module.staticImports.map((entry) => entry.moduleRequest.value);
  for (const entry of module.staticExports.flatMap((statement) => statement.entries)) {
    if (entry.moduleRequest !== null) specifiers.push(entry.moduleRequest.value);
  }
  for (const entry of module.dynamicImports) {
    const text = source.slice(entry.moduleRequest.start, entry.moduleRequest.end);
    const literal = /^['"`]([^'"`$]+)['"`]$/.exec(text)?.[1];
    if (literal !== undefined) specifiers.push(literal);
  }
  return [...new Set(specifiers)];
}

function judge(
  file: SourceFile,
  specifier: string,
  packages: ReadonlyMap<string, Package>,
  rootDependencies: ReadonlySet<string>,
): string | undefined {
  if (specifier.startsWith('.')) return judgeRelative(file, specifier);
  if (specifier.startsWith('node:')) {
    return file.isPure ? 'pure code has no access to the environment' : undefined;
  }
  const name = packageName(specifier);
  const target = packages.get(name);
  if (target !== undefined) return judgeInternal(file, target);
  return judgeNpm(file, name, rootDependencies);
}

function judgeRelative(file: SourceFile, specifier: string): string | undefined {
  const target = resolve(dirname(file.path), specifier.split('?')[0] ?? specifier);
  if (!target.startsWith(file.owner.directory + sep)) return 'a relative import leaves its package';
  const core = coreFolder(relative(file.owner.directory, file.path).split(sep));
  if (file.isPure && core !== undefined) {
    const folder = join(file.owner.directory, core) + sep;
    if (!target.startsWith(folder)) return `a core imports what lies outside of ${core}`;
  }
  return undefined;
}

function judgeInternal(file: SourceFile, target: Package): string | undefined {
  if (target.name === file.owner.name) return undefined;
  const rule = LAYER_RULES[file.owner.layer];
  if (file.isPure && target.layer !== 'pure')
    return `pure code may not use ${target.layer} packages`;
  const allowed =
    rule.layers.includes(target.layer) || rule.packages?.includes(target.name) === true;
  const allowedInTest = file.isTest && TEST_LAYERS.includes(target.layer);
  if (!allowed && !allowedInTest)
    return `${file.owner.layer} packages may not use ${target.layer} packages`;
  const declared =
    file.owner.dependencies.has(target.name) ||
    (file.isTest && file.owner.devDependencies.has(target.name));
  return declared ? undefined : 'is not declared in package.json';
}

function judgeNpm(
  file: SourceFile,
  name: string,
  rootDependencies: ReadonlySet<string>,
): string | undefined {
  if (file.isPure && !PURE_NPM.includes(name)) return 'is not on the list of pure npm packages';
  if (file.owner.dependencies.has(name) || file.owner.devDependencies.has(name)) return undefined;
  if (file.isTest && rootDependencies.has(name)) return undefined;
  return 'is not declared in package.json';
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
