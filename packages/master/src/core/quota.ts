/**
 * Quota of top-level roles: what operators may set, and what follows. All roles of a call are set or none;
 * the registry holds them before the allocator does; offers that the new quota would not have allowed are
 * taken back.
 * Source: the original's checks and recorded texts.
 */

import { compareText } from '@dcos/base';
import type { Quantities } from '@dcos/allocator';
import { fromMilli, isValidRole, toMilli, topLevelRole } from '@dcos/resources';
import type { quota, Value_Scalar } from '@dcos/wire';
import type { Context } from './context.ts';
import { removeOffer } from './offers.ts';
import { addChoppable, consumptions } from './quota-consumption.ts';
import { deleteRecord, keyProblem, putRecord } from './registry.ts';
import { unlistedRole } from './role-whitelist.ts';
import type { MasterState, OfferRecord } from './state.ts';

type QuotaConfig = quota.QuotaConfig;

/** Roles of one call; they are one batch of the store. */
const ROLES_PER_CALL_MAX = 1_000;

/** Says no: status and text as the original gives them. */
export interface QuotaRefusal {
  readonly status: 400 | 403 | 409;
  readonly text: string;
}

/** UPDATE_QUOTA: sets guarantees and limits of some roles; a role without both loses its quota. */
export function updateQuota(
  context: Context,
  configs: readonly QuotaConfig[],
  how: { readonly force: boolean; readonly principal: string | undefined },
): QuotaRefusal | undefined {
  const refuse = (text: string): QuotaRefusal => ({
    status: 400,
    text: `Invalid QuotaConfig: ${text}`,
  });
  if (configs.length > ROLES_PER_CALL_MAX)
    return refuse(`${configs.length} roles in one call, at most ${ROLES_PER_CALL_MAX} are allowed`);
  const seen = new Set<string>();
  for (const config of configs) {
    if (seen.has(config.role)) return refuse(`role '${config.role}' is given twice`);
    seen.add(config.role);
    const problem = configProblem(config);
    if (problem !== undefined) return refuse(problem);
    if (unlistedRole(context.options, [config.role]) !== undefined)
      return refuse(`Unknown role '${config.role}'`);
    const { authorizer } = context;
    if (
      !authorizer.allows({ action: 'UPDATE_QUOTA', principal: how.principal, object: config.role })
    )
      return { status: 403, text: `Not authorized to update the quota of role '${config.role}'` };
  }
  if (!how.force) {
    const problem =
      capacityProblem(context.state, configs) ?? consumptionProblem(context.state, configs);
    if (problem !== undefined) return refuse(problem);
  }
  applyQuota(context, configs);
  return undefined;
}

/** What is wrong with the quota of a role, whatever the cluster has. */
export function configProblem({
  role,
  guarantees = {},
  limits = {},
}: QuotaConfig): string | undefined {
  const problem = isValidRole(role) ?? keyProblem(role);
  if (problem !== undefined) return `invalid role: ${problem}`;
  if (role === '*') return "setting quota for the default '*' role is not supported";
  if (role.includes('/')) return `setting quota on nested role '${role}' is not supported yet`;
  for (const [name, { value }] of [...Object.entries(guarantees), ...Object.entries(limits)]) {
    if (name === '') return `role '${role}' has a quantity without a name`;
    if (!Number.isFinite(value) || value < 0)
      return `'${name}' of role '${role}' must be a number that is not negative`;
  }
  for (const [name, { value }] of Object.entries(guarantees)) {
    const limit = limits[name]?.value;
    if (limit !== undefined && toMilli(value) > toMilli(limit)) {
      return `'QuotaConfig.guarantees' ${quantitiesText(guarantees)} is not contained within 'QuotaConfig.limits' ${quantitiesText(limits)}`;
    }
  }
  return undefined;
}

/** Guarantees of all roles together must fit into what is registered. */
export function capacityProblem(
  state: MasterState,
  configs: readonly QuotaConfig[],
): string | undefined {
  const guarantees = new Map<string, number>();
  const replaced = new Set(configs.map(({ role }) => role));
  const kept = [...state.quotas.values()].filter(({ role }) => !replaced.has(role));
  for (const config of [...kept, ...configs]) {
    for (const [name, { value }] of Object.entries(config.guarantees ?? {}))
      guarantees.set(name, (guarantees.get(name) ?? 0) + toMilli(value));
  }
  const capacity = capacityOf(state);
  for (const [name, milli] of guarantees) {
    if (milli <= (capacity.get(name) ?? 0)) continue;
    return (
      `total quota guarantees '${milliText(guarantees)}' exceed cluster capacity '${milliText(capacity)}'` +
      " (use 'force' flag to bypass this check)"
    );
  }
  return undefined;
}

/** A new limit may not be below what its role consumes. */
function consumptionProblem(
  state: MasterState,
  configs: readonly QuotaConfig[],
): string | undefined {
  const used = consumptions(state);
  for (const { role, limits = {} } of configs) {
    const consumed = used.get(role) ?? new Map<string, number>();
    for (const [name, { value }] of Object.entries(limits)) {
      if ((consumed.get(name) ?? 0) <= toMilli(value)) continue;
      return (
        `quota consumption '${milliText(consumed)}' of role '${role}' exceeds its new limits ` +
        `'${quantitiesText(limits)}' (use 'force' flag to bypass this check)`
      );
    }
  }
  return undefined;
}

function applyQuota(context: Context, configs: readonly QuotaConfig[]): void {
  const { state, allocator } = context;
  if (configs.length === 0) return;
  context.emit({
    kind: 'persist',
    writes: configs.map((config) =>
      isEmpty(config)
        ? deleteRecord('quotas', config.role)
        : putRecord({ kind: 'quota', role: config.role, config }),
    ),
  });
  for (const config of configs) {
    if (isEmpty(config)) state.quotas.delete(config.role);
    else state.quotas.set(config.role, config);
    allocator.updateQuota(config.role, isEmpty(config) ? undefined : quotaOf(config));
  }
  const used = consumptions(state);
  const offered = Map.groupBy(state.offers.values(), (record) => topLevelRole(record.role));
  for (const config of configs) {
    const { role } = config;
    rescindBeyondLimit(context, config, used.get(role) ?? new Map(), offered.get(role) ?? []);
  }
  rescindForGuarantees(context, used);
}

function isEmpty({ guarantees = {}, limits = {} }: QuotaConfig): boolean {
  return Object.keys(guarantees).length === 0 && Object.keys(limits).length === 0;
}

/** The quota as the allocator takes it. */
export function quotaOf({ guarantees = {}, limits = {} }: QuotaConfig): {
  readonly guarantees: Quantities;
  readonly limits: Quantities;
} {
  return { guarantees: milliOf(guarantees), limits: milliOf(limits) };
}

function milliOf(amounts: Readonly<Record<string, Value_Scalar>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(amounts).map(([name, { value }]) => [name, toMilli(value)]));
}

/** Offers of the role, newest first, go until what is used and offered is within its limits. */
function rescindBeyondLimit(
  context: Context,
  { limits = {} }: QuotaConfig,
  used: Quantities,
  offered: readonly OfferRecord[],
): void {
  const consumed = new Map(used);
  for (const record of offered) addChoppable(consumed, record.resources, 1);
  for (const record of [...offered].reverse()) {
    const over = Object.entries(limits).some(
      ([name, { value }]) => (consumed.get(name) ?? 0) > toMilli(value),
    );
    if (!over) return;
    addChoppable(consumed, record.resources, -1);
    removeOffer(context, record, { rescind: true });
  }
}

/** Offers of anybody go until what came back covers the guarantees that are not met. */
function rescindForGuarantees(context: Context, used: ReadonlyMap<string, Quantities>): void {
  const { state } = context;
  const missing = new Map<string, number>();
  for (const { role, guarantees = {} } of state.quotas.values()) {
    const consumed = used.get(role);
    for (const [name, { value }] of Object.entries(guarantees)) {
      const lacking = toMilli(value) - (consumed?.get(name) ?? 0);
      if (lacking > 0) missing.set(name, (missing.get(name) ?? 0) + lacking);
    }
  }
  for (const agent of state.agents.values()) {
    const idle = agent.total.without(agent.used.total().add(agent.offered.total()).unallocate());
    addChoppable(missing, idle, -1);
  }
  const guarded = (record: OfferRecord): boolean =>
    Object.keys(state.quotas.get(topLevelRole(record.role))?.guarantees ?? {}).length > 0;
  for (const record of state.offers.values()) {
    if (![...missing.values()].some((milli) => milli > 0)) return;
    if (guarded(record)) continue;
    addChoppable(missing, record.resources, -1);
    removeOffer(context, record, { rescind: true });
  }
}

function capacityOf(state: MasterState): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const agent of state.agents.values()) {
    for (const [name, milli] of agent.total.nonRevocable().scalarQuantities())
      sums.set(name, (sums.get(name) ?? 0) + milli);
  }
  return sums;
}

function milliText(amounts: ReadonlyMap<string, number>): string {
  return [...amounts]
    .sort(([left], [right]) => compareText(left, right))
    .map(([name, milli]) => `${name}:${fromMilli(milli)}`)
    .join('; ');
}

function quantitiesText(amounts: Readonly<Record<string, Value_Scalar>>): string {
  return milliText(milliOf(amounts));
}
