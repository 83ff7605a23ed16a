/**
 * The order in which clients are served: a tree of paths, siblings sorted by dominant share over weight,
 * then by how often they were served, then by path. The order is kept, not made anew: a client whose
 * share changed moves to its place among its siblings; only a change of totals or weights sorts again.
 *
 * Invariants: a node is in its parent's `order` iff it has active leaves; a node's allocation is the sum
 * of its subtree; a path that is a client and has children is a node with a leaf named `.` below it.
 * Source: the original's hierarchical DRF sorter.
 */

import { assert, compareText, type Random } from '@dcos/base';
import { addTo, type ScalarVector } from './scalar-vector.ts';
import { drawNext } from './weighted-draw.ts';

/** A place in the tree. Leaves carry clients; everyone else only reads. */
export interface SorterNode<Client> {
  readonly name: string;
  readonly path: string;
  readonly parent: SorterNode<Client> | undefined;
  readonly children: Map<string, SorterNode<Client>>;
  /** Children with active leaves, in the order of service; in any order where it is drawn. */
  order: SorterNode<Client>[];
  client: Client | undefined;
  /** Some share went down since `order` was sorted; it is sorted again when it is walked. */
  orderStale: boolean;
  activeLeaves: number;
  allocated: ScalarVector;
  /** Dominant share over weight. */
  share: number;
  allocations: number;
  weight: number;
  /** No child in `order` weighs more. */
  weightMax: number;
}

/** Name of the leaf of a path that is a client itself; no component of a role may be called so. */
const OWN_LEAF = '.';

export interface SorterOptions {
  /** With a source of chance the order is drawn at each walk, by weight, instead of by share. */
  readonly random?: Random | undefined;
  /** Whether the resource counts for shares, by index. */
  readonly counts: (index: number) => boolean;
}

export class Sorter<Client> {
  readonly #root: SorterNode<Client> = makeNode<Client>('', '', undefined);
  readonly #weights = new Map<string, number>();
  readonly #options: SorterOptions;
  #total: ScalarVector = new Float64Array(0);
  /** Shares and orders are out of date; everything is sorted at the next walk. */
  #stale = false;

  constructor(options: SorterOptions) {
    this.#options = options;
  }

  /** Whether the order is drawn, so that nobody has a place in it. */
  get #drawn(): boolean {
    return this.#options.random !== undefined;
  }

  get hasActiveClients(): boolean {
    return this.#root.activeLeaves > 0;
  }

  /** Adds an inactive client at the path of these components; the client is told its leaf. */
  add(components: readonly string[], make: (leaf: SorterNode<Client>) => Client): Client {
    let node = this.#root;
    for (const name of components) {
      let child = node.children.get(name);
      if (child === undefined) {
        const path = node === this.#root ? name : `${node.path}/${name}`;
        child = makeNode<Client>(name, path, node);
        child.weight = this.#weights.get(path) ?? 1;
        node.children.set(name, child);
      }
      node = child;
    }
    assert(!node.children.has(OWN_LEAF), `${node.path} is a client already`);
    const leaf = makeNode<Client>(OWN_LEAF, `${node.path}/${OWN_LEAF}`, node);
    node.children.set(OWN_LEAF, leaf);
    const client = make(leaf);
    leaf.client = client;
    return client;
  }

  /** Removes a client with its allocation; paths that are left without clients go too. */
  remove(leaf: SorterNode<Client>): void {
    this.setActive(leaf, { active: false });
    this.change(leaf, leaf.allocated.slice(), -1);
    let node: SorterNode<Client> = leaf;
    while (node.parent !== undefined && node.children.size === 0) {
      node.parent.children.delete(node.name);
      node = node.parent;
    }
  }

  setActive(leaf: SorterNode<Client>, { active }: { readonly active: boolean }): void {
    if (leaf.activeLeaves === (active ? 1 : 0)) return;
    const change = active ? 1 : -1;
    for (let node: SorterNode<Client> | undefined = leaf; node !== undefined; node = node.parent) {
      const was = node.activeLeaves;
      node.activeLeaves += change;
      if (node.parent === undefined) continue;
      if (was === 0) this.#insert(node);
      else if (node.activeLeaves === 0) this.#take(node);
    }
  }

  /**
   * Counts an allocation (`1`, also for the order among equals) or its end (`-1`), up to the root.
   * Allocations are made between walks, one at a time, so each node moves at once; ends come in bulk
   * when offers are declined, so they only mark the order.
   */
  change(leaf: SorterNode<Client>, amount: ScalarVector, sign: 1 | -1): void {
    for (let node: SorterNode<Client> | undefined = leaf; node !== undefined; node = node.parent) {
      const { parent } = node;
      const listed = parent !== undefined && node.activeLeaves > 0 && parent.order.length > 1;
      const placed = listed && sign === 1 && !this.#stale && !parent.orderStale && !this.#drawn;
      const at = placed ? indexIn(node) : -1;
      node.allocated = addTo(node.allocated, amount, sign);
      if (sign === 1) node.allocations += 1;
      if (this.#stale) continue;
      node.share = this.#shareOf(node);
      if (placed) moveFrom(node, at);
      else if (listed && !this.#drawn) parent.orderStale = true;
    }
  }

  /** Weights belong to paths: a node is weighed against its siblings, its children are not. */
  setWeight(path: string, weight: number): void {
    this.#weights.set(path, weight);
    this.#stale = true;
    const node = this.find(path);
    if (node !== undefined) node.weight = weight;
  }

  /** The node of a path with its subtree, if a client is at it or below it. */
  find(path: string): SorterNode<Client> | undefined {
    let node: SorterNode<Client> | undefined = this.#root;
    for (const name of path.split('/')) node = node?.children.get(name);
    return node;
  }

  weightOf(path: string): number {
    return this.#weights.get(path) ?? 1;
  }

  /** The cluster's totals, of which shares are parts. The vector is kept, not copied. */
  setTotal(total: ScalarVector): void {
    this.#total = total;
    this.#stale = true;
  }

  /** Brings shares up to date when totals or weights changed. */
  refresh(): void {
    if (!this.#stale) return;
    this.#stale = false;
    this.#refreshBelow(this.#root);
  }

  /**
   * Visits active clients in order until the visitor returns false; says whether the end was reached.
   * The visitor must not change this sorter.
   */
  walk(visit: (client: Client) => boolean): boolean {
    this.refresh();
    return this.#walkBelow(this.#root, visit);
  }

  #walkBelow(node: SorterNode<Client>, visit: (client: Client) => boolean): boolean {
    const { random } = this.#options;
    if (node.orderStale) sortOrder(node);
    const { order } = node;
    let isDrawn = random === undefined;
    for (let at = 0; at < order.length; at++) {
      if (random !== undefined && !isDrawn) isDrawn = drawNext(random, order, at, node.weightMax);
      const child = order[at] as SorterNode<Client>;
      const goesOn =
        child.client === undefined ? this.#walkBelow(child, visit) : visit(child.client);
      if (!goesOn) return false;
    }
    return true;
  }

  #refreshBelow(node: SorterNode<Client>): void {
    for (const child of node.children.values()) {
      child.share = this.#shareOf(child);
      this.#refreshBelow(child);
    }
    node.weightMax = node.order.reduce((most, { weight }) => Math.max(most, weight), 0);
    if (!this.#drawn) sortOrder(node);
  }

  #shareOf(node: SorterNode<Client>): number {
    let share = 0;
    const { allocated } = node;
    for (let index = 0; index < allocated.length; index++) {
      const total = this.#total[index] ?? 0;
      if (total <= 0 || !this.#options.counts(index)) continue;
      const part = (allocated[index] ?? 0) / total;
      if (part > share) share = part;
    }
    return share / node.weight;
  }

  #insert(node: SorterNode<Client>): void {
    const parent = parentOf(node);
    parent.order.push(node);
    parent.weightMax = Math.max(parent.weightMax, node.weight);
    if (this.#stale) return;
    node.share = this.#shareOf(node);
    if (parent.order.length > 1 && !this.#drawn) parent.orderStale = true;
  }

  #take(node: SorterNode<Client>): void {
    const { order, orderStale } = parentOf(node);
    const isSorted = !this.#stale && !orderStale && !this.#drawn;
    order.splice(isSorted ? indexIn(node) : order.indexOf(node), 1);
  }
}

function makeNode<Client>(
  name: string,
  path: string,
  parent: SorterNode<Client> | undefined,
): SorterNode<Client> {
  return {
    name,
    path,
    parent,
    children: new Map(),
    order: [],
    orderStale: false,
    client: undefined,
    activeLeaves: 0,
    allocated: new Float64Array(0),
    share: 0,
    allocations: 0,
    weight: 1,
    weightMax: 0,
  };
}

function parentOf<Client>(node: SorterNode<Client>): SorterNode<Client> {
  assert(node.parent !== undefined, 'the root has no siblings');
  return node.parent;
}

function sortOrder<Client>(node: SorterNode<Client>): void {
  node.order.sort(compareNodes);
  node.orderStale = false;
}

function compareNodes<Client>(left: SorterNode<Client>, right: SorterNode<Client>): number {
  return (
    left.share - right.share ||
    left.allocations - right.allocations ||
    compareText(left.path, right.path)
  );
}

/** Where the node stands among its siblings; binary search, so its key must not have changed yet. */
function indexIn<Client>(node: SorterNode<Client>): number {
  const { order: siblings } = parentOf(node);
  let low = 0;
  let high = siblings.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareNodes(siblings[middle] as SorterNode<Client>, node) < 0) low = middle + 1;
    else high = middle;
  }
  assert(siblings[low] === node, `the order of ${node.path} and its siblings is broken`);
  return low;
}

/** Moves a node whose key grew from its old index to its place. */
function moveFrom<Client>(node: SorterNode<Client>, from: number): void {
  const { order: siblings } = parentOf(node);
  let low = from;
  let high = siblings.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (compareNodes(siblings[middle] as SorterNode<Client>, node) < 0) low = middle;
    else high = middle - 1;
  }
  for (let at = from; at < low; at++) siblings[at] = siblings[at + 1] as SorterNode<Client>;
  siblings[low] = node;
}
