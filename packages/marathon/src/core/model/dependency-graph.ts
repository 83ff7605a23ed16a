/**
 * Which apps have to be up before which: from the dependencies of apps and, inherited, of groups.
 *
 * A group that depends on a group would make an edge for each pair of their apps. Instead each group has two
 * nodes without weight: `begin`, which its apps wait for, and `end`, which waits for its apps. So the graph
 * grows with the tree, and the longest path below an app is still its level.
 *
 * Invariants: linear time, no recursion; the order within a level is by id. A dependency on something that
 * does not exist counts for nothing here: the root's rules look at that.
 */

import { assert } from '@dcos/base';
import type { Group, PathId, RootGroup } from './app-definition.ts';
import { allGroups } from './group.ts';
import { comparePathIds, parentOf, ROOT_PATH } from './path-id.ts';

interface Node {
  /** The app; undefined for the nodes of groups. */
  readonly app: PathId | undefined;
  readonly dependents: Node[];
  /** Dependencies that are not placed yet. */
  waitingFor: number;
  /** Apps on the longest path below, itself not counted. */
  level: number;
}

interface GroupNodes {
  readonly begin: Node;
  readonly end: Node;
}

/** Levels of app ids, or undefined when the dependencies have a cycle. */
export function findDependencyLevels(root: RootGroup): readonly (readonly PathId[])[] | undefined {
  const nodes = buildGraph(root);
  const levels: PathId[][] = [];
  const ready = nodes.filter((node) => node.waitingFor === 0);
  let placed = 0;
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    placed += 1;
    if (node.app !== undefined) {
      const level = (levels[node.level] ??= []);
      level.push(node.app);
    }
    const below = node.level + (node.app === undefined ? 0 : 1);
    for (const dependent of node.dependents) {
      dependent.level = Math.max(dependent.level, below);
      dependent.waitingFor -= 1;
      if (dependent.waitingFor === 0) ready.push(dependent);
    }
  }
  if (placed < nodes.length) return undefined;
  return levels.map((level) => level.sort(comparePathIds));
}

/**
 * App ids by level: every app comes in a later level than all that it depends on. For roots that were
 * accepted, which have no cycles.
 */
export function dependencyLevels(root: RootGroup): readonly (readonly PathId[])[] {
  const levels = findDependencyLevels(root);
  assert(levels !== undefined, 'the dependencies of an accepted root must have no cycle');
  return levels;
}

function buildGraph(root: RootGroup): readonly Node[] {
  const groups = allGroups(root);
  const nodes: Node[] = [];
  const add = (app?: PathId): Node => {
    const node: Node = { app, dependents: [], waitingFor: 0, level: 0 };
    nodes.push(node);
    return node;
  };
  const groupNodes = new Map<PathId, GroupNodes>();
  const appNodes = new Map<PathId, Node>();
  for (const group of groups) {
    groupNodes.set(group.id, { begin: add(), end: add() });
    for (const id of group.apps.keys()) appNodes.set(id, add(id));
  }
  const endOf = (id: PathId): Node | undefined => appNodes.get(id) ?? groupNodes.get(id)?.end;
  for (const group of groups) connectGroup(group, { groupNodes, appNodes, endOf });
  return nodes;
}

interface Graph {
  readonly groupNodes: ReadonlyMap<PathId, GroupNodes>;
  readonly appNodes: ReadonlyMap<PathId, Node>;
  readonly endOf: (id: PathId) => Node | undefined;
}

function connectGroup(group: Group, { groupNodes, appNodes, endOf }: Graph): void {
  const own = groupNodes.get(group.id);
  assert(own !== undefined, `group ${group.id} must be in the graph`);
  for (const id of group.dependencies) wait(own.begin, endOf(id));
  if (group.id !== ROOT_PATH) {
    const parent = groupNodes.get(parentOf(group.id));
    wait(own.begin, parent?.begin);
    if (parent !== undefined) wait(parent.end, own.end);
  }
  for (const app of group.apps.values()) {
    const node = appNodes.get(app.id);
    assert(node !== undefined, `app ${app.id} must be in the graph`);
    wait(node, own.begin);
    wait(own.end, node);
    for (const id of app.dependencies) wait(node, endOf(id));
  }
}

function wait(node: Node, dependency: Node | undefined): void {
  if (dependency === undefined) return;
  dependency.dependents.push(node);
  node.waitingFor += 1;
}
