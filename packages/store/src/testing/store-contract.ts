/** The contract of the Store port; every adapter runs it. */

import { waitFor } from '@dcos/testkit';
import { describe, expect, test } from 'vitest';
import { VALUE_BYTES_MAX, type Change, type Store } from '../store.ts';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * Describes what holds for an adapter.
 * @param open gives a store that is empty.
 */
export function describeStore(name: string, open: () => Store | Promise<Store>): void {
  describe(`the contract of a store: ${name}`, () => {
    test('versions count the writes of a key and start anew after a delete', async () => {
      const store = await open();
      await store.commit([{ kind: 'put', key: 'a', value: bytes('1'), expect: 0 }]);
      await store.commit([{ kind: 'put', key: 'a', value: bytes('2'), expect: 1 }]);
      expect(await store.get('a')).toEqual({ key: 'a', value: bytes('2'), version: 2 });
      await store.commit([{ kind: 'delete', key: 'a', expect: 2 }]);
      expect(await store.get('a')).toBeUndefined();
      await store.commit([{ kind: 'put', key: 'a', value: bytes('3') }]);
      expect((await store.get('a'))?.version).toBe(1);
      await store.close();
    });

    test('a batch is all or nothing', async () => {
      const store = await open();
      await store.commit([{ kind: 'put', key: 'a', value: bytes('1') }]);
      const failing = store.commit([
        { kind: 'put', key: 'b', value: bytes('1') },
        { kind: 'put', key: 'a', value: bytes('2'), expect: 7 },
      ]);
      await expect(failing).rejects.toMatchObject({
        code: 'STORE_CONFLICT',
        details: { key: 'a', actual: 1 },
      });
      expect(await store.get('b')).toBeUndefined();
      expect((await store.get('a'))?.version).toBe(1);
      await store.close();
    });

    test('batches committed at once do not disturb one another', async () => {
      const store = await open();
      const outcomes = await Promise.allSettled([
        store.commit([{ kind: 'put', key: 'x', value: bytes('1'), expect: 0 }]),
        store.commit([{ kind: 'put', key: 'x', value: bytes('2'), expect: 0 }]),
        store.commit([{ kind: 'put', key: 'y', value: bytes('3'), expect: 0 }]),
      ]);
      expect(outcomes.map((outcome) => outcome.status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
      ]);
      expect(await store.get('x')).toMatchObject({ value: bytes('1'), version: 1 });
      await store.close();
    });

    test('list is ordered and keeps to its prefix', async () => {
      const store = await open();
      await store.commit(
        ['p/b', 'p/a', 'p', 'q/a', 'p0'].map((key) => ({ kind: 'put', key, value: bytes(key) })),
      );
      expect((await store.list('p/')).map((entry) => entry.key)).toEqual(['p/a', 'p/b']);
      await store.close();
    });

    test('watchers see changes in commit order and only theirs', async () => {
      const store = await open();
      const seen: Change[] = [];
      const unwatch = store.watch('p/', (changes) => seen.push(...changes));
      await store.commit([
        { kind: 'put', key: 'p/a', value: bytes('1') },
        { kind: 'put', key: 'q', value: bytes('1') },
      ]);
      await store.commit([{ kind: 'delete', key: 'p/a' }]);
      unwatch();
      await store.commit([{ kind: 'put', key: 'p/b', value: bytes('1') }]);
      expect(seen.map((change) => change.kind)).toEqual(['put', 'delete']);
      await store.close();
    });

    test('one leader at a time; a deposed leader cannot write', async () => {
      const store = await open();
      const first = await store.elect('leader', 'one');
      const waiting = store.elect('leader', 'two');
      expect(await store.leader('leader')).toEqual({ candidate: 'one', epoch: first.epoch });
      await first.release();
      const second = await waiting;
      expect(second.epoch).toBeGreaterThan(first.epoch);
      const write = [{ kind: 'put' as const, key: 'a', value: bytes('1') }];
      await expect(store.commit(write, { lease: first })).rejects.toMatchObject({
        code: 'STORE_FENCED',
      });
      expect(await store.get('a')).toBeUndefined();
      await store.commit(write, { lease: second });
      await store.close();
      await second.lost;
    });

    test('a candidacy can be taken back before it is won; all who stand are known', async () => {
      const store = await open();
      const first = await store.elect('leader', 'one');
      const leaving = new AbortController();
      const second = store.elect('leader', 'two', { signal: leaving.signal });
      await waitFor('the second', async () => (await store.candidates('leader')).length === 2);
      const third = store.elect('leader', 'three');
      await waitFor('the third', async () => (await store.candidates('leader')).length === 3);
      expect(await store.candidates('leader')).toEqual(['one', 'two', 'three']);
      leaving.abort();
      await expect(second).rejects.toMatchObject({ code: 'STORE_CANDIDACY_WITHDRAWN' });
      await waitFor('its end', async () => (await store.candidates('leader')).length === 2);
      await first.release();
      const lease = await third;
      expect(await store.candidates('leader')).toEqual(['three']);
      expect(lease.isHeld()).toBe(true);
      await lease.release();
      expect(await store.candidates('leader')).toEqual([]);
      const late = store.elect('leader', 'four', { signal: leaving.signal });
      await expect(late).rejects.toMatchObject({ code: 'STORE_CANDIDACY_WITHDRAWN' });
      await store.close();
    });

    test('who leads is told, and told again when it changes', async () => {
      const store = await open();
      const seen: (string | undefined)[] = [];
      const first = await store.elect('leader', 'one');
      const unwatch = store.watchLeader('leader', (leader) => void seen.push(leader?.candidate));
      await waitFor('the first leader', () => seen.includes('one'));
      const waiting = store.elect('leader', 'two');
      await first.release();
      const second = await waiting;
      await waitFor('the second leader', () => seen.includes('two'));
      await second.release();
      await waitFor('nobody', () => seen.at(-1) === undefined);
      unwatch();
      await store.elect('leader', 'three');
      await store.close();
      expect(seen.filter((candidate) => candidate !== undefined)).toEqual(['one', 'two']);
    });

    test('limits and calls after close are refused', async () => {
      const store = await open();
      const tooLarge = {
        kind: 'put' as const,
        key: 'a',
        value: new Uint8Array(VALUE_BYTES_MAX + 1),
      };
      await expect(store.commit([tooLarge])).rejects.toMatchObject({ code: 'STORE_LIMIT' });
      await store.commit([{ ...tooLarge, value: new Uint8Array(VALUE_BYTES_MAX) }]);
      await store.close();
      await expect(store.get('a')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    });

    test('an ephemeral key is like any other while its store is open', async () => {
      const store = await open();
      const value = bytes('1');
      await store.commit([{ kind: 'put', key: 'a', value, expect: 0, ephemeral: true }]);
      await store.commit([{ kind: 'put', key: 'a', value: bytes('2'), expect: 1 }]);
      expect(await store.get('a')).toMatchObject({ value: bytes('2'), version: 2 });
      await store.commit([{ kind: 'delete', key: 'a', expect: 2 }]);
      await store.commit([{ kind: 'put', key: 'a', value }]);
      expect(await store.list('')).toMatchObject([{ key: 'a', version: 1 }]);
      await store.close();
    });

    test('writes of one batch build on one another', async () => {
      const store = await open();
      await store.commit([
        { kind: 'put', key: 'a', value: bytes('1'), expect: 0 },
        { kind: 'put', key: 'a', value: bytes('2'), expect: 1 },
        { kind: 'delete', key: 'gone' },
        { kind: 'delete', key: 'never', expect: 0 },
        { kind: 'put', key: 'b', value: bytes('1') },
        { kind: 'delete', key: 'b', expect: 1 },
      ]);
      expect(await store.list('')).toMatchObject([{ key: 'a', value: bytes('2'), version: 2 }]);
      await store.close();
    });

    test('keys of any text are kept apart', async () => {
      const store = await open();
      const keys = ['.', '..', '/', 'a', 'a/', 'a/b', 'a%2Fb', 'ä', '50%', ' ', '\u0000', '🙂'];
      await store.commit(keys.map((key) => ({ kind: 'put', key, value: bytes(key) })));
      const found = await store.list('');
      expect(found.map(({ key }) => key)).toEqual([...keys].sort());
      for (const { key, value } of found) expect(value).toEqual(bytes(key));
      await store.close();
    });
  });
}
