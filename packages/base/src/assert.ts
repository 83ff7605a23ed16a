/**
 * Assertions of invariants. They stay on in production: a process that is wrong about its own state
 * must stop, so that its supervisor can start it from what is durable.
 */

/** Thrown by {@link assert} and {@link unreachable}: a programmer error, never caught to go on. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws {@link AssertionError} unless the condition holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Returns the value, or throws {@link AssertionError} when it is undefined or null. */
export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new AssertionError(`${what} must be present`);
  return value;
}

/** Closes a switch over a union: the compiler refuses a forgotten member, the run time an unknown one. */
export function unreachable(value: never): never {
  throw new AssertionError(`unexpected variant: ${JSON.stringify(value)}`);
}
