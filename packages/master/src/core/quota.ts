/**
 * Quota of top-level roles: what operators may set, and what follows. All roles of a call are set or none;
 * the registry holds them before the allocator does; offers that the new quota would not have allowed are
 * taken back.
 * Source: the original's checks and recorded texts.
 */

import { compareText } from '@dcos/base';
import type { Quantities } from '@dcos/allocator';
import {
  fromMilli,
  isValidRole,
  toMilli,
  validateResources,
  type Resources,
} from '@dcos/resources';
import type { quota, Resource, Value_Scalar } from '@dcos/wire';
import type { Context } from './context.ts';
import { removeOffer } from './offers.ts';
import { deleteRecord, keyProblem, putRecord } from './registry.ts';
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

function configProblem({ role, guarantees = {}, limits = {} }: QuotaConfig): string | undefined {
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
function capacityProblem(state: MasterState, configs: readonly QuotaConfig[]): string | undefined {
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
  for (const { role, limits = {} } of configs) {
    const consumed = consumptionOf(state, role);
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
  for (const config of configs) rescindBeyondLimit(context, config);
  rescindForGuarantees(context);
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
function rescindBeyondLimit(context: Context, { role, limits = {} }: QuotaConfig): void {
  const { state } = context;
  const offered = [...state.offers.values()].filter((record) => isWithin(record.role, role));
  const consumed = new Map(consumptionOf(state, role));
  for (const record of offered) addChoppable(consumed, record.resources, 1);
  for (const record of offered.reverse()) {
    const over = Object.entries(limits).some(
      ([name, { value }]) => (consumed.get(name) ?? 0) > toMilli(value),
    );
    if (!over) return;
    addChoppable(consumed, record.resources, -1);
    removeOffer(context, record, { rescind: true });
  }
}

/** Offers of anybody go until what came back covers the guarantees that are not met. */
function rescindForGuarantees(context: Context): void {
  const { state } = context;
  const missing = new Map<string, number>();
  for (const { role, guarantees = {} } of state.quotas.values()) {
    const consumed = consumptionOf(state, role);
    for (const [name, { value }] of Object.entries(guarantees)) {
      const lacking = toMilli(value) - (consumed.get(name) ?? 0);
      if (lacking > 0) missing.set(name, (missing.get(name) ?? 0) + lacking);
    }
  }
  for (const agent of state.agents.values()) {
    const idle = agent.total.without(agent.used.total().add(agent.offered.total()).unallocate());
    addChoppable(missing, idle, -1);
  }
  const guarded = (record: OfferRecord): boolean =>
    Object.keys(state.quotas.get(topLevel(record.role))?.guarantees ?? {}).length > 0;
  for (const record of state.offers.values()) {
    if (![...missing.values()].some((milli) => milli > 0)) return;
    if (guarded(record)) continue;
    addChoppable(missing, record.resources, -1);
    removeOffer(context, record, { rescind: true });
  }
}

/** What a top-level role consumes: its reservations, and what of the rest its subtree uses. Thousandths. */
export function consumptionOf(state: MasterState, role: string): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const agent of state.agents.values()) {
    const reserved = agent.total.filterEntries(
      ({ nature }) => nature.reservedTo !== undefined && isWithin(nature.reservedTo, role),
    );
    addScalars(sums, reserved, 1);
    const used = agent.used
      .total()
      .filterEntries(({ nature }) => isWithin(nature.allocatedTo ?? '*', role));
    addChoppable(sums, used, 1);
  }
  return sums;
}

function isWithin(role: string, top: string): boolean {
  return role === top || role.startsWith(`${top}/`);
}

function topLevel(role: string): string {
  return role.split('/')[0] ?? role;
}

/** Unreserved and not revocable: what is chopped and held back. */
function addChoppable(sums: Map<string, number>, resources: Resources, sign: 1 | -1): void {
  const counted = resources.filterEntries(
    ({ nature }) => nature.reservedTo === undefined && !nature.revocable,
  );
  addScalars(sums, counted, sign);
}

function addScalars(sums: Map<string, number>, resources: Resources, sign: 1 | -1): void {
  for (const [name, milli] of resources.scalarQuantities())
    sums.set(name, (sums.get(name) ?? 0) + sign * milli);
}

function capacityOf(state: MasterState): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const agent of state.agents.values()) addScalars(sums, agent.total.nonRevocable(), 1);
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

/** SET_QUOTA and POST /quota: guarantee and limit of one role, as resources; the limit is the guarantee. */
export function setQuota(
  context: Context,
  request: quota.QuotaRequest,
  principal: string | undefined,
): QuotaRefusal | undefined {
  const { role = '', guarantee = [], force = false } = request;
  const invalid = (text: string): QuotaRefusal => ({
    status: 400,
    text: `Failed to validate set quota request: ${text}`,
  });
  const problem = infoProblem(role, guarantee);
  if (problem !== undefined) return invalid(problem);
  if (context.state.quotas.has(role))
    return invalid(`Quota for role '${role}' is already set, it can be updated or removed`);
  const amounts = Object.fromEntries(
    guarantee.map(({ name, scalar }) => [name, { value: scalar?.value ?? 0 }]),
  );
  const config: QuotaConfig = { role, guarantees: amounts, limits: amounts };
  const structure = configProblem(config);
  if (structure !== undefined) return invalid(structure);
  const capacity = force ? undefined : capacityProblem(context.state, [config]);
  if (capacity !== undefined) {
    return {
      status: 409,
      text: `Heuristic capacity check for set quota request failed: ${capacity}`,
    };
  }
  return updateQuota(context, [config], { force: true, principal });
}

function infoProblem(role: string, guarantee: readonly Resource[]): string | undefined {
  const problem = isValidRole(role);
  if (problem !== undefined) return `QuotaInfo with invalid role: ${problem}`;
  if (guarantee.length === 0) return 'QuotaInfo with empty guarantee';
  if (guarantee.some(({ type }) => type !== 'SCALAR'))
    return 'QuotaInfo must not include non-scalar resources';
  const invalid = validateResources(guarantee);
  if (invalid !== undefined) return `QuotaInfo with invalid resource: ${invalid}`;
  const marked = guarantee.find(
    ({ reservations, disk, revocable, role: reserved = '*' }) =>
      (reservations ?? []).length > 0 ||
      reserved !== '*' ||
      disk !== undefined ||
      revocable !== undefined,
  );
  if (marked !== undefined)
    return `QuotaInfo must not contain reserved, revocable or disk resources: '${marked.name}'`;
  const names = guarantee.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? undefined : `QuotaInfo contains duplicate resource name '${twice}'`;
}

/** REMOVE_QUOTA and DELETE /quota/<role>. */
export function removeQuota(
  context: Context,
  role: string,
  principal: string | undefined,
): QuotaRefusal | undefined {
  if (!context.state.quotas.has(role)) {
    return {
      status: 400,
      text: `Failed to remove quota for role '${role}': Role '${role}' has no quota set`,
    };
  }
  return updateQuota(context, [{ role }], { force: true, principal });
}

/** GET_QUOTA: both forms, by role. */
export function quotaStatus(state: MasterState): quota.QuotaStatus {
  const configs = [...state.quotas.values()].sort((left, right) =>
    compareText(left.role, right.role),
  );
  const infos = configs.map(({ role, guarantees = {} }) => ({
    role,
    guarantee: Object.entries(guarantees).map(([name, scalar]): Resource => ({
      name,
      type: 'SCALAR',
      scalar,
    })),
  }));
  return configs.length === 0 ? {} : { infos, configs };
}
