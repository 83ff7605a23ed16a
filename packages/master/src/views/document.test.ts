import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cachedText, chunks, Fragment, FragmentList, type Document } from './document.ts';

const textOf = (document: Document): string =>
  Buffer.from([...chunks(document)].join(''), 'latin1').toString();

test('a document is written as the same value is in JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(fc.jsonValue()), (value, list) => {
      const document: Document = {
        value: value as Document,
        left: undefined,
        fragment: new Fragment(() => JSON.stringify(value)),
        list: list as Document,
        fragments: FragmentList.of(list, (item) =>
          Buffer.from(JSON.stringify(item)).toString('latin1'),
        ),
      };
      expect(textOf(document)).toBe(
        JSON.stringify({ value, fragment: value, list, fragments: list }),
      );
    }),
  );
});

test('a big document comes in chunks, and shows what was there when it was made', () => {
  const messages = Array.from({ length: 10_000 }, (_, index) => ({ text: `größer ${index}` }));
  const shown = cachedText((message: { readonly text: string }) => JSON.stringify(message));
  const [first, ...rest] = chunks(FragmentList.of(messages, shown), 'f(', ')');
  expect(rest.length).toBeGreaterThan(1);
  expect(first?.startsWith('f([{')).toBe(true);
  const expected = `f(${JSON.stringify(messages)})`;
  const work = chunks(FragmentList.of(messages, shown), 'f(', ')');
  const begun = work.next().value ?? '';
  messages.length = 0;
  expect(Buffer.from(begun + [...work].join(''), 'latin1').toString()).toBe(expected);
});
