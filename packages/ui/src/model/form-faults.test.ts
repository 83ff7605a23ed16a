import { expect, test } from 'vitest';
import { faultAt, faultsBySection, plainFault, sectionOfPath } from './form-faults.ts';

const FAULTS = [
  { path: '/constraints(0)', errors: ['operator must be known'] },
  { path: '/cpus', errors: ['error.min'] },
  { path: '/container/docker/image', errors: ['error.minLength'] },
  { path: '/container/portMappings(1)/name', errors: ['error.pattern'] },
];

test('faults go to the section that shows their field', () => {
  expect(faultsBySection(FAULTS)).toEqual({ placement: 1, general: 2, networking: 1 });
  expect(sectionOfPath('/')).toBe('general');
  expect(sectionOfPath('/upgradeStrategy/minimumHealthCapacity')).toBe('more');
});

test('a field shows faults at its path and below, and no others', () => {
  expect(faultAt(FAULTS, ['constraints', 0])).toBe('operator must be known');
  expect(faultAt(FAULTS, ['constraints', 1])).toBeUndefined();
  expect(faultAt(FAULTS, ['container', 'portMappings', 1])).toBe(
    'Has characters that are not allowed here.',
  );
  expect(faultAt(FAULTS, ['cpus'])).toBe('Too small.');
});

test('texts that are not tokens stay', () => {
  expect(plainFault('is greater than 1')).toBe('is greater than 1');
});
