import { expect, test } from 'vitest';
import { parseJsonObject } from './json.ts';

test.each([
  ['{"a":[1,{}]}', { a: [1, {}] }],
  [' {} ', {}],
  ['[]', undefined],
  ['null', undefined],
  ['1', undefined],
  ['"{}"', undefined],
  ['{"a":', undefined],
  ['', undefined],
])('the object that %j is', (text, expected) => {
  expect(parseJsonObject(text)).toEqual(expected);
});
