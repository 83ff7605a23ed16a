/**
 * The network of one party, as far as it can be cut off from the masters: in one direction or in both. What is
 * under way on its connections waits; what it connects while it is cut off is cut off too.
 */

import type { Connection, Direction } from './connection.ts';

type AnyLink = Pick<Connection<never, never>, 'stall' | 'release' | 'open'>;

export interface Partition {
  /** Whether nothing gets through in that direction; left is to the master. */
  isCut(direction: Direction): boolean;
  cut(direction: Direction): void;
  /** Everything gets through again. */
  heal(): void;
  /** A connection that the party made. */
  adopt(link: AnyLink): void;
}

const DIRECTIONS: readonly Direction[] = ['left', 'right'];

export function createPartition(): Partition {
  const cuts = new Set<Direction>();
  let links: AnyLink[] = [];
  return {
    isCut: (direction) => cuts.has(direction),
    cut(direction) {
      cuts.add(direction);
      for (const link of links) link.stall(direction);
    },
    heal() {
      for (const direction of DIRECTIONS) {
        if (cuts.delete(direction)) for (const link of links) link.release(direction);
      }
    },
    adopt(link) {
      links = [...links.filter((known) => known.open), link];
      for (const direction of cuts) link.stall(direction);
    },
  };
}
