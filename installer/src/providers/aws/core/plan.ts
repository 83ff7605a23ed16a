/**
 * From what is wanted and what was found to the changes that lead from one to the other. Nothing wanted is the plan of
 * `destroy`. Pure: the same two give the same plan, and a plan that was carried out whole gives an empty one.
 *
 * Invariants: only what carries the cluster's tag is changed or removed; of two resources with one logical name (a run
 * was killed, and EC2 did not show yet what it had made) one is kept, the other removed; a master is never removed by
 * asking for fewer of them.
 */

import { err, ok, type Result } from '@dcos/base';
import type { Action } from './action.ts';
import type { Found } from './found.ts';
import { planInstances } from './plan-instances.ts';
import { planNetwork } from './plan-network.ts';
import type { PlanProblem } from './plan-problem.ts';
import { planRemoval } from './plan-removal.ts';
import { selectKept, type Kept } from './select-kept.ts';
import { planMasterAddresses } from './master-addresses.ts';
import { addressName, groupName, KEY, tagsOf, TAG_FINGERPRINT, type Tags } from './names.ts';
import type { Wanted } from './wanted.ts';

export interface Plan {
  /** Stages in their order; an action needs actions of earlier stages only. */
  readonly stages: readonly (readonly Action[])[];
  /** Ids of what exists and stays, by logical name. */
  readonly ids: ReadonlyMap<string, string>;
  /** What a person should know and the plan does not change. */
  readonly notes: readonly string[];
}

/** The changes that give the cluster what is wanted. */
export function planDeploy(wanted: Wanted, found: Found): Result<Plan, readonly PlanProblem[]> {
  const kept = selectKept(found, wanted);
  const network = planNetwork(wanted, kept);
  const instances = planInstances(wanted, found, kept);
  const key = planKey(wanted, kept);
  const problems = [...network.problems, ...instances.problems, ...key.problems];
  if (problems.length > 0) return err(problems);
  const removal = planRemoval(found, (resource) => !kept.stays.has(resource.id));
  const addresses = planAddresses(wanted, kept);
  const stages = [
    [...network.roots, ...key.actions],
    network.parts,
    network.links,
    [
      ...instances.actions,
      ...planTags(wanted, found, kept),
      ...planMasterAddresses(found, kept.groups.get(groupName('master'))),
    ],
    addresses.allocate,
    addresses.associate,
    ...removal,
  ];
  return ok({
    stages: stages.filter((stage) => stage.length > 0),
    ids: kept.ids,
    notes: [...network.notes, ...instances.notes],
  });
}

/** The changes that leave nothing. */
export function planDestroy(found: Found): Plan {
  return { stages: planRemoval(found, () => true), ids: new Map(), notes: [] };
}

/** All actions of a plan in their order. */
export function actionsOf(plan: Plan): readonly Action[] {
  return plan.stages.flat();
}

function planKey(
  { key }: Wanted,
  kept: Kept,
): { readonly actions: readonly Action[]; readonly problems: readonly PlanProblem[] } {
  if (key.kind === 'existing') return { actions: [], problems: [] };
  const { publicKey, fingerprint } = key;
  const there = kept.key;
  if (there === undefined) {
    return { actions: [{ kind: 'importKey', name: KEY, publicKey, fingerprint }], problems: [] };
  }
  const known = there.tags[TAG_FINGERPRINT];
  if (known === fingerprint) return { actions: [], problems: [] };
  const problem: PlanProblem = {
    key: 'aws.keyPair',
    message: `the hosts were made with the key ${known ?? 'of an unknown fingerprint'}, the file holds ${fingerprint}`,
    remedy: 'bring back the private key file of the machine that made the cluster',
  };
  return { actions: [], problems: [problem] };
}

function planAddresses(
  wanted: Wanted,
  kept: Kept,
): { readonly allocate: readonly Action[]; readonly associate: readonly Action[] } {
  const allocate: Action[] = [];
  const associate: Action[] = [];
  for (const { name: instance } of wanted.instances.filter((one) => one.hasElasticAddress)) {
    const name = addressName(instance);
    const address = kept.addresses.get(name);
    if (address === undefined) allocate.push({ kind: 'allocateAddress', name });
    const instanceId = kept.instances.get(instance)?.id;
    if (address?.instanceId === undefined || address.instanceId !== instanceId) {
      associate.push({ kind: 'associateAddress', address: name, instance });
    }
  }
  return { allocate, associate };
}

/** Tags that the operator added or changed since; what was taken away stays, for it may be of somebody else. */
function planTags(wanted: Wanted, found: Found, kept: Kept): readonly Action[] {
  const lists = Object.values(found) as readonly (readonly {
    readonly id: string;
    readonly name: string;
    readonly tags: Tags;
  }[])[];
  return lists.flat().flatMap((resource): readonly Action[] => {
    if (!kept.stays.has(resource.id)) return [];
    const all = tagsOf(wanted.cluster, resource.name, wanted.tags);
    const missing = Object.entries(all).filter(([key, value]) => resource.tags[key] !== value);
    const { id, name } = resource;
    return missing.length === 0
      ? []
      : [{ kind: 'tag', id, name, tags: Object.fromEntries(missing) }];
  });
}
