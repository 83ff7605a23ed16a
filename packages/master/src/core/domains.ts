/**
 * Fault domains: where in the world master and agents are. All masters of a cluster are in one region; agents
 * in others are remote, and offered to frameworks with REGION_AWARE only.
 * Source: the original's rules for agents that register.
 */

import type { AgentInfo } from '@dcos/wire';
import type { MasterOptions } from './options.ts';

/** Why an agent may not register, or undefined. It may try again: a master with other settings may follow. */
export function domainProblem(
  { masterInfo, requireAgentDomain }: MasterOptions,
  { domain }: AgentInfo,
): string | undefined {
  const has = domain?.fault_domain !== undefined;
  if (has && masterInfo.domain?.fault_domain === undefined)
    return 'The agent has a fault domain, but the master has none';
  if (!has && requireAgentDomain)
    return 'The agent has no fault domain, but the master demands one of every agent';
  return undefined;
}
