/**
 * Attributes of agents as text, the way constraints compare them.
 *
 * Text stays as it is; a scalar has at most three decimals, rounded half to even, without trailing zeros;
 * ranges are `[1-2,5-9]` and sets `{a,b}`, both sorted.
 */

import { compareText } from '@dcos/base';
import type { Attribute } from '@dcos/wire';

/** The comparable text of an attribute's value. */
export function attributeText(attribute: Attribute): string {
  switch (attribute.type) {
    case 'TEXT':
      return attribute.text?.value ?? '';
    case 'SCALAR':
      return scalarText(attribute.scalar?.value ?? 0);
    case 'RANGES': {
      const ranges = [...(attribute.ranges?.range ?? [])].sort(
        (left, right) => left.begin - right.begin || left.end - right.end,
      );
      return `[${ranges.map((range) => `${range.begin}-${range.end}`).join(',')}]`;
    }
    case 'SET':
      return `{${[...(attribute.set?.item ?? [])].sort(compareText).join(',')}}`;
    default:
      return '';
  }
}

/** A number as constraints compare it. */
export function scalarText(value: number): string {
  const milli = value * 1000;
  const floor = Math.floor(milli);
  const rest = milli - floor;
  // Half to even. The tolerance takes in what binary fractions do to a written half.
  const half = Math.abs(rest - 0.5) < 1e-6;
  const rounded = half ? floor + (floor % 2 === 0 ? 0 : 1) : Math.round(milli);
  return String(rounded / 1000);
}
