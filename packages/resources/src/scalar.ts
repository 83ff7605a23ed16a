/**
 * Scalars as fixed point: whole thousandths ("milli"), so that 0.1 + 0.2 is 0.3 and nothing drifts by
 * adding and taking away. Values from outside are rounded once, to the nearest thousandth.
 */

/** The greatest scalar that is exact in thousandths. */
export const SCALAR_MAX: number = Math.floor(Number.MAX_SAFE_INTEGER / 1000);

/** Thousandths of a value in natural units, rounded to the nearest. */
export function toMilli(value: number): number {
  return Math.round(value * 1000);
}

/** Natural units of thousandths; the same text as a value with at most three decimals. */
export function fromMilli(milli: number): number {
  return milli / 1000;
}
