/**
 * RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME and SHRINK_VOLUME of an ACCEPT: checked, authorised,
 * applied to what is left of the offers and to the books at once, and sent to the agent.
 * Source: the original's order of checks; texts have its meaning.
 */

import type { Resources } from '@dcos/resources';
import {
  conversionOf,
  isAncestorRole,
  mapOperationResources,
  reservationRole,
} from '@dcos/resources';
import type { Offer_Operation, Resource } from '@dcos/wire';
import type { Context } from './context.ts';
import { allocatedTo, withoutAllocation, type Grant } from './grant.ts';
import { removeOffer } from './offers.ts';
import { operationForbidden } from './operation-authorization.ts';
import { refuseOperation, sendOperation } from './operations.ts';
import type { Agent, Framework } from './state.ts';

/** Carries one out, or tells the framework why not; later operations of the call go on either way. */
export function convertOffered(
  context: Context,
  framework: Framework,
  grant: Grant,
  given: Offer_Operation,
): void {
  const { agent, role } = grant;
  const operation = mapOperationResources(given, allocatedTo(role));
  const conversion = conversionOf(operation);
  const problem =
    boundProblem(context, framework, operation) ??
    idProblem(framework, operation) ??
    capabilityProblem(agent, operation) ??
    (conversion.ok ? undefined : conversion.error) ??
    reservationProblem(framework, role, operation) ??
    volumeProblem(framework, agent, operation) ??
    operationForbidden(context.authorizer, framework.info.principal, operation);
  if (problem !== undefined || !conversion.ok) {
    const message = `Invalid ${operation.type ?? 'UNKNOWN'} operation: ${problem ?? ''}`;
    refuseOperation(context, framework, given, { state: 'OPERATION_ERROR', message });
    return;
  }
  const { consumed, converted } = conversion.value;
  if (!grant.remaining.contains(consumed)) {
    refuseOperation(context, framework, given, {
      state: 'OPERATION_ERROR',
      message: `Invalid ${operation.type ?? 'UNKNOWN'} operation: the offers do not contain what it needs`,
    });
    return;
  }
  if (operation.type === 'DESTROY') rescindOffersWith(context, agent, consumed.unallocate());
  grant.remaining = grant.remaining.subtract(consumed);
  if (operation.type === 'GROW_VOLUME' || operation.type === 'SHRINK_VOLUME')
    grant.setAside = grant.setAside.add(converted);
  else grant.remaining = grant.remaining.add(converted);
  applyConversion(context, framework, agent, consumed, converted);
  sendOperation(context, agent, mapOperationResources(operation, withoutAllocation), framework);
}

/** Records are kept until they are acknowledged, which some frameworks never do. */
function boundProblem(
  { options }: Context,
  framework: Framework,
  operation: Offer_Operation,
): string | undefined {
  const { operationsPerFrameworkMax } = options;
  return operation.id !== undefined && framework.operations.size >= operationsPerFrameworkMax
    ? `${operationsPerFrameworkMax} operations of the framework are not acknowledged, more are not allowed`
    : undefined;
}

/** An id names one operation at a time: its framework could not tell two apart, and neither could its answers. */
function idProblem({ operations }: Framework, { id }: Offer_Operation): string | undefined {
  return id !== undefined && operations.has(id.value)
    ? `the operation id '${id.value}' is in use until the end of its operation is acknowledged`
    : undefined;
}

/** In the books of the master and of the allocator. */
function applyConversion(
  context: Context,
  framework: Framework,
  agent: Agent,
  consumed: Resources,
  converted: Resources,
): void {
  agent.total = agent.total.subtract(consumed.unallocate()).add(converted.unallocate());
  context.allocator.convert(framework.id, agent.id, consumed, converted);
}

/** What the agent must be able to do. */
export function capabilityProblem(agent: Agent, operation: Offer_Operation): string | undefined {
  const has = (name: string): boolean => agent.capabilities.some(({ type }) => type === name);
  if (operation.id !== undefined && !has('AGENT_OPERATION_FEEDBACK'))
    return `'id' is set, but agent ${agent.id} does not give feedback on operations`;
  const resizes = operation.type === 'GROW_VOLUME' || operation.type === 'SHRINK_VOLUME';
  return resizes && !has('RESIZE_VOLUME')
    ? `Volumes cannot be resized on agent ${agent.id}`
    : undefined;
}

/** Reservations are for the role of the offers, in the name of the framework. */
function reservationProblem(
  { info }: Framework,
  role: string,
  { reserve }: Offer_Operation,
): string | undefined {
  if (reserve === undefined) return undefined;
  if ((reserve.source ?? []).length > 0)
    return "'source' may not be set by frameworks: a reservation is changed by operators";
  for (const resource of reserve.resources ?? []) {
    const target = resource.reservations?.at(-1)?.role ?? resource.role ?? '*';
    if (target !== role && !isAncestorRole(target, role)) {
      return `A reserve operation was attempted for a resource allocated to role '${role}' with a reservation to role '${target}'`;
    }
    const problem = principalProblem(info.principal, resource);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** A reservation names the principal that makes it, when one is known. */
export function principalProblem(
  principal: string | undefined,
  resource: Resource,
): string | undefined {
  if (principal === undefined) return undefined;
  const top = resource.reservations?.at(-1) ?? resource.reservation;
  if (top?.principal === principal) return undefined;
  return top?.principal === undefined
    ? `A reserve operation was attempted by principal '${principal}', but there is a reserved resource in the request with no principal set`
    : `A reserve operation was attempted by principal '${principal}', but there is a reserved resource in the request with principal '${top.principal}' set`;
}

/** New volumes have ids of their own, shared ones are for frameworks that know them; used ones stay. */
function volumeProblem(
  framework: Framework,
  agent: Agent,
  operation: Offer_Operation,
): string | undefined {
  if (operation.create !== undefined) {
    const shared = operation.create.volumes?.some((volume) => volume.shared !== undefined) === true;
    if (shared && !framework.capabilities.has('SHARED_RESOURCES'))
      return 'Create volume operation has been attempted for shared volumes, but the framework is not SHARED_RESOURCES capable';
  }
  return (
    existingVolumeProblem(agent, operation, framework.info.principal) ??
    usedVolumeProblem(agent, operation)
  );
}

/** A volume's id is not taken on the agent; its principal is the one that creates it. */
export function existingVolumeProblem(
  agent: Agent,
  { create }: Offer_Operation,
  principal: string | undefined,
): string | undefined {
  if (create === undefined) return undefined;
  const taken = namesOfVolumes(agent.total);
  for (const volume of create.volumes ?? []) {
    const persistence = volume.disk?.persistence;
    const name = nameOfVolume(volume);
    if (taken.has(name)) return `Persistence ID '${persistence?.id ?? ''}' already exists`;
    taken.add(name);
    if (principal !== undefined && persistence?.principal !== principal) {
      return `Create volume operation has been attempted by principal '${principal}', but there is a volume in the operation with principal '${persistence?.principal ?? ''}' set in 'DiskInfo.Persistence'`;
    }
  }
  return undefined;
}

/** Ids of volumes are per role. */
function volumeName(role: string | undefined, id: string | undefined): string {
  return id === undefined ? '' : `${role ?? '*'}/${id}`;
}

function nameOfVolume(volume: Resource): string {
  return volumeName(reservationRole(volume), volume.disk?.persistence?.id);
}

function namesOfVolumes(resources: Resources): Set<string> {
  return new Set(
    resources.entries
      .filter(({ nature }) => nature.frame.disk?.persistence !== undefined)
      .map(({ nature }) => volumeName(nature.reservedTo, nature.frame.disk?.persistence?.id)),
  );
}

/** A volume that a task uses cannot be destroyed or resized. */
export function usedVolumeProblem(agent: Agent, operation: Offer_Operation): string | undefined {
  const volumes =
    operation.destroy?.volumes ??
    [operation.grow_volume?.volume, operation.shrink_volume?.volume].filter(
      (volume) => volume !== undefined,
    );
  if (volumes.length === 0) return undefined;
  const used = namesOfVolumes(agent.used.total());
  const busy = volumes.find((volume) => used.has(nameOfVolume(volume)));
  return busy === undefined
    ? undefined
    : `Persistent volume '${busy.disk?.persistence?.id ?? ''}' in use`;
}

/** Offers of others that show a (shared) volume which is about to go. */
export function rescindOffersWith(context: Context, agent: Agent, volumes: Resources): void {
  const keys = new Set(volumes.entries.map(({ nature }) => nature.ownKey));
  for (const record of agent.offers.values()) {
    if (record.resources.entries.some(({ nature }) => keys.has(nature.ownKey)))
      removeOffer(context, record, { rescind: true });
  }
}
