/**
 * The graph check: the packages' dependencies on one another, as Nx sees them, have no cycle, and each
 * TypeScript project refers to just the packages that its package.json names.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { packageDirectories } from './boundaries.ts';

interface NxGraph {
  readonly graph: {
    readonly nodes: Readonly<Record<string, unknown>>;
    readonly dependencies: Readonly<Record<string, readonly { readonly target: string }[]>>;
  };
}

/** Problems of the workspace's graph, one line each. */
export function checkGraph(root: string): readonly string[] {
  const graph = readNxGraph(root);
  if (typeof graph === 'string') return [graph];
  const edges = new Map(
    Object.entries(graph.graph.dependencies).map(([name, targets]) => [
      name,
      targets.map((edge) => edge.target).filter((target) => !target.startsWith('npm:')),
    ]),
  );
  const cycle = findCycle(edges);
  const problems = cycle === undefined ? [] : [`dependency cycle: ${cycle.join(' → ')}`];
  return [...problems, ...checkReferences(root)];
}

function readNxGraph(root: string): NxGraph | string {
  const folder = mkdtempSync(join(tmpdir(), 'graph-'));
  try {
    const file = join(folder, 'graph.json');
    const nx = spawnSync(join(root, 'node_modules', '.bin', 'nx'), ['graph', `--file=${file}`], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', CI: 'true' },
    });
    if (nx.status !== 0 || !existsSync(file)) return `nx graph failed: ${nx.stdout}${nx.stderr}`;
    return JSON.parse(readFileSync(file, 'utf8')) as NxGraph;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A cycle as the list of its names, or undefined. */
export function findCycle(
  edges: ReadonlyMap<string, readonly string[]>,
): readonly string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (name: string): readonly string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return undefined;
    path.push(name);
    for (const target of edges.get(name) ?? []) {
      const cycle = visit(target);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(name);
    return undefined;
  };
  for (const name of edges.keys()) {
    const cycle = visit(name);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function checkReferences(root: string): readonly string[] {
  const problems: string[] = [];
  for (const directory of packageDirectories(root)) {
    const manifest = join(directory, 'package.json');
    const project = join(directory, 'tsconfig.json');
    if (!existsSync(manifest) || !existsSync(project)) continue;
    const { dependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    const { references = [] } = JSON.parse(readFileSync(project, 'utf8')) as {
      references?: readonly { readonly path: string }[];
    };
    const referred = new Set(references.map((reference) => basename(reference.path)));
    for (const dependency of Object.keys(dependencies).filter((key) => key.startsWith('@dcos/'))) {
      if (!referred.has(dependency.slice('@dcos/'.length))) {
        problems.push(`${relative(root, directory)}/tsconfig.json does not refer to ${dependency}`);
      }
    }
  }
  return problems;
}
