/**
 * Which host ports an instance gets from an offer.
 *
 * Invariants: a chosen port was offered, is chosen once per offer, and its resource keeps the role that it
 * was offered with. Random ports begin at a random place of the shuffled ranges and go on from there, so
 * that a port that was just freed is not handed out again at once.
 * Source: Marathon's port matching as documented.
 */

import { randomBelow, shuffle, type Random } from '@dcos/base';
import type { Resource, Value_Range } from '@dcos/wire';

/** What one port index asks for. */
export type PortRequest =
  | { readonly kind: 'none' }
  | { readonly kind: 'random' }
  | { readonly kind: 'fixed'; readonly port: number };

export interface PortChoice {
  /** The host port of each index; null where none was asked for. */
  readonly hostPorts: readonly (number | null)[];
  /** Index into the offered resources → ports taken from it. */
  readonly taken: ReadonlyMap<number, readonly number[]>;
}

export interface PortRefusal {
  /** What was missing, as a person reads it: `ports` or `port 8080`. */
  readonly missing: string;
  readonly quantity?: { readonly wanted: number; readonly offered: number };
}

interface OfferedRange extends Value_Range {
  readonly resourceIndex: number;
}

/** Chooses ports; a refusal says which port was missing. `offered` holds port resources only. */
export function choosePorts(
  requests: readonly PortRequest[],
  offered: readonly Resource[],
  random: Random,
): PortChoice | PortRefusal {
  const ranges: OfferedRange[] = offered.flatMap((resource, resourceIndex) =>
    (resource.ranges?.range ?? []).map((range) => ({
      begin: range.begin,
      end: range.end,
      resourceIndex,
    })),
  );
  const taken = new Map<number, number[]>();
  const used = new Set<number>();
  const take = (port: number, resourceIndex: number): void => {
    used.add(port);
    const ports = taken.get(resourceIndex) ?? [];
    ports.push(port);
    taken.set(resourceIndex, ports);
  };
  const hostPorts: (number | null)[] = requests.map(() => null);
  for (const [index, request] of requests.entries()) {
    if (request.kind !== 'fixed') continue;
    const range = ranges.find(
      (candidate) => candidate.begin <= request.port && request.port <= candidate.end,
    );
    if (range === undefined || used.has(request.port)) return { missing: `port ${request.port}` };
    take(request.port, range.resourceIndex);
    hostPorts[index] = request.port;
  }
  const wanted = requests.filter((request) => request.kind === 'random').length;
  if (wanted > 0) {
    const next = portsFromRandomPlace(ranges, random);
    for (const [index, request] of requests.entries()) {
      if (request.kind !== 'random') continue;
      const chosen = nextUnused(next, used);
      if (chosen === undefined) {
        const all = requests.filter(({ kind }) => kind !== 'none').length;
        return { missing: 'ports', quantity: { wanted: all, offered: used.size } };
      }
      take(chosen.port, chosen.resourceIndex);
      hostPorts[index] = chosen.port;
    }
  }
  return { hostPorts, taken };
}

function nextUnused(
  ports: Iterator<{ readonly port: number; readonly resourceIndex: number }>,
  used: ReadonlySet<number>,
): { readonly port: number; readonly resourceIndex: number } | undefined {
  for (;;) {
    const next = ports.next();
    if (next.done === true) return undefined;
    if (!used.has(next.value.port)) return next.value;
  }
}

/** All offered ports once, consecutive from a random one, ranges in random order, wrapping at the end. */
function* portsFromRandomPlace(
  ranges: readonly OfferedRange[],
  random: Random,
): Generator<{ readonly port: number; readonly resourceIndex: number }, void> {
  const shuffled = shuffle(random, [...ranges]);
  const total = shuffled.reduce((sum, range) => sum + range.end - range.begin + 1, 0);
  if (total === 0) return;
  let skip = randomBelow(random, total);
  let start = 0;
  for (const [index, range] of shuffled.entries()) {
    const length = range.end - range.begin + 1;
    if (skip < length) {
      start = index;
      break;
    }
    skip -= length;
  }
  const first = shuffled[start];
  if (first === undefined) return;
  const { resourceIndex } = first;
  for (let port = first.begin + skip; port <= first.end; port++) yield { port, resourceIndex };
  for (let step = 1; step < shuffled.length; step++) {
    const range = shuffled[(start + step) % shuffled.length];
    if (range === undefined) continue;
    for (let port = range.begin; port <= range.end; port++)
      yield { port, resourceIndex: range.resourceIndex };
  }
  for (let port = first.begin; port < first.begin + skip; port++) yield { port, resourceIndex };
}
