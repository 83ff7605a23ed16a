/**
 * What a framework of the world does with reservations: it reserves, makes volumes, runs tasks on them, destroys
 * them and unreserves, each step when an offer shows the result of the one before. Half of its operations have
 * an id: then it wants to hear how they ended, and acknowledges what it hears.
 */

import type {
  Offer,
  Offer_Operation,
  OperationState,
  OperationStatus,
  Resource,
  scheduler,
} from '@dcos/wire';
import type { World } from './world.ts';

const FEEDBACK_PROBABILITY = 0.5;
/** How often an offer that allows a step leads to it. */
const STEP_PROBABILITY = 0.3;
/** How often what is reserved becomes a volume before it is unreserved. */
const CREATE_PROBABILITY = 0.5;
/** How often a volume that is offered is resized before it is destroyed. */
const RESIZE_PROBABILITY = 0.4;
/** By how much a volume grows or shrinks at once. */
const RESIZE_MB = 20;
/** What one step reserves. */
export const RESERVED = { cpus: 1, mem: 64, disk: 100 } as const;

/** How often a framework makes operations; `always` leaves nothing to chance. */
export type Eagerness = 'never' | 'sometimes' | 'always';

/** One operation status as the framework heard it. */
export interface HeardOperation {
  readonly id: string;
  readonly state: OperationState;
  /** Whether it is to be acknowledged. */
  readonly isReliable: boolean;
}

export interface FrameworkOperations {
  readonly heard: readonly HeardOperation[];
  /** What to do with an offer besides launching; nothing for most. */
  stepsFor(offer: Offer): readonly Offer_Operation[];
  /** A volume of the offer that a task may use. */
  volumeIn(offer: Offer): Resource | undefined;
  /** Volumes that were offered although their making had failed. */
  readonly ghosts: readonly string[];
  /** Takes a status; the answer is the call that acknowledges it. */
  onStatus(status: OperationStatus): Omit<scheduler.Call, 'framework_id'> | undefined;
  /** The call that asks how operations stand that have not ended. */
  question(): Omit<scheduler.Call, 'framework_id'>;
  digest(): unknown;
}

export function createFrameworkOperations(
  world: World,
  {
    name,
    role,
    operates,
  }: { readonly name: string; readonly role: string; readonly operates: Eagerness },
): FrameworkOperations {
  const heard: HeardOperation[] = [];
  /** By operation id: where it is. */
  const pending = new Map<string, string>();
  /** By operation id: the volume that it makes. */
  const creations = new Map<string, string>();
  const failed = new Set<string>();
  const ghosts: string[] = [];
  let lastOperation = 0;
  let lastVolume = 0;

  function happens(probability: number): boolean {
    return operates === 'always' || world.chance(probability);
  }

  function withId(offer: Offer, operation: Offer_Operation): Offer_Operation {
    if (!happens(FEEDBACK_PROBABILITY)) return operation;
    const id = `${name}-operation-${(lastOperation += 1)}`;
    pending.set(id, offer.agent_id.value);
    const volume = operation.create?.volumes?.[0]?.disk?.persistence?.id;
    if (volume !== undefined) creations.set(id, volume);
    return { ...operation, id: { value: id } };
  }

  function stepFor(offer: Offer): Offer_Operation | undefined {
    const resources = offer.resources ?? [];
    const mine = resources.filter(isReserved);
    const volume = mine.find(isVolume);
    const disk = mine.find((resource) => resource.name === 'disk' && !isVolume(resource));
    if (volume !== undefined) {
      if (world.chance(RESIZE_PROBABILITY)) return resized(volume, disk);
      return { type: 'DESTROY', destroy: { volumes: [volume] } };
    }
    if (disk !== undefined && happens(CREATE_PROBABILITY)) {
      const id = `${name}-volume-${(lastVolume += 1)}`;
      return { type: 'CREATE', create: { volumes: [volumeOf(disk, id)] } };
    }
    if (mine.length > 0) return { type: 'UNRESERVE', unreserve: { resources: mine } };
    const wanted = wantedFrom(resources.filter((resource) => !isReserved(resource)));
    return wanted.length < Object.keys(RESERVED).length
      ? undefined
      : {
          type: 'RESERVE',
          reserve: { resources: wanted.map((resource) => reserved(resource, role)) },
        };
  }

  return {
    heard,
    volumeIn(offer) {
      const volume = offer.resources?.find(isVolume);
      const id = volume?.disk?.persistence?.id ?? '';
      if (failed.has(id)) ghosts.push(id);
      return volume;
    },
    ghosts,
    stepsFor(offer) {
      if (operates === 'never' || !happens(STEP_PROBABILITY)) return [];
      const step = stepFor(offer);
      return step === undefined ? [] : [withId(offer, step)];
    },
    onStatus(status) {
      const id = status.operation_id?.value;
      if (id === undefined) return undefined;
      const { uuid, agent_id, state } = status;
      world.trace(`${name} hears ${id} ${state}${uuid === undefined ? ' (master)' : ''}`);
      heard.push({ id, state, isReliable: uuid !== undefined });
      if (isOver(state)) pending.delete(id);
      const creation = creations.get(id);
      if (creation !== undefined && isOver(state) && state !== 'OPERATION_FINISHED')
        failed.add(creation);
      if (uuid === undefined) return undefined;
      return {
        type: 'ACKNOWLEDGE_OPERATION_STATUS',
        acknowledge_operation_status: {
          operation_id: { value: id },
          uuid: uuid.value,
          ...(agent_id !== undefined && { agent_id }),
        },
      };
    },
    question: () => ({
      type: 'RECONCILE_OPERATIONS',
      reconcile_operations: {
        operations: Array.from(pending, ([id, agent]) => ({
          operation_id: { value: id },
          agent_id: { value: agent },
        })),
      },
    }),
    digest: () => ({ heard, pending }),
  };
}

const OVER: ReadonlySet<OperationState> = new Set<OperationState>([
  'OPERATION_FINISHED',
  'OPERATION_FAILED',
  'OPERATION_ERROR',
  'OPERATION_DROPPED',
  'OPERATION_GONE_BY_OPERATOR',
]);

/** Whether an operation has ended in that state. */
export function isOver(state: OperationState): boolean {
  return OVER.has(state);
}

/** Whether a resource is reserved for somebody. */
export function isReserved(resource: Resource): boolean {
  return (resource.reservations ?? []).length > 0;
}

/** Whether a resource is a persistent volume. */
export function isVolume(resource: Resource): boolean {
  return resource.disk?.persistence !== undefined;
}

/** A volume out of reserved disk. */
export function volumeOf(disk: Resource, id: string): Resource {
  return {
    ...disk,
    disk: { persistence: { id }, volume: { mode: 'RW', container_path: 'data' } },
  };
}

/** Grows a volume by some of that disk, or shrinks it where there is none. */
export function resized(volume: Resource, disk: Resource | undefined): Offer_Operation {
  const value = RESIZE_MB;
  if (disk !== undefined && (disk.scalar?.value ?? 0) >= value)
    return {
      type: 'GROW_VOLUME',
      grow_volume: { volume, addition: { ...disk, scalar: { value } } },
    };
  return (volume.scalar?.value ?? 0) > value
    ? { type: 'SHRINK_VOLUME', shrink_volume: { volume, subtract: { value } } }
    : { type: 'DESTROY', destroy: { volumes: [volume] } };
}

/** A resource as reserved for a role. */
export function reserved(resource: Resource, role: string): Resource {
  return { ...resource, reservations: [{ type: 'DYNAMIC', role }] };
}

/** As much as is reserved in one step, of each kind that the offer has enough of. */
function wantedFrom(plain: readonly Resource[]): readonly Resource[] {
  return Object.entries(RESERVED).flatMap(([name, value]) => {
    const offered = plain.find((resource) => resource.name === name);
    return offered?.scalar === undefined || offered.scalar.value < value
      ? []
      : [{ name, type: 'SCALAR', scalar: { value } } as const];
  });
}
