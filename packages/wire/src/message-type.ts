/**
 * A handle on one message type: what codecs take to know which table drives them, and what ties the
 * generated TypeScript type to that table.
 */

declare const carried: unique symbol;

export interface MessageType<T> {
  /** Full name such as `mesos.v1.TaskInfo`. */
  readonly name: string;
  /** Never present at run time; it carries the type. */
  readonly [carried]?: T;
}

/** Used by the generated files only. */
export function messageType<T>(name: string): MessageType<T> {
  return { name };
}
