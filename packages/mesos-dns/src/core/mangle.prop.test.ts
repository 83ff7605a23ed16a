import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  LABEL_BYTES_MAX,
  RFC1123,
  RFC952,
  serviceLabel,
  toDomainFragment,
  toLabel,
  withSuffix,
} from './mangle.ts';

const names = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.string({ unit: fc.constantFrom('a', 'Z', '9', '-', '.', '_', '/', 'ü'), maxLength: 200 }),
);

describe.each([
  ['RFC 1123', RFC1123],
  ['RFC 952', RFC952],
])('labels by %s', (_name, rules) => {
  test('are empty or valid', () => {
    fc.assert(
      fc.property(names, (name) => {
        const label = toLabel(name, rules);
        expect(label.length).toBeLessThanOrEqual(rules.bytesMax);
        expect(label).toMatch(/^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$/);
        expect(rules.leading.test(label)).toBe(false);
      }),
    );
  });

  test('are stable: mangling twice is mangling once', () => {
    fc.assert(
      fc.property(names, (name) => {
        const label = toLabel(name, rules);
        expect(toLabel(label, rules)).toBe(label);
      }),
    );
  });
});

test('a domain fragment has no empty piece', () => {
  fc.assert(
    fc.property(names, (name) => {
      const fragment = toDomainFragment(name);
      expect(fragment === '' || fragment.split('.').every((piece) => piece !== '')).toBe(true);
    }),
  );
});

test('suffix and underscore stay within one label', () => {
  fc.assert(
    fc.property(names, fc.integer({ min: 0, max: 10 ** 9 }), (name, agent) => {
      const label = toLabel(name);
      expect(withSuffix(label, `-abcde-s${agent}`).length).toBeLessThanOrEqual(LABEL_BYTES_MAX);
      expect(serviceLabel(label).length).toBeLessThanOrEqual(LABEL_BYTES_MAX);
    }),
  );
});
