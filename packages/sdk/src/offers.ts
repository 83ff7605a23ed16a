/**
 * Arithmetic on an offer: what fits into it, and slices of it for tasks. Exact in thousandths, as masters
 * count.
 *
 * Invariants: a slice is never handed out twice; what is taken is what the offer holds, with its reservations
 * and its allocation, so that the master takes it back as it is. Revocable and shared resources and disks
 * with a source or a volume are never part of a slice: who wants them picks them from `offer.resources`.
 */

import { fromMilli, reservationsOf, Resources, toMilli } from '@dcos/resources';
import type { AgentID, Offer, OfferID, Resource, Value_Range } from '@dcos/wire';

/** What one task needs. */
export interface Needs {
  readonly cpus?: number;
  readonly memMb?: number;
  readonly diskMb?: number;
  readonly gpus?: number;
  /** How many ports, whichever they are. */
  readonly ports?: number;
}

const SCALARS = [
  ['cpus', 'cpus'],
  ['mem', 'memMb'],
  ['disk', 'diskMb'],
  ['gpus', 'gpus'],
] as const;

/** An offer, and what is left of it. */
export interface OpenOffer {
  readonly id: OfferID;
  readonly agentId: AgentID;
  readonly hostname: string;
  /** The role that the offer is made to. */
  readonly role: string | undefined;
  readonly offer: Offer;
  /** Whether a slice of that size is left. */
  fits(needs: Needs): boolean;
  /** How many slices of that size are left; infinite for one that needs nothing. */
  howMany(needs: Needs): number;
  /** Takes a slice, reserved resources before free ones; undefined, and nothing taken, when it does not fit. */
  take(needs: Needs): readonly Resource[] | undefined;
  /** What no slice has. */
  left(): readonly Resource[];
}

/** Opens an offer for arithmetic. */
export function openOffer(offer: Offer): OpenOffer {
  let left = Resources.fromWire(offer.resources);
  return {
    id: offer.id,
    agentId: offer.agent_id,
    hostname: offer.hostname,
    role: offer.allocation_info?.role,
    offer,
    fits: (needs) => take(left, needs) !== undefined,
    howMany: (needs) => howMany(left, needs),
    take(needs) {
      const taken = take(left, needs);
      if (taken !== undefined) left = left.subtract(Resources.fromWire(taken));
      return taken;
    },
    left: () => left.toWire(),
  };
}

/** The single ports in a slice, in its order. */
export function portsOf(resources: readonly Resource[]): readonly number[] {
  return resources
    .filter(({ name }) => name === 'ports')
    .flatMap(({ ranges }) => ranges?.range ?? [])
    .flatMap(({ begin, end }) => Array.from({ length: end - begin + 1 }, (_, at) => begin + at));
}

/** Pieces of that name that a slice may have, reserved ones first. */
function pieces(left: Resources, name: string): readonly Resource[] {
  const plain = left
    .toWire()
    .filter((piece) => piece.name === name && piece.disk === undefined)
    .filter(({ revocable, shared }) => revocable === undefined && shared === undefined);
  const isReserved = (piece: Resource): boolean => reservationsOf(piece).length > 0;
  return [...plain.filter(isReserved), ...plain.filter((piece) => !isReserved(piece))];
}

function howMany(left: Resources, needs: Needs): number {
  let least = Number.POSITIVE_INFINITY;
  for (const [name, need] of SCALARS) {
    const neededMilli = toMilli(needs[need] ?? 0);
    if (neededMilli <= 0) continue;
    const heldMilli = pieces(left, name).reduce(
      (sum, { scalar }) => sum + toMilli(scalar?.value ?? 0),
      0,
    );
    least = Math.min(least, Math.floor(heldMilli / neededMilli));
  }
  const ports = needs.ports ?? 0;
  if (ports <= 0) return least;
  const held = pieces(left, 'ports')
    .flatMap(({ ranges }) => ranges?.range ?? [])
    .reduce((sum, { begin, end }) => sum + end - begin + 1, 0);
  return Math.min(least, Math.floor(held / ports));
}

function take(left: Resources, needs: Needs): readonly Resource[] | undefined {
  const taken: Resource[] = [];
  for (const [name, need] of SCALARS) {
    let missingMilli = toMilli(needs[need] ?? 0);
    for (const piece of missingMilli > 0 ? pieces(left, name) : []) {
      const partMilli = Math.min(missingMilli, toMilli(piece.scalar?.value ?? 0));
      if (partMilli > 0) taken.push({ ...piece, scalar: { value: fromMilli(partMilli) } });
      missingMilli -= partMilli;
    }
    if (missingMilli > 0) return undefined;
  }
  let missing = needs.ports ?? 0;
  for (const piece of missing > 0 ? pieces(left, 'ports') : []) {
    const range: Value_Range[] = [];
    for (const { begin, end } of piece.ranges?.range ?? []) {
      const count = Math.min(missing, end - begin + 1);
      if (count > 0) range.push({ begin, end: begin + count - 1 });
      missing -= count;
    }
    if (range.length > 0) taken.push({ ...piece, ranges: { range } });
  }
  return missing > 0 ? undefined : taken;
}
