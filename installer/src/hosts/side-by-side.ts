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

/** Questions to hosts at a time, whatever they are. */
const AT_ONCE_MAX = 20;

/**
 * Each item with what came of it, in their order, so many at a time. All are done before the first failure among them
 * is thrown.
 */
export async function onAll<Item, Value>(
  items: readonly Item[],
  perform: (item: Item) => Promise<Value>,
): Promise<readonly (readonly [Item, Value])[]> {
  const results = await sideBySide(items, AT_ONCE_MAX, async (item) => {
    return [item, await perform(item)] as const;
  });
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
