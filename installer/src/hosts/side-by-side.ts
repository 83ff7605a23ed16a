/** Work on many hosts at a time, with a bound: each costs a connection, and machines have only so many. */

/** What became of each, in the order of the items; a failure of one stops nothing. */
export async function sideBySide<Item, Value>(
  items: readonly Item[],
  atOnceMax: number,
  perform: (item: Item, index: number) => Promise<Value>,
): Promise<readonly PromiseSettledResult<Value>[]> {
  const results: PromiseSettledResult<Value>[] = [];
  const entries = items.entries();
  // All workers take from one iterator.
  const work = async (): Promise<void> => {
    for (const [index, item] of entries) {
      try {
        results[index] = { status: 'fulfilled', value: await perform(item, index) };
      } catch (reason) {
        results[index] = { status: 'rejected', reason };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnceMax, items.length) }, work));
  return results;
}
