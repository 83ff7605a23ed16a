import { expect, test } from 'vitest';
import { SEES_ALL, viewerOf } from './viewer.ts';

test('who may see everything is never asked about', () => {
  const viewer = viewerOf({ allows: () => false, allowsEvery: () => true }, 'p');
  expect(viewer).toBe(SEES_ALL);
});

test('an answer is remembered, though not for ever', () => {
  let asked = 0;
  const authorizer = {
    allows: () => {
      asked += 1;
      return true;
    },
    allowsEvery: () => false,
  };
  const viewer = viewerOf(authorizer, 'p');
  for (let time = 0; time < 3; time++) expect(viewer.sees('VIEW_TASK', 'u')).toBe(true);
  expect(asked).toBe(1);
  for (let user = 0; user < 10_000; user++) viewer.sees('VIEW_TASK', `u${user}`);
  viewer.sees('VIEW_TASK', 'u');
  expect(asked).toBe(10_002);
});

test('viewers of one principal see the same', () => {
  const authorizer = { allows: () => true, allowsEvery: () => false };
  const kind = (principal: string | undefined): string => viewerOf(authorizer, principal).kind;
  expect(kind('p')).toBe(kind('p'));
  expect(new Set([kind('p'), kind('q'), kind(undefined), SEES_ALL.kind]).size).toBe(4);
});
