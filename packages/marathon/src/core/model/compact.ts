/** Optional fields that are not set are left out, so that a value equals itself after a trip through JSON. */

export type Compact<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The same object without the members that are undefined. */
export function compact<T extends object>(value: T): Compact<T> {
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries) as Compact<T>;
}

/** The same object without some of its members. */
export function without<T extends object, Name extends keyof T & string>(
  value: T,
  ...names: readonly Name[]
): Omit<T, Name> {
  const left = new Set<string>(names);
  return Object.fromEntries(Object.entries(value).filter(([name]) => !left.has(name))) as Omit<
    T,
    Name
  >;
}

/** Structural equality of plain data; the order of the members of an object does not count. */
export function isEqualData(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return false;
  }
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((element, index) => isEqualData(element, right[index]));
  }
  const members = Object.entries(left);
  const others = new Map(Object.entries(right));
  return (
    members.length === others.size &&
    members.every(([key, member]) => others.has(key) && isEqualData(member, others.get(key)))
  );
}
