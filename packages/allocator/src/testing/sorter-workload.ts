/**
 * What the original's own benchmark does with a sorter: clients come, all agents are allocated to them in
 * turn, they are put in order, all is given back, they go. Each step by itself, so that the caller can time
 * it.
 */

import { seededRandom } from '@dcos/base';
import { Sorter, type SorterNode } from '../sorter.ts';

interface Client {
  readonly leaf: SorterNode<Client>;
}

/** The steps in the order in which they are to be taken. */
export interface SorterWorkload {
  readonly add: () => void;
  readonly allocate: () => void;
  /** Puts all clients in order anew, since totals changed; gives their number. */
  readonly sort: () => number;
  /** Gives the order once more. */
  readonly sortAgain: () => number;
  readonly unallocate: () => void;
  readonly remove: () => void;
}

/** Amounts of one agent: cpus, memory and disk in thousandths. */
const AGENT = Float64Array.of(24_000, 4_096_000, 4_096_000);

/** A workload with these clients (paths) and so many agents. */
export function sorterWorkload(
  kind: 'drf' | 'random',
  paths: readonly string[],
  agents: number,
): SorterWorkload {
  const random = kind === 'random' ? seededRandom(1) : undefined;
  const sorter = new Sorter<Client>({ counts: () => true, random });
  const leaves: SorterNode<Client>[] = [];
  const each = (sign: 1 | -1): void => {
    for (let agent = 0; agent < agents; agent++) {
      const leaf = leaves[agent % leaves.length];
      if (leaf !== undefined) sorter.change(leaf, AGENT, sign);
    }
  };
  const order = (): number => {
    let clients = 0;
    sorter.walk(() => (clients += 1) > 0);
    return clients;
  };
  return {
    add: () => {
      for (const path of paths) {
        const { leaf } = sorter.add(path.split('/'), (own) => ({ leaf: own }));
        sorter.setActive(leaf, { active: true });
        leaves.push(leaf);
      }
      sorter.setTotal(AGENT.map((milli) => milli * agents));
    },
    allocate: () => each(1),
    sort: order,
    sortAgain: order,
    unallocate: () => each(-1),
    remove: () => {
      for (const leaf of leaves) sorter.remove(leaf);
    },
  };
}
