/** A store in memory whose writes, or whose lists, wait until the test lets them go. */

import { openMemoryStore, type Store } from '@dcos/store';

export interface HeldStore {
  readonly store: Store;
  /** From now on they wait. */
  hold(): void;
  /** Those that wait go on, and later ones do not wait. */
  release(): void;
  /** How many wait. */
  readonly waiting: number;
}

/** Holds one kind of call; all others go straight on. */
export function heldStore(kind: 'commit' | 'list', memory: Store = openMemoryStore()): HeldStore {
  let isHolding = false;
  const waiting: (() => void)[] = [];
  const turn = async (): Promise<void> => {
    if (isHolding) await new Promise<void>((resolve) => void waiting.push(resolve));
  };
  const held: Partial<Store> =
    kind === 'commit'
      ? {
          commit: async (...given) => {
            await turn();
            await memory.commit(...given);
          },
        }
      : {
          list: async (prefix) => {
            await turn();
            return await memory.list(prefix);
          },
        };
  return {
    store: { ...memory, ...held },
    hold: () => void (isHolding = true),
    release() {
      isHolding = false;
      for (const go of waiting.splice(0)) go();
    },
    get waiting() {
      return waiting.length;
    },
  };
}
