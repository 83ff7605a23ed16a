/**
 * Quota as it was asked for before UPDATE_QUOTA: one role with resources as guarantee and limit; and the
 * answer that shows both forms. Source: the original's checks and recorded texts.
 */

import { compareText } from '@dcos/base';
import { isValidRole, validateResources } from '@dcos/resources';
import type { quota, Resource } from '@dcos/wire';
import type { Context } from './context.ts';
import { capacityProblem, configProblem, updateQuota, type QuotaRefusal } from './quota.ts';
import type { MasterState } from './state.ts';

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
  const config: quota.QuotaConfig = { role, guarantees: amounts, limits: amounts };
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
