/**
 * Removing, in the order in which EC2 lets go: addresses, hosts, what hosts leave behind, rules between groups, groups,
 * routes, gateway, subnets, network, key. Every stage may be repeated: what is gone is not in the next plan.
 */

import type { Action, DeleteKind } from './action.ts';
import { isLive, type Found } from './found.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

/**
 * Stages that remove what `isUnwanted` says.
 * @param isUnwanted is asked for each resource that was found.
 */
export function planRemoval(
  found: Found,
  isUnwanted: (resource: Named) => boolean,
): readonly (readonly Action[])[] {
  const unwanted = <T extends Named>(list: readonly T[]): readonly T[] => list.filter(isUnwanted);
  const remove = (kind: DeleteKind, list: readonly Named[]): readonly Action[] =>
    unwanted(list).map(({ id, name }) => ({ kind, id, name }));
  const routeTables = unwanted(found.routeTables);
  const ending = unwanted(found.instances.filter((one) => one.state === 'shutting-down'));
  const stages: readonly (readonly Action[])[] = [
    unwanted(found.addresses).flatMap(({ associationId, name }): readonly Action[] =>
      associationId === undefined ? [] : [{ kind: 'disassociateAddress', id: associationId, name }],
    ),
    [
      ...remove('releaseAddress', found.addresses),
      ...remove('terminateInstance', found.instances.filter(isLive)),
    ],
    [
      ...remove(
        'deleteInterface',
        found.interfaces.filter((one) => one.isFree),
      ),
      ...remove(
        'deleteVolume',
        found.volumes.filter((one) => one.isFree),
      ),
      ...revocations(found, unwanted),
      ...routeTables.flatMap(({ associations, name }) =>
        associations.map(({ id }): Action => ({ kind: 'disassociateRouteTable', id, name })),
      ),
    ],
    [...remove('deleteGroup', found.groups), ...remove('deleteRouteTable', found.routeTables)],
    unwanted(found.gateways).flatMap(({ id, name, vpcIds }) =>
      vpcIds.map((vpcId): Action => ({ kind: 'detachGateway', id, name, vpcId })),
    ),
    [...remove('deleteGateway', found.gateways), ...remove('deleteSubnet', found.subnets)],
    [
      ...remove('deleteVpc', found.vpcs),
      ...unwanted(found.keys).map(({ id, name, keyName }): Action => ({
        kind: 'deleteKey',
        id,
        name,
        keyName,
      })),
    ],
  ];
  if (stages.every((stage) => stage.length === 0)) return [];
  // Those that are on their way out still hold on to what they use.
  const waits = ending.map(({ id, name }): Action => ({ kind: 'awaitTerminated', id, name }));
  const [first = [], second = [], ...further] = stages;
  return [first, [...second, ...waits], ...further].filter((stage) => stage.length > 0);
}

/** A group that is named in a rule of another one cannot be deleted. */
function revocations(
  found: Found,
  unwanted: <T extends Named>(list: readonly T[]) => readonly T[],
): readonly Action[] {
  return unwanted(found.groups).flatMap(({ id, name, rules }): readonly Action[] => {
    const between = rules.filter((rule) => rule.from.kind === 'group');
    if (between.length === 0) return [];
    return [{ kind: 'revoke', group: name, groupId: id, rules: between }];
  });
}
