/**
 * What the fuzzer sends: messages valid by the schema, with names of what exists, and ways to damage them.
 *
 * Invariant: the same seed gives the same inputs in the same order; which of them meets what state of the
 * master is up to the machine.
 */

import fc from 'fast-check';
import { randomBelow, seededRandom, toUtf8, type Random } from '@dcos/base';
import {
  encode,
  enumSchema,
  messageSchema,
  toJson,
  type Encoding,
  type MessageType,
} from '@dcos/wire';
import { messageArbitrary } from '@dcos/wire/testing/message-arbitrary';

/** Values made at a time. */
const BATCH = 20;

/** Texts that stand for what exists when they are sent. */
export const PLACEHOLDERS = ['@framework', '@agent', '@offer', '@task'] as const;
const TEXTS = [
  ...PLACEHOLDERS,
  'cpus',
  'mem',
  'disk',
  'ports',
  '*',
  'web',
  'web/a',
  'host',
  '/',
  '..',
];
const ARBITRARY = { texts: TEXTS, oddNumbers: true, depthMax: 5 };

/** Values that no schema promises. */
const ODD: readonly unknown[] = [
  null,
  -1,
  0,
  1e308,
  '',
  'NaN',
  '\u0000',
  [],
  {},
  [[]],
  true,
  2 ** 53 + 2,
];

export interface CallInput {
  readonly type: string;
  readonly call: object;
}

export class Inputs {
  readonly random: Random;
  readonly #seed: number;
  #batches = 0;
  readonly #waiting = new Map<string, unknown[]>();

  constructor(seed: number) {
    this.#seed = seed;
    this.random = seededRandom(seed);
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return randomBelow(this.random, times) === 0;
  }

  below(bound: number): number {
    return randomBelow(this.random, bound);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** One of them; undefined when there is none. */
  pickAny<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : this.pick(items);
  }

  /** A random message of that name. */
  message(name: string): object {
    const waiting = this.#waiting.get(name) ?? [];
    if (waiting.length === 0) {
      const seed = this.#seed + this.#batches++;
      const arbitrary = messageArbitrary<object>({ name }, ARBITRARY);
      waiting.push(...fc.sample(arbitrary, { seed, numRuns: BATCH }));
      this.#waiting.set(name, waiting);
    }
    return waiting.pop() as object;
  }

  /** A call of any type that the schema knows: mostly with the part that belongs to it. */
  call(name: 'mesos.v1.scheduler.Call' | 'mesos.v1.master.Call'): CallInput {
    const type = this.pick([...enumSchema(`${name}.Type`).toNumber.keys()]);
    const part = messageSchema(name).byName.get(type.toLowerCase());
    if (part === undefined || this.oneIn(10)) return { type, call: { type } };
    return { type, call: { type, [part.name]: this.message(part.type) } };
  }

  /** The bytes of a message, one in a few of them damaged. */
  bytes<T>(type: MessageType<T>, message: T, encoding: Encoding): Uint8Array {
    if (encoding === 'protobuf') return this.damage(encode(type, message), 4);
    const json = toJson(type, message);
    return this.damage(toUtf8(JSON.stringify(this.oneIn(4) ? this.#bend(json) : json)), 8);
  }

  /** Changes, cuts or lengthens bytes once in so many times. */
  damage(bytes: Uint8Array, oneIn: number): Uint8Array {
    if (!this.oneIn(oneIn) || bytes.length === 0) return bytes;
    const damaged = Uint8Array.from(bytes);
    for (let times = this.below(4); times >= 0; times--)
      damaged[this.below(damaged.length)] = this.below(256);
    if (this.oneIn(3)) return damaged.subarray(0, this.below(damaged.length));
    return this.oneIn(3) ? Uint8Array.from([...damaged, ...damaged.subarray(0, 64)]) : damaged;
  }

  /** The same JSON with one value replaced or left out. */
  #bend(json: unknown): unknown {
    if (typeof json !== 'object' || json === null || this.oneIn(4)) return this.pick(ODD);
    const entries = Object.entries(json);
    if (entries.length === 0) return this.pick(ODD);
    const at = this.below(entries.length);
    if (Array.isArray(json))
      return json.map((item, index) => (index === at ? this.#bend(item) : item));
    return Object.fromEntries(
      entries.flatMap(([key, value], index) => {
        if (index !== at) return [[key, value]];
        return this.oneIn(4) ? [] : [[key, this.#bend(value)]];
      }),
    );
  }
}

/** The value with the placeholders replaced by the names of what exists. */
export function named<T>(value: T, names: ReadonlyMap<string, string>): T {
  const walk = (item: unknown): unknown => {
    if (typeof item === 'string') return names.get(item) ?? item;
    if (Array.isArray(item)) return item.map(walk);
    if (typeof item !== 'object' || item === null || item instanceof Uint8Array) return item;
    return Object.fromEntries(Object.entries(item).map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(value) as T;
}
