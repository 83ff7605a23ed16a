/** Where clients find the masters: a list, or somebody who knows which one leads. */

export interface MasterSource {
  /**
   * Begins to follow. Calls back with the masters to ask, in that order, whenever they change, and with none
   * while nobody is known to lead. The returned function ends it.
   */
  follow(listener: (masters: readonly string[]) => void): () => unknown;
}

/** The masters as `http://host:port`, asked in this order; a redirect to the leader is followed. */
export type Masters = readonly string[] | MasterSource;
