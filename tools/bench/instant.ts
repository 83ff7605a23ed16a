/** Instants that processes of one machine can compare. */

/** Milliseconds since 1970, in fractions. */
export function instantMs(): number {
  return performance.timeOrigin + performance.now();
}
